"""Results as JSON that can be read back to the very same values, and those that cannot.

{"rows": [1, 2.5, None]}     {"rows": [1, 2.5, None]}
{"count": Int64(3)}          {"count": {"$int64": 3}}        what Go's arithmetic leaves
{"$ref": "a"}                {"$map": {"$ref": "a"}}         so that nothing is mistaken
{"at": Time(...)}            InexactError
"""

import re
from types import NoneType
from typing import Any

from gxo.runtime.expr import Int64, NilList
from gxo.runtime.jsontext import DEEPEST

INT64, NIL, MAP = "$int64", "$nil", "$map"
MARK = "$"

MOST_BITS = 14_000
"""Of an integer; Python refuses to read one of 4300 digits."""

PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
"""Two halves that JSON would join to one character."""


class InexactError(Exception):
    """JSON would not give the same value back."""


def written(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it. InexactError when `read` would not give the very same, with types
    and order: a subclass is a value of another kind, and what contains itself has no end."""
    kind = type(value)
    if kind is str:
        if PAIR.search(value):
            raise InexactError
        return value
    if kind is int:
        if value.bit_length() > MOST_BITS:
            raise InexactError
        return value
    if kind in (bool, float, NoneType):
        return value
    if kind is Int64:
        return {INT64: int(value)}
    if kind is NilList and not value:
        return {NIL: []}
    if depth == DEEPEST:
        raise InexactError
    if kind is list:
        return [written(item, depth + 1) for item in value]
    if kind is dict:
        return _written_map(value, depth + 1)
    raise InexactError


def _written_map(value: dict[Any, Any], depth: int) -> Any:
    if not all(type(key) is str for key in value):
        raise InexactError
    found = {written(key): written(item, depth) for key, item in value.items()}
    return {MAP: found} if any(key.startswith(MARK) for key in value) else found


def read(value: Any) -> Any:
    """The value that `written` was given."""
    if isinstance(value, list):
        return [read(item) for item in value]
    if not isinstance(value, dict):
        return value
    if INT64 in value:
        return Int64(value[INT64])
    if NIL in value:
        return NilList()
    return {key: read(item) for key, item in value.get(MAP, value).items()}
