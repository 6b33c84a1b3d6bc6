"""What makes two records belong together, for joins and groups.

    join_key     1, 1.0 and "1" are one key (catalogue, `data:join`); null is none
    group_key    1 and 1.0 are one key, "1" is another; null is one of its own, and so is NaN

A bool equals no number here, though it does in Python.
"""

import json
import math
from collections.abc import Callable
from typing import Any

from gxo.runtime.errors import RecordError
from gxo.runtime.expr import describe

Key = str | float | tuple[Any, ...] | None


def join_key(value: Any) -> Key:
    """The key that a field's value joins by; None when it joins nothing.

    Every integral number becomes its own text: the texts that are some integer's own text are then
    equal to it, and all other texts to none.
    """
    kind = value.__class__
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is float:
        return str(int(value)) if value.is_integer() else value
    return _rare_key(value, join_key)


OWN_KEYS: frozenset[type] = frozenset([str, int, type(None)])
"""Types whose values are their own group keys."""

_NAN = ("float", math.nan)


def group_key(value: object) -> Key:
    """The key that a field's value is grouped by; `grouped_value` undoes it."""
    if value.__class__ in OWN_KEYS:
        return value  # type: ignore[return-value]
    if isinstance(value, float):
        return value if value == value else _NAN
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (str, int)):
        return value
    raise _no_key(value)


def grouped_value(key: Key) -> Any:
    """The value, of those with the key the one that came first."""
    return key[1] if isinstance(key, tuple) else key


def distinct_key(value: Any) -> Key:
    """As `group_key`, for any value: lists and maps are equal when their contents are."""
    if isinstance(value, (list, dict)):
        return ("json", content(value))
    return group_key(value)


def content(value: object) -> str:
    """What is the same for lists and maps whose contents are; 1.0 in them is 1."""
    try:
        text = json.dumps(value, sort_keys=True, default=str)
        if ".0" in text or "e+" in text:
            text = json.dumps(json.loads(text, parse_float=_shortest), sort_keys=True)
    except RecursionError:
        return _deep_content(value)
    return text


def _deep_content(value: object) -> str:
    """As `content`, for what is nested deeper than Python's own functions go."""
    written: list[str] = []
    waiting: list[Any] = [value]  # the last one comes next
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Text):
            written.append(item)
        elif isinstance(item, dict):
            waiting.append(_Text("}"))
            for number, key in enumerate(sorted(item, reverse=True)):
                comma = ", " if number < len(item) - 1 else ""
                waiting += item[key], _Text(f"{comma}{json.dumps(str(key))}: ")
            waiting.append(_Text("{"))
        elif isinstance(item, (list, tuple)):
            waiting.append(_Text("]"))
            for number, one in enumerate(reversed(item)):
                waiting += one, _Text(", " if number < len(item) - 1 else "")
            waiting.append(_Text("["))
        else:
            plain = _shortest(item) if isinstance(item, float) else item
            written.append(json.dumps(plain, default=str))
    return "".join(written)


class _Text(str):
    """What stands between values."""

    __slots__ = ()


def _shortest(value: str | float) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _rare_key(value: Any, plain: Callable[[Any], Key]) -> Key:
    """The key of a bool, or of a value whose class derives from a plain one, as templates yield."""
    if isinstance(value, bool):
        return ("bool", value)
    for kind in (str, int, float):
        if isinstance(value, kind):
            return plain(kind(value))
    raise _no_key(value)


def _no_key(value: object) -> RecordError:
    return RecordError(f"{describe(value)} cannot be a key: only texts, numbers and bools can")
