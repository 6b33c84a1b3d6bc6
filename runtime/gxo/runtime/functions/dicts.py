"""Sprig's map functions. `set`, `unset` and the merges change the map they are given, as in Go."""

from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import describe, format_value, in_order
from gxo.runtime.functions import function


@function("dict")
def dict_(*pairs: Any) -> dict[str, Any]:
    """Return a map of keys and values in turn; a last key without a value gets ""."""
    values = [*pairs, ""]
    return {format_value(values[at]): values[at + 1] for at in range(0, len(pairs), 2)}


@function("get")
def get(value: dict[str, Any], key: str) -> Any:
    """Return the value of a key, "" when there is none."""
    return value.get(key, "")


@function("set", mutates=True)
def set_(value: dict[str, Any], key: str, element: Any) -> dict[str, Any]:
    """Set a key of the map, and return the map."""
    value[key] = element
    return value


@function("unset", mutates=True)
def unset(value: dict[str, Any], key: str) -> dict[str, Any]:
    """Remove a key from the map, and return the map."""
    value.pop(key, None)
    return value


@function("hasKey")
def has_key(value: dict[str, Any] | None, key: str) -> bool:
    """Return whether the map has the key. A map that is missing or nil has none."""
    if not isinstance(value, dict | None):
        raise ExpressionError(f"hasKey wants a map, not {describe(value)}")
    return value is not None and key in value


@function("pluck")
def pluck(key: str, *maps: dict[str, Any]) -> list[Any]:
    """Return the values of one key in all maps that have it."""
    return [value[key] for value in maps if key in value]


@function("keys")
def keys(*maps: dict[str, Any]) -> list[str]:
    """Return the keys of the maps, each map's sorted."""
    return [key for value in maps for key in in_order(value)]


@function("values")
def values(value: dict[str, Any]) -> list[Any]:
    """Return the values of a map, sorted by key."""
    return [value[key] for key in in_order(value)]


@function("pick")
def pick(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a map with only these keys."""
    return {name: value[name] for name in names if name in value}


@function("omit")
def omit(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a map without these keys."""
    return {key: element for key, element in value.items() if key not in names}


@function("dig")
def dig(*path: Any) -> Any:
    """Return the value that the keys lead to: `dig "a" "b" "fallback" $map`."""
    if len(path) < 3:
        raise ExpressionError("dig wants at least one key, a fallback and a map")
    *names, fallback, value = path
    for name in names:
        if not isinstance(value, dict):
            raise ExpressionError(f"dig wants a map to look for {name}, not {describe(value)}")
        if not isinstance(name, str):
            raise ExpressionError(f"dig wants a text for a key, not {describe(name)}")
        if name not in value:
            return fallback
        value = value[name]
    return value


@function("deepCopy", "mustDeepCopy")
def deep_copy(value: Any) -> Any:
    """Return a copy that shares no list or map with the value, which must not be nil."""
    if value is None:
        raise ExpressionError("deepCopy: there is nothing to copy in nil")
    return _copy(value)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(element) for key, element in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


@function("merge", "mustMerge", mutates=True)
def merge(into: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Fill what is missing or empty in the first map from the others, and return it."""
    for other in others:
        _merge(into, other, overwrite=False)
    return into


@function("mergeOverwrite", "mustMergeOverwrite", mutates=True)
def merge_overwrite(into: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Put what the others have into the first map, the later the stronger, and return it."""
    for other in others:
        _merge(into, other, overwrite=True)
    return into


def _merge(into: dict[str, Any], other: dict[str, Any], overwrite: bool) -> None:
    for key, value in other.items():
        present = into.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            _merge(present, value, overwrite)
        if isinstance(value, dict) and present:
            continue  # a map replaces nothing that is not empty, not even when overwriting
        if overwrite or (not present and value is not None):
            into[key] = value
