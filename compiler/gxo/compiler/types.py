"""The types of values in a playbook: what modules declare and what expressions yield.

text int float bool nil any     Scalar types, and the honest "unknown"
ListOf(item), MapOf(value)      homogeneous containers
Shape(fields, optional, open)   a map with known fields: a TypedDict, a summary
OneOf(options)                  a union
Choice(values)                  one of a few literal texts or numbers
Special(name)                   a text with rules of its own: Duration, Size, FileMode...
PerRecord(item)                 evaluated for each record of the stream (`Each[T]`)
OnDot(dot, item)                evaluated by the module with its own value as dot (`On[R, T]`)
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Use = Literal["command", "argument", "shell", "sql", "url", "query", "file", "message", "label"]
"""Where the value of a parameter goes, when that matters for secrets and values from outside."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """`use` says what becomes of the value, not which values there are: types compare without."""

    name: Literal["text", "int", "float", "bool", "nil", "any"]
    use: Use | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    item: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    value: "Type"


@dataclass(frozen=True, slots=True)
class Shape:
    """`fields` keeps the declared order; `optional` may be absent, `secret` are redacted.

    open: there may be other fields, of which nothing is known.
    """

    name: str
    fields: "tuple[tuple[str, Type], ...]"
    optional: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    open: bool = False

    def field(self, name: str) -> "Type | None":
        """The field's type; None when there can be no such field."""
        for known, type_ in self.fields:
            if known == name:
                return type_
        return ANY if self.open else None

    def names(self) -> tuple[str, ...]:
        return tuple([name for name, _ in self.fields])

    def requires(self, name: str) -> bool:
        """Whether every value of this shape has the field."""
        return name not in self.optional and name in self.names()


@dataclass(frozen=True, slots=True)
class OneOf:
    options: "tuple[Type, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class Special:
    """A declared alias of `gxo.runtime.spec`, such as `Duration` (seconds) or `Size` (bytes)."""

    name: Literal[
        "Duration",
        "Size",
        "WorkspacePath",
        "FileMode",
        "Secret",
        "StreamName",
        "FieldName",
        "ColumnName",
        "Condition",
        "Steps",
    ]


@dataclass(frozen=True, slots=True)
class PerRecord:
    item: "Type"


@dataclass(frozen=True, slots=True)
class OnDot:
    dot: "Type"
    item: "Type"


Type = Scalar | ListOf | MapOf | Shape | OneOf | Choice | Special | PerRecord | OnDot

TEXT = Scalar("text")
INT = Scalar("int")
FLOAT = Scalar("float")
BOOL = Scalar("bool")
NIL = Scalar("nil")
ANY = Scalar("any")

UNKNOWN_RECORD = Shape("record", (), open=True)
"""A record of which nothing is known."""


def one_of(types: Iterable[Type]) -> Type:
    """The type of a value that has one of these types: a flat union; any when nothing is known."""
    flat: list[Type] = []
    for type_ in types:
        flat.extend(type_.options if isinstance(type_, OneOf) else (type_,))
    options = tuple(dict.fromkeys(flat))
    if not options or ANY in options:
        return ANY
    return options[0] if len(options) == 1 else OneOf(options)


def without_nil(type_: Type) -> Type:
    """The type of the value when it is there."""
    if not isinstance(type_, OneOf):
        return type_
    return one_of(option for option in type_.options if option != NIL)


def type_of_value(value: str | int | float | bool) -> Type:
    types: dict[type, Type] = {str: TEXT, bool: BOOL, int: INT, float: FLOAT}
    return types[type(value)]


def is_text(type_: Type) -> bool:
    """Whether values of the type are texts: such a parameter always gets the rendered text."""
    values = ("Duration", "Size", "Condition")
    return type_ == TEXT or (isinstance(type_, Special) and type_.name not in values)


def simplified(type_: Type) -> Type:
    """The type of the value itself: a duration is a number of seconds, a path a text."""
    match type_:
        case Special("Duration"):
            return FLOAT
        case Special("Size"):
            return INT
        case Special("Condition"):
            return BOOL
        case Special():
            return TEXT
        case Choice(values):
            return one_of(type_of_value(value) for value in values)
        case PerRecord() | OnDot():
            return ANY
        case OneOf(options):
            return one_of(simplified(option) for option in options)
        case _:
            return type_


def field_type(type_: Type, name: str | int) -> Type | None:
    """The type that a field or an index leads to.

    None when no value of the type has it; any where the way is not declared.
    """
    match type_:
        case Shape() if isinstance(name, str):
            found = type_.field(name)
            return None if found is None else simplified(found)
        case MapOf(value) if isinstance(name, str):
            return simplified(value)
        case ListOf(item) if isinstance(name, int):
            return simplified(item)
        case OneOf(options):
            led = [field_type(option, name) for option in options]
            found_any = [type_ for type_ in led if type_ is not None]
            return one_of(found_any) if found_any else None
        case Scalar("any"):
            return ANY
    return None


_SPECIAL_WORDS = {
    "Duration": "a duration such as 30s",
    "Size": "a size such as 10MiB",
    "WorkspacePath": "a path",
    "FileMode": 'a file mode such as "0644"',
    "Secret": "text",
    "StreamName": "the name of a workload in stream_inputs",
    "FieldName": "the name of a field",
    "ColumnName": "the name of a column",
    "Condition": "a condition",
    "Steps": "a list of steps",
}


def _several(type_: Type) -> str:
    """The type in the plural, as far as that has a short word: "ints", "maps with host"."""
    words: dict[Type, str] = {INT: "ints", FLOAT: "numbers", BOOL: "bools", TEXT: "texts"}
    return words.get(type_) or describe(type_).replace("a map", "maps", 1)


def describe(type_: Type) -> str:
    """The type in a message's words: "text", "a list of int", "text or a map"."""
    match type_:
        case Scalar(name):
            words = {"int": "an int", "float": "a number", "bool": "a bool", "any": "any value"}
            return words.get(name, name)
        case ListOf(item):
            return "a list" if item == ANY else f"a list of {_several(item)}"
        case MapOf(value):
            return "a map" if value == ANY else f"a map of {describe(value)}"
        case Shape(fields=fields):
            return f"a map with {', '.join(name for name, _ in fields)}" if fields else "a map"
        case OneOf(options):
            return " or ".join(describe(option) for option in options if option != NIL)
        case Choice(values):
            return "one of " + ", ".join(str(value) for value in values)
        case Special(name):
            return _SPECIAL_WORDS[name]
        case PerRecord(item) | OnDot(_, item):
            return describe(item)
