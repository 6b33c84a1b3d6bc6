"""Sprig's `default`, `coalesce`, `ternary` and their like. Empty is what is not true."""

from typing import Any

from gxo.runtime.functions import function


@function("default")
def default(fallback: Any, *given: Any) -> Any:
    """Return the given value, or the fallback when it is empty: nil, false, 0, "", [], {}."""
    return given[0] if given and given[0] else fallback


@function("empty")
def empty(value: Any) -> bool:
    """Return whether the value is empty: nil, false, 0, "", [], {}."""
    return not value


@function("coalesce")
def coalesce(*values: Any) -> Any:
    """Return the first value that is not empty, or nil."""
    return next((value for value in values if value), None)


@function("all")
def all_(*values: Any) -> bool:
    """Return whether no value is empty."""
    return all(values)


@function("any")
def any_(*values: Any) -> bool:
    """Return whether some value is not empty."""
    return any(values)


@function("ternary")
def ternary(if_true: Any, if_false: Any, condition: bool) -> Any:
    """Return the first value when the condition is true, else the second."""
    return if_true if condition else if_false
