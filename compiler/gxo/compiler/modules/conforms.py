"""Whether a value is what its declaration says: a default, and in tests every real summary."""

from collections.abc import Iterator

from gxo.compiler.types import (
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Scalar,
    Shape,
    Special,
    Type,
)

_SCALARS: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "nil": type(None),
}
_SPECIALS: dict[str, type | tuple[type, ...]] = {
    "Duration": (int, float),
    "Size": int,
    "Condition": bool,
}


def mismatches(value: object, kind: Type, where: str = "summary") -> Iterator[str]:
    """One sentence for each place where the value is not of the type."""
    match kind:
        case Scalar("any"):
            return
        case Scalar(name):
            yield from _instance(value, _SCALARS[name], name, where)
        case Special(name):
            yield from _instance(value, _SPECIALS.get(name, str), name, where)
        case Choice(values):
            if value not in values:
                yield f"{where}: {value!r} is none of {values}"
        case ListOf(item):
            if not isinstance(value, list):
                yield f"{where}: {value!r} is no list"
                return
            for index, element in enumerate(value):
                yield from mismatches(element, item, f"{where}.{index}")
        case MapOf(item):
            if not isinstance(value, dict):
                yield f"{where}: {value!r} is no map"
                return
            for key, element in value.items():
                yield from mismatches(element, item, f"{where}.{key}")
        case Shape():
            yield from _shape(value, kind, where)
        case OneOf(options):
            if all(any(mismatches(value, option)) for option in options):
                yield f"{where}: {value!r} is none of {options}"
        case PerRecord() | OnDot():
            yield f"{where}: a summary holds no functions"


def _instance(value: object, kind: type | tuple[type, ...], name: str, where: str) -> Iterator[str]:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f"{where}: {value!r} is no {name}"


def _shape(value: object, shape: Shape, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r} is no map"
        return
    fields = dict(shape.fields)
    for name in value.keys() - fields.keys():
        yield f"{where}: the field {name} is not declared"
    for name in fields.keys() - value.keys() - shape.optional:
        yield f"{where}: the field {name} is missing"
    for name in fields.keys() & value.keys():
        yield from mismatches(value[name], fields[name], f"{where}.{name}")
