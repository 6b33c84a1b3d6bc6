"""The uses that a type declares, and the parts of a value that they are for.

exec's command: Command                 command, of the whole
args: list[Argument]                    argument, of each element
"""

from collections.abc import Iterator

from gxo.compiler.types import (
    ListOf,
    MapOf,
    OneOf,
    PerRecord,
    Scalar,
    Shape,
    Special,
    Type,
    Use,
)

Steps = tuple[str | None, ...]
"""The way to a part of a value: fields by name, None for any element."""


def uses(type_: Type) -> Iterator[tuple[Use, Steps]]:
    """The uses that a type declares, each with the way to the part of the value it is for."""
    match type_:
        case Scalar(use=use) if use is not None:
            yield use, ()
        case Special("WorkspacePath"):
            yield "file", ()
        case PerRecord(item):
            yield from uses(item)
        case ListOf(item) | MapOf(item):
            yield from ((use, (None, *steps)) for use, steps in uses(item))
        case Shape(fields=fields):
            for name, item in fields:
                yield from ((use, (name, *steps)) for use, steps in uses(item))
        case OneOf(options):
            for option in options:
                yield from uses(option)


def has_use(type_: Type, use: Use) -> bool:
    """Whether a text in a value of the type is for this use."""
    return any(one == use for one, _ in uses(type_))
