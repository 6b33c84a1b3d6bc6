"""What is evaluated together, and in which order: the values that one function computes.

    command: x, args: [y]                   one call: `command`, then `args`
    active: data:filter, brief: data:map    for each record of their loop: the condition of the
                                            filter, then the fields of the map

A template that becomes a function of its own is evaluated by itself; what a module evaluates itself
is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gxo.compiler.frozen import replace
from gxo.compiler.ir.kernels import FILTER, MAP, map_parts
from gxo.compiler.ir.names import is_keyword
from gxo.compiler.ir.nodes import (
    Argument,
    Computed,
    Copy,
    Fields,
    ForEach,
    Items,
    Value,
    Workload,
)
from gxo.compiler.ir.walk import with_arguments
from gxo.compiler.template.ast import Expr, Template
from gxo.compiler.template.evaluation import Visit, visited
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.to_python import Want, needs_function


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: in what, and what it is called there, if it has a name of its own."""

    workload: Workload
    name: str
    value: Computed

    @property
    def whole(self) -> Expr | None:
        """The expression that the value is, if it is one."""
        template = self.value.template
        return single_action(template) if isinstance(template, Template) else template


VisitAt = Callable[[Place], Visit]
"""What becomes of the expressions of the value at a place."""


def visited_call(
    workload: Workload, arguments: tuple[Argument, ...], visit: VisitAt
) -> tuple[Argument, ...]:
    """The arguments with what `visit` makes of them, in the order in which the call of the
    workload's module evaluates them: those that no keyword can pass come last."""
    walk = _Walk(workload, visit)
    module = workload.module
    named = [
        module is None or module.param(one.name) is not None or is_keyword(one.name)
        for one in arguments
    ]
    order = sorted(range(len(arguments)), key=lambda place: not named[place])
    changed = {place: walk.value(arguments[place].value, arguments[place].name) for place in order}
    return tuple(replace(one, value=changed[place]) for place, one in enumerate(arguments))


def visited_stage(workload: Workload, visit: VisitAt) -> Workload:
    """The filter or map, which is code of a loop, with what `visit` makes of what it evaluates for
    each record."""
    module = workload.module
    walk = _Walk(workload, visit, holds=module is not None and module.name == FILTER)
    return with_arguments(workload, lambda argument: walk.for_each(argument.value, ""))


def visited_helper(workload: Workload, value: Computed, visit: VisitAt) -> Computed:
    """The template, which becomes a function of its own, with what `visit` makes of what that
    evaluates."""
    return replace(value, template=visited(value.template, visit(Place(workload, "", value))))


def is_helper(value: Computed) -> bool:
    """Whether the template becomes a function of its own."""
    return needs_function(value.template, Want(value.want, value.type))


def is_code(member: Workload) -> bool:
    """Whether the member of a loop is a stage: else it takes whole batches."""
    module = member.module
    return module is not None and module.kernel is not None and module.kernel.is_code


def changed_fields(stage: Workload) -> frozenset[str] | None:
    """The fields of a record that are others behind the stage; None where all may be."""
    parts = map_parts(stage) if stage.module and stage.module.name == MAP else None
    if parts is None:
        return frozenset()
    return frozenset((*dict(parts.fields), *parts.drop)) if parts.keep else None


@dataclass(frozen=True, slots=True)
class _Walk:
    """holds: what follows the value is evaluated only where the value, a condition, holds."""

    workload: Workload
    visit: VisitAt
    holds: bool = False

    def for_each(self, value: Value, name: str) -> Value:
        match value:
            case ForEach(inner):
                return replace(value, value=self.value(inner, name))
            case Fields(entries):
                pairs = tuple((key, self.for_each(one, key)) for key, one in entries)
                return replace(value, entries=pairs)
        return value

    def value(self, value: Value, name: str) -> Value:
        match value:
            case Computed():
                return self._computed(value, name)
            case Copy(inner):
                return replace(value, value=self._computed(inner, ""))
            case Items(values):
                return replace(value, values=tuple(self.value(one, "") for one in values))
            case Fields(entries):
                pairs = tuple((key, self.value(one, key)) for key, one in entries)
                return replace(value, entries=pairs)
        return value

    def _computed(self, value: Computed, name: str) -> Computed:
        if is_helper(value):
            return value
        visit = self.visit(Place(self.workload, name, value))
        return replace(value, template=visited(value.template, visit, holds=self.holds))
