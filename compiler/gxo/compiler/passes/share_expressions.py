"""Compute once what one call, the stages of one loop, or a template ask for several times.

    before:  big: {condition: .price * .quantity > 5}
             note: {fields: {total: .price * .quantity}}
    after:   big: {condition: (price_times_quantity := .price * .quantity) > 5}
             note: {fields: {total: price_times_quantity}}

The value is kept where it is computed first, so that what fails, fails there, as it would without
this pass; and that is a place that is evaluated in any case before the others. Only what comes to
the same each time, and what nobody can change, is shared. A comparison is not: it is as quick as
the name that it would have. Stages of a loop share what reads the record, inputs and vars, until
one of them changes what that reads; what reads a secret taints its workload, and is read by each.
A template that becomes a function of its own shares what is outside of its blocks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frozen import replace
from gxo.compiler.ir.evaluation import (
    Place,
    VisitAt,
    changed_fields,
    is_code,
    is_helper,
    visited_call,
    visited_helper,
    visited_stage,
)
from gxo.compiler.ir.names import shared_names
from gxo.compiler.ir.nodes import Argument, Computed, Plan, Workload
from gxo.compiler.ir.walk import computed, every_workload, map_workloads, rebuild
from gxo.compiler.template import ast, functions
from gxo.compiler.template.evaluation import Visit
from gxo.compiler.template.infer import infer
from gxo.compiler.template.pprint import expression as printed
from gxo.compiler.template.py_names import value_name
from gxo.compiler.template.to_python import is_deep
from gxo.compiler.template.typed import mutates
from gxo.compiler.template.walk import expressions
from gxo.compiler.types import BOOL, FLOAT, INT, TEXT

_ARITHMETIC = frozenset("+-*/%")

T = TypeVar("T")


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    by_name = {workload.name: workload for workload in every_workload(plan)}
    stages: dict[Span, Workload] = {}
    for loop in plan.fused:
        members = [by_name[name] for name in loop.members]
        stages |= {one.span: one for one in _share_stages(members, diagnostics)}

    def shared(workload: Workload) -> Workload:
        changed = _share_calls(stages.get(workload.span, workload), diagnostics)
        return _share_helpers(changed, diagnostics)

    return map_workloads(plan, shared)


def _share_stages(members: list[Workload], diagnostics: Diagnostics) -> tuple[Workload, ...]:
    """The filters and maps of a loop."""
    code = [workload for workload in members if is_code(workload)]

    def visited(visit: VisitAt) -> tuple[Workload, ...]:
        return tuple(visited_stage(workload, visit) for workload in code)

    return _Function(diagnostics, shared_names()).shared(visited, _Versions(members).of)


def _share_calls(workload: Workload, diagnostics: Diagnostics) -> Workload:
    if workload.is_dead:
        return workload
    function = _Function(diagnostics, shared_names(workload.loop))

    def shared(call: tuple[Argument, ...]) -> tuple[Argument, ...]:
        if not _may_repeat(value for one in call for value in computed(one.value)):
            return call
        return function.shared(lambda visit: visited_call(workload, call, visit), _same)

    if workload.calls:
        return replace(workload, calls=tuple(map(shared, workload.calls)))
    return replace(workload, arguments=shared(workload.arguments))


def _share_helpers(workload: Workload, diagnostics: Diagnostics) -> Workload:
    """The templates that become functions of their own."""
    if workload.is_dead:
        return workload

    def shared(value: Computed) -> Computed:
        if not _may_repeat((value,)) or not is_helper(value):
            return value
        if obstacle := _helper_obstacle(value):
            diagnostics.explain("share_expressions", value.span, f"not shared: {obstacle}")
            return value
        function = _Function(diagnostics, shared_names())
        return function.shared(lambda visit: visited_helper(workload, value, visit), _same)

    def in_call(call: tuple[Argument, ...]) -> tuple[Argument, ...]:
        return tuple(replace(one, value=rebuild(one.value, shared)) for one in call)

    if workload.calls:
        workload = replace(workload, calls=tuple(map(in_call, workload.calls)))
    when, loop = workload.when, workload.loop
    return replace(
        workload,
        arguments=workload.arguments if workload.calls else in_call(workload.arguments),
        when=shared(when) if isinstance(when, Computed) else when,
        loop=replace(loop, items=rebuild(loop.items, shared)) if loop else None,
    )


def _helper_obstacle(value: Computed) -> str:
    """Why nothing can be kept in the function that the template becomes; empty where it can."""
    if mutates(value.template):
        return "the template changes what it reads"
    return "it nests so deeply that it is several functions" if is_deep(value.template) else ""


def _may_repeat(values: Iterable[Computed]) -> bool:
    """Whether two expressions do the same with something: in most calls none do."""
    done = [
        part.function if isinstance(part, ast.Call) else part.operator
        for value in values
        for part in expressions(value.template)
        if isinstance(part, ast.Call | ast.Binary)
    ]
    return len(set(done)) < len(done)


# What an expression reads ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Version:
    """Of what an expression reads; why: what makes it another than those before."""

    number: int
    why: str = ""


def _same(place: Place, expression: ast.Expr) -> _Version:
    """Nothing changes while the arguments of one call are evaluated."""
    del place, expression
    return _Version(0)


class _Versions:
    """What a record is at each member of a loop, one after the other."""

    def __init__(self, members: list[Workload]) -> None:
        self._places = {workload.name: place for place, workload in enumerate(members)}
        self._members = members

    def of(self, place: Place, expression: ast.Expr) -> _Version:
        at = self._places[place.workload.name]
        roots = [part for part in expressions(expression) if isinstance(part, ast.Root)]
        if not all(map(_is_in_reach, roots)):
            return _Version(at, "it reads more than the record, inputs and vars")
        outside = [root for root in roots if root.outer or root.kind not in ("record", "field")]
        if place.workload.secrets and outside:
            return _Version(at, f"'{place.workload.name}' reads secrets")
        read = {"" if root.kind == "record" else root.name for root in roots}
        for before in range(at - 1, -1, -1):
            if why := _why_another(self._members[before], read):
                return _Version(before, why)
        return _Version(-1)


def _why_another(member: Workload, read: set[str]) -> str:
    """Why what is read of a record is something else behind a member; empty where it is not."""
    if not is_code(member):
        return f"'{member.name}', before it, takes whole batches"
    changed = changed_fields(member)
    if changed is None or "" in read or changed & read:
        return f"'{member.name}' changes what it reads"
    return ""


def _is_in_reach(root: ast.Root) -> bool:
    """Whether each stage would read the same."""
    if root.kind == "field":
        return root.outer is None or _is_in_reach(root.outer)
    return root.kind in ("record", "input", "var")


# What is shared ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """An expression at a place: its number in the order of evaluation, outer ones first, and that
    of the first one behind it and its parts. name: that of the value which it is as a whole."""

    expression: ast.Expr
    number: int
    certain: bool
    name: str
    end: int = 0

    @property
    def inside(self) -> range:
        return range(self.number + 1, self.end)


@dataclass(frozen=True, slots=True)
class _Decision:
    name: str
    first: bool
    end: int


VersionOf = Callable[[Place, ast.Expr], _Version]


@dataclass(slots=True)
class _Survey:
    """Every expression that could be shared, by its text and by the version of what it reads."""

    version: VersionOf
    count: int = 0
    groups: dict[str, dict[_Version, list[_Found]]] = field(default_factory=dict)

    def at(self, place: Place) -> Visit:
        def look(part: ast.Expr, certain: bool, inside: Callable[[], ast.Expr]) -> ast.Expr:
            number = self.count
            self.count += 1
            if not _is_candidate(part):
                return inside()
            found = _Found(part, number, certain, _name_of(place, part))
            versions = self.groups.setdefault(printed(part), {})
            versions.setdefault(self.version(place, part), []).append(found)
            inside()
            found.end = self.count
            return part

        return look


@dataclass(slots=True)
class _Function:
    """What one generated function keeps. called: the names of that, by its text."""

    diagnostics: Diagnostics
    fresh: Callable[[str], str]
    called: dict[str, str] = field(default_factory=dict)

    def shared(self, visited: Callable[[VisitAt], T], version: VersionOf) -> T:
        """What `visited` makes of the values that it goes through, with what they share."""
        survey = _Survey(version)
        unchanged = visited(survey.at)
        decisions = self._decide(survey)
        return visited(_Rewriting(decisions).at) if decisions else unchanged

    def _decide(self, survey: _Survey) -> dict[int, _Decision]:
        """What becomes of the expressions of these numbers; large ones are looked at first."""
        decisions: dict[int, _Decision] = {}
        settled: set[int] = set()  # what is in an expression that is read, or that was explained
        for text in sorted(survey.groups, key=len, reverse=True):
            told = False
            versions = survey.groups[text]
            for found in versions.values():
                left = [one for one in found if one.number not in settled]
                if len(left) > 1:
                    decisions |= self._decided(text, left, settled)
                    told = True
            later = [(version.why, found[0]) for version, found in versions.items()][1:]
            if later and not told and later[0][1].number not in settled:
                self._explain(later[0][1], f"not shared: {later[0][0]}")
                settled.update(number for _, one in later for number in one.inside)
        return decisions

    def _decided(self, text: str, found: list[_Found], settled: set[int]) -> dict[int, _Decision]:
        """What becomes of expressions that are one; empty where they are not shared."""
        obstacle = _obstacle(found[0].expression)
        certain = next((place for place, one in enumerate(found) if one.certain), len(found))
        first, *readers = found[certain:] or found[:1]
        if not obstacle and not readers:
            obstacle = "no place is evaluated in any case before another"
        if obstacle:
            self._explain(found[0], f"not shared: {obstacle}")
            if _is_impure(found[0].expression):
                settled.update(number for one in found for number in one.inside)
            return {}
        name = self._name(text, first)
        self._explain(first, f"computed once, as '{name}', for {1 + len(readers)} places")
        settled.update(number for one in readers for number in one.inside)
        return {one.number: _Decision(name, one is first, one.end) for one in (first, *readers)}

    def _name(self, text: str, first: _Found) -> str:
        if text not in self.called:
            wanted = first.name or value_name(first.expression) or "result"
            self.called[text] = self.fresh(wanted)
        return self.called[text]

    def _explain(self, found: _Found, words: str) -> None:
        span = found.expression.span
        assert span is not None
        self.diagnostics.explain("share_expressions", span, words)


@dataclass(slots=True)
class _Rewriting:
    """Goes the way of the survey once more, and does what was decided."""

    decisions: dict[int, _Decision]
    count: int = 0

    def at(self, place: Place) -> Visit:
        del place

        def change(part: ast.Expr, certain: bool, inside: Callable[[], ast.Expr]) -> ast.Expr:
            del certain
            decision = self.decisions.get(self.count)
            self.count += 1
            if decision is None:
                return inside()
            if decision.first:
                return ast.Shared(decision.name, inside(), True, part.span)
            self.count = decision.end
            return ast.Shared(decision.name, part, False, part.span)

        return change


def _name_of(place: Place, part: ast.Expr) -> str:
    """The name of the value at the place where the expression is that value, as it is."""
    is_value = place.whole is part
    as_it_is = place.value.want == "native" or infer(part).type == TEXT
    return place.name if is_value and as_it_is else ""


# What can be shared ------------------------------------------------------------------------------


def _is_candidate(part: ast.Expr) -> bool:
    return isinstance(part, ast.Call) or (
        isinstance(part, ast.Binary) and part.operator in _ARITHMETIC
    )


def _obstacle(expression: ast.Expr) -> str:
    """Why the expression must be evaluated at each place; empty when it need not."""
    for part in expressions(expression):
        if isinstance(part, ast.Call) and not _is_the_same_each_time(part):
            return f"'{part.function}' is evaluated each time"
        if isinstance(part, ast.Variable | ast.Dot | ast.Method):
            return "it reads what a template calls its own"
    fixed = infer(expression).type in (TEXT, INT, FLOAT, BOOL)
    if not fixed and not (isinstance(expression, ast.Binary) and expression.operator != "+"):
        return "its value could be changed"
    return ""


def _is_impure(expression: ast.Expr) -> bool:
    return any(
        isinstance(part, ast.Call) and not _is_the_same_each_time(part)
        for part in expressions(expression)
    )


def _is_the_same_each_time(call: ast.Call) -> bool:
    called = functions.find(call.function)
    return called is not None and called.pure and not (called.mutates or called.secret)
