"""What the compiler knows of the record modules whose code it writes into a fused loop.

    data:filter   condition: "{{ .status }} == 'on'"    the condition
    data:map      fields: {...}, keep: true             the fields, and that others stay

A module's declaration says whether it can be a part of a loop. Of these two the parameters decide
what the code looks like, so they must be known when compiling.
"""

from dataclasses import dataclass

from gxo.compiler.ir.nodes import Computed, Constant, Fields, ForEach, Items, Value, Workload
from gxo.compiler.ir.walk import computed
from gxo.compiler.template import ast
from gxo.compiler.template.walk import expressions

AGGREGATE, FILTER, FLATTEN, MAP = "data:aggregate", "data:filter", "data:flatten", "data:map"
JOIN, LIMIT = "data:join", "data:limit"


@dataclass(frozen=True, slots=True)
class MapParts:
    """What `data:map` makes of a record.

    template: the whole new record. fields: else, its fields; keep: the others stay, but for drop.
    """

    template: Value | None
    fields: tuple[tuple[str, Value], ...]
    keep: bool
    drop: tuple[str, ...]


def filter_condition(workload: Workload) -> Computed | None:
    """The condition of a `data:filter`; None when it does not look at records."""
    match _argument(workload, "condition"):
        case ForEach(Computed() as condition):
            return condition
    return None


def has_clock(workload: Workload) -> bool:
    """Whether a `data:aggregate` has windows that end when their time is over."""
    return bool(_argument(workload, "window")) and not _argument(workload, "time_field")


def map_parts(workload: Workload) -> MapParts | None:
    """The parts of a `data:map`; None when they are not known, or contradict each other."""
    keep = _argument(workload, "keep") or Constant(False, workload.span)
    if not isinstance(keep, Constant):
        return None
    words = ("template", "fields", "drop")
    match [_argument(workload, word) for word in words]:
        case [ForEach(template), None, None] if not keep.value:
            return MapParts(template, (), False, ())
        case [None, Fields(entries), None] if _all_each(entries):
            return MapParts(None, _each(entries), bool(keep.value), ())
        case [None, None, Items(values)] if _all_texts(values):
            return MapParts(None, (), True, _texts(values))
        case [None, Fields(entries), Items(values)] if _all_each(entries) and _all_texts(values):
            return MapParts(None, _each(entries), True, _texts(values))
    return None


def holds_record(parts: MapParts) -> bool:
    """Whether a field's value may be the whole record, or hold it: `{{ . }}`, `{{ list . }}`."""
    return any(
        isinstance(part, ast.Root) and part.kind == "record"
        for _, value in parts.fields
        for template in computed(value)
        for part in expressions(template.template)
    )


Entries = tuple[tuple[str, Value], ...]


def _all_each(entries: Entries) -> bool:
    return all(isinstance(value, ForEach) for _, value in entries)


def _each(entries: Entries) -> Entries:
    """The values for each record."""
    return tuple((name, value.value) for name, value in entries if isinstance(value, ForEach))


def _all_texts(values: tuple[Value, ...]) -> bool:
    return all(isinstance(one, Constant) and isinstance(one.value, str) for one in values)


def _texts(values: tuple[Value, ...]) -> tuple[str, ...]:
    return tuple(str(one.value) for one in values if isinstance(one, Constant))


def _argument(workload: Workload, name: str) -> Value | None:
    """A parameter's value; None when it is not given, or null."""
    for argument in workload.arguments:
        given = argument.value
        if argument.name == name and not (isinstance(given, Constant) and given.value is None):
            return given
    return None
