"""The types of values in a playbook: what modules declare and what expressions yield.

text int float bool nil any     Scalar types, and the honest "unknown"
ListOf(item), MapOf(value)      homogeneous containers
Shape(fields, optional, open)   a map with known fields: a TypedDict, a summary
OneOf(options)                  a union
Choice(values)                  one of a few literal texts or numbers
Special(name)                   a text with rules of its own: Duration, Size, WorkspacePath, FileMode...
PerRecord(item)                 evaluated for each record of the stream (`Each[T]`)
OnDot(dot, item)                evaluated by the module with its own value as dot (`On[R, T]`)
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Scalar:
    name: Literal["text", "int", "float", "bool", "nil", "any"]


@dataclass(frozen=True, slots=True)
class ListOf:
    item: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    value: "Type"


@dataclass(frozen=True, slots=True)
class Shape:
    """`fields` keeps the declared order; names in `optional` may be absent, in `secret` are redacted."""

    name: str
    fields: "tuple[tuple[str, Type], ...]"
    optional: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()

    def field(self, name: str) -> "Type | None":
        return dict(self.fields).get(name)


@dataclass(frozen=True, slots=True)
class OneOf:
    options: "tuple[Type, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class Special:
    """`Duration` (seconds), `Size` (bytes), `WorkspacePath`, `FileMode`, `Secret`, `StreamName`, `Condition`."""

    name: Literal[
        "Duration", "Size", "WorkspacePath", "FileMode", "Secret", "StreamName", "Condition"
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
