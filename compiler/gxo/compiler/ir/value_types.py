"""The static types of a plan's values: what a parameter, a loop or a register evaluates to.

Fields(host: text, port: 8080)                  a map with host, port
Computed(native, {{ .users.rows }})             what the reference's own type is
the register of a workload with a `loop`        a list of its module's summary
"""

from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import (
    Argument,
    Computed,
    Constant,
    Copy,
    Fields,
    ForEach,
    Items,
    Value,
    Workload,
)
from gxo.compiler.ir.walk import computed
from gxo.compiler.template.ast import Template
from gxo.compiler.template.check import type_of
from gxo.compiler.template.infer import Known, element
from gxo.compiler.template.parse import single_action
from gxo.compiler.types import (
    ANY,
    BOOL,
    NIL,
    TEXT,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Shape,
    Type,
    one_of,
    type_of_value,
)


def value_type(value: Value) -> Type:
    """The type of what the value evaluates to, as far as it is known."""
    match value:
        case Constant(constant):
            return NIL if constant is None else type_of_value(constant)
        case Computed(template, "native"):
            action = single_action(template) if isinstance(template, Template) else template
            return ANY if action is None else type_of(action)
        case Computed(_, want):
            return TEXT if want == "text" else BOOL
        case Copy(inner) | ForEach(inner):
            return value_type(inner)
        case Items(values):
            return ListOf(one_of(value_type(item) for item in values))
        case Fields(()):
            return MapOf(ANY)
        case Fields(entries):
            return Shape("map", tuple((name, value_type(item)) for name, item in entries))


def var_type(value: Value) -> Type:
    """The type of a var, which a caller can give: in place of a template a text, of nil anything.

    In place of other values come only those that are like them (`gxo.runtime.kernel.inputs`).
    """
    type_ = _alike(value_type(value))
    return one_of((type_, TEXT)) if any(computed(value)) else type_


def _alike(type_: Type) -> Type:
    """The type of the values that can stand in place of one of this type."""
    match type_:
        case Scalar("nil"):
            return ANY
        case ListOf(item):
            return ListOf(_alike(item))
        case Shape(fields=fields):
            return replace(type_, fields=tuple((name, _alike(item)) for name, item in fields))
        case OneOf(options):
            return one_of(map(_alike, options))
    return type_


def item_type(items: Value) -> Type:
    """The type of the variable of a loop over the value (language, section 6)."""
    match value_type(items):
        case ListOf(item):
            return item
        case MapOf() | Shape() as map_:
            return Shape("item", (("key", TEXT), ("value", element(Known(map_)).type)))
    return ANY


def register_type(workload: Workload) -> Type:
    """What a workload registers: its module's summary, or a list of them for a loop."""
    module = workload.module
    summary: Type = module.summary if module else ANY
    if module and module.returns_values:
        given = tuple(map(_given, workload.arguments))
        if any(name == "dry_run" for name, _ in given):
            optional: frozenset[str] = frozenset()
        else:
            given, optional = (*given, ("dry_run", BOOL)), frozenset({"dry_run"})
        known = workload.is_understood and workload.decl.params is not None
        summary = Shape(module.summary_name, given, optional) if known else ANY
    return ListOf(summary) if workload.loop or workload.decl.loop else summary


def _given(argument: Argument) -> tuple[str, Type]:
    return argument.name, value_type(argument.value)
