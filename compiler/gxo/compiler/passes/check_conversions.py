"""Report values that can never become what their parameter takes.

before:  retry_attempts: "{{ .hosts }}"     a list, where an int is wanted
after:   error: parameter 'retry_attempts' of http:request must be an int, not a list

What only the run can know (a text that may be an int's own) is converted, or is an error, there
(language, section 3, "Native values").
"""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Computed, Copy, Fields, ForEach, Items, Plan, Value, Workload
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.ir.walk import every_call
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Shape,
    Special,
    Type,
    describe,
    type_of_value,
)

WRONG_TYPE = "GXO0504"

_FROM: dict[Type, frozenset[Type]] = {
    TEXT: frozenset((TEXT, INT, FLOAT, BOOL)),
    INT: frozenset((INT, FLOAT, TEXT)),
    FLOAT: frozenset((INT, FLOAT)),
    BOOL: frozenset((BOOL, TEXT)),
    NIL: frozenset((NIL,)),
    Special("Duration"): frozenset((TEXT,)),
    Special("Size"): frozenset((INT, TEXT)),
}
"""The scalar types that a value of each type can be made from."""


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_call(plan):
        for where, value in _computed(workload):
            known = value_type(value)
            if not convertible(known, value.type):
                message = f"{where} must be {describe(value.type)}, not {describe(known)}"
                diagnostics.error(WRONG_TYPE, value.span, message)
    return plan


def _computed(workload: Workload) -> Iterator[tuple[str, Computed]]:
    """Every template that becomes a value of a declared type, and what a message calls it."""
    if workload.loop:
        yield from _named("`loop`", workload.loop.items)
    module = workload.module.name if workload.module else ""
    for argument in workload.arguments:
        yield from _named(f"parameter '{argument.name}' of {module}", argument.value)


def _named(where: str, value: Value) -> Iterator[tuple[str, Computed]]:
    match value:
        case Computed(want="text" | "native"):
            yield where, value
        case Copy(inner) | ForEach(inner):
            yield from _named(where, inner)
        case Items(values):
            for index, item in enumerate(values):
                yield from _named(f"{where}[{index}]", item)
        case Fields(entries):
            for name, item in entries:
                yield from _named(f"{where}.{name}", item)


def convertible(known: Type, to: Type) -> bool:
    """Whether some value of the known type becomes a `to`."""
    if ANY in (known, to):
        return True
    if isinstance(known, OneOf):
        return any(convertible(option, to) for option in known.options)
    match to:
        case OneOf(options):
            return any(convertible(known, option) for option in options)
        case PerRecord(item) | OnDot(_, item):
            return convertible(known, item)
        case Choice(values):
            return known in {type_of_value(value) for value in values}
        case ListOf(item):
            return isinstance(known, ListOf) and _holds(known.item, item)
        case MapOf(value):
            return isinstance(known, MapOf) or (
                isinstance(known, Shape) and all(_holds(type_, value) for _, type_ in known.fields)
            )
        case Shape():
            return isinstance(known, MapOf) or (isinstance(known, Shape) and _fits(known, to))
        case Special("Condition"):
            return True
        case Special() if to not in _FROM:
            return known in _FROM[TEXT]
    return known in _FROM[to]


def _holds(known: Type, wanted: Type) -> bool:
    """Whether an element can be what is wanted; what is in a list or map is not converted."""
    if isinstance(known, OneOf):
        return any(_holds(option, wanted) for option in known.options)
    if isinstance(wanted, OneOf):
        return any(_holds(known, option) for option in wanted.options)
    scalar = {TEXT, INT, FLOAT, BOOL}
    if known in scalar and wanted in scalar:
        return known == wanted or (known, wanted) == (INT, FLOAT)
    return convertible(known, wanted)


def _fits(known: Shape, wanted: Shape) -> bool:
    """Whether a map of the known shape has the keys that are wanted, and no others."""
    if not known.open and any(wanted.field(name) is None for name in known.names()):
        return False
    for name, type_ in wanted.fields:
        found = known.field(name)
        if found is None and name not in wanted.optional:
            return False
        if found is not None and not _holds(found, type_):
            return False
    return True
