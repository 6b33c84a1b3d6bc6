"""Sprig's questions about types, answered with Go's names, and `deepEqual`."""

from typing import Any

from gxo.runtime.functions import function
from gxo.runtime.golang.kinds import go_kind, go_type


@function("typeOf")
def type_of(value: Any) -> str:
    """Return Go's type: `string`, `int`, `float64`, `bool`, `[]interface {}`..."""
    return go_type(value)


@function("typeIs")
def type_is(name: str, value: Any) -> bool:
    """Return whether the value is of Go's type of that name."""
    return go_type(value) == name


@function("typeIsLike")
def type_is_like(name: str, value: Any) -> bool:
    """Return whether the value is of Go's type of that name, or points to one."""
    return go_type(value) in (name, f"*{name}")


@function("kindOf")
def kind_of(value: Any) -> str:
    """Return Go's kind: `string`, `int`, `float64`, `bool`, `slice`, `map`, `invalid` for nil."""
    return go_kind(value)


@function("kindIs")
def kind_is(name: str, value: Any) -> bool:
    """Return whether the value is of Go's kind of that name."""
    return go_kind(value) == name


@function("deepEqual")
def deep_equal(first: Any, second: Any) -> bool:
    """Return whether two values have the same types and contents, at any depth: 1 is not 1.0."""
    return identical(first, second)


def identical(first: object, second: object) -> bool:
    """Return Go's `reflect.DeepEqual`."""
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(identical, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(
            identical(value, second[key]) for key, value in first.items()
        )
    return go_type(first) == go_type(second) and first == second
