"""Values on their way into a database and back, by one rule for all of them.

What JSON has a word for is that; everything else is the text that the database writes for it, and
bytes are base64. On the way in `{base64: ...}` stands for bytes; a map or a list is written as
JSON, unless the database has arrays and wants one.
"""

import base64
import binascii
import json
import math
from typing import Any

from gxo.runtime.errors import ParameterError

Values = tuple[Any, ...]


def as_bytes(value: Any) -> bytes | None:
    """The bytes that `{base64: ...}` stands for; None if the value is none of that."""
    if not isinstance(value, dict) or value.keys() != {"base64"}:
        return None
    text = value["base64"]
    if not isinstance(text, str):
        raise ValueError("base64 is a text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is no base64") from None


def as_json(value: Any) -> str:
    """A map or a list as JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("it cannot be written as JSON") from None


def bound(value: Any) -> Any:
    """A value as a driver takes it: null, a number, a text or bytes."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (dict, list)):
        data = as_bytes(value)
        return as_json(value) if data is None else data
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise ValueError(f"a {type(value).__name__} is no value for a database")


def in_base64(data: bytes) -> str:
    """Bytes as records hold them."""
    return base64.b64encode(data).decode("ascii")


def number(value: float) -> float | str:
    """A float; of one that JSON has no word for, the text that PostgreSQL writes for it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def values_of(names: tuple[str, ...], given: Any) -> Values:
    """The values of the placeholders, in their order. ParameterError where one is missing."""
    if given is None:
        given = {}
    if isinstance(given, list):
        return tuple(_of_list(names, given))
    if not isinstance(given, dict):
        kind = type(given).__name__
        raise ParameterError(f"query_params: it is a {kind}, and neither a list nor a map")
    try:
        return tuple(given[name] for name in names)
    except KeyError as error:
        name = error.args[0]
        raise ParameterError(
            f"query_params has no value for :{name}",
            hint="a colon that begins no placeholder is followed by a space, or stands in quotes",
        ) from None


def _of_list(names: tuple[str, ...], given: list[Any]) -> list[Any]:
    used = set()
    for name in names:
        if not (name.isascii() and name.isdecimal() and 0 < int(name[:9]) <= len(given)):
            message = f"query_params is a list of {len(given)} values, and has none for :{name}"
            raise ParameterError(message, hint="the first value of a list is :1")
        used.add(int(name))
    if len(used) != len(given):
        unused = min(set(range(1, len(given) + 1)) - used)
        raise ParameterError(f"query_params has a value for :{unused}, which is not in the query")
    return [given[int(name) - 1] for name in names]
