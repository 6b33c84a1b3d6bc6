"""The check that every summary goes through notices what it must."""

import pytest

from gxo.compiler.modules.conforms import mismatches
from gxo.compiler.types import ANY, BOOL, INT, NIL, TEXT, Choice, ListOf, MapOf, OneOf, Shape, Type

SHAPE = Shape("S", (("a", INT), ("b", ListOf(TEXT))), optional=frozenset({"b"}))

FITTING: list[tuple[object, Type]] = [
    ("x", TEXT),
    (1, INT),
    (True, BOOL),
    (None, NIL),
    (object(), ANY),
    ([], ListOf(INT)),
    ({"x": 1}, MapOf(INT)),
    ({"a": 1}, SHAPE),
    ({"a": 1, "b": ["x"]}, SHAPE),
    (None, OneOf((TEXT, NIL))),
    ("x", Choice(("x", "y"))),
]
OTHERS: list[tuple[object, Type]] = [
    (1, TEXT),
    (True, INT),
    (1, BOOL),
    ("", NIL),
    ([1, "x"], ListOf(INT)),
    ((1,), ListOf(INT)),
    ({"x": "y"}, MapOf(INT)),
    ({}, SHAPE),
    ({"a": 1, "c": 1}, SHAPE),
    ({"a": 1, "b": [1]}, SHAPE),
    (1, OneOf((TEXT, NIL))),
    ("z", Choice(("x", "y"))),
]


@pytest.mark.parametrize(("value", "kind"), FITTING)
def test_a_value_of_its_type(value: object, kind: Type) -> None:
    assert list(mismatches(value, kind)) == []


@pytest.mark.parametrize(("value", "kind"), OTHERS)
def test_a_value_of_another_type(value: object, kind: Type) -> None:
    assert list(mismatches(value, kind)) != []
