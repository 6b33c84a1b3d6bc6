"""JSON of whatever modules leave: also of what JSON has no words for.

{"rows": rows, "ratio": nan, "raw": b"a\\xff"}      rows containing itself
{"rows": "[circular]", "ratio": "nan", "raw": "a\\udcff"}
"""

import json
import math
from typing import Any

DEEPEST = 100
"""Levels of nesting that are written; Python's own writer gives up not much later."""

# `json.dumps` makes an encoder for each call; there may be one for each of many thousand lines.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def to_json(value: Any, indent: int | None = None) -> str:
    """The value as JSON text. Never fails: what JSON cannot express is written as text."""
    try:
        if indent is None:
            return _encode(value)
        return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(plain(value), indent=indent, ensure_ascii=False)


def plain(value: Any, above: tuple[int, ...] = ()) -> Any:
    """The value made of nothing but what JSON has. above: the ids of the containers around it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "surrogateescape")
    if not isinstance(value, (dict, list, tuple, set, frozenset)):
        return str(value)
    if id(value) in above:
        return "[circular]"
    if len(above) == DEEPEST:
        return "[nested too deeply]"
    inside = (*above, id(value))
    if isinstance(value, dict):
        return {str(key): plain(item, inside) for key, item in value.items()}
    return [plain(item, inside) for item in value]
