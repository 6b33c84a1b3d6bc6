"""Which values become what a parameter takes, as far as their types tell (language, section 3).

a text for a text, an int for a number     some of them at least
a list for an int                          none
"""

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
    type_of_value,
)

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
            return isinstance(known, ListOf) and holds(known.item, item)
        case MapOf(value):
            return isinstance(known, MapOf) or (
                isinstance(known, Shape) and all(holds(type_, value) for _, type_ in known.fields)
            )
        case Shape():
            return isinstance(known, MapOf) or (isinstance(known, Shape) and _fits(known, to))
        case Special("Condition"):
            return True
        case Special() if to not in _FROM:
            return known in _FROM[TEXT]
    return known in _FROM[to]


def holds(known: Type, wanted: Type) -> bool:
    """Whether an element can be what is wanted; what is in a list or map is not converted."""
    if isinstance(known, OneOf):
        return any(holds(option, wanted) for option in known.options)
    if isinstance(wanted, OneOf):
        return any(holds(known, option) for option in wanted.options)
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
        if found is not None and not holds(found, type_):
            return False
    return True
