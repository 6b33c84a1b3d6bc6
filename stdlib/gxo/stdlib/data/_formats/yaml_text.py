"""Records as YAML: one list, for people to read and for every reader of YAML to understand alike.

    before:  {"name": "a b", "on": "yes", "tags": ["x", 1.5], "note": "two\\nlines"}
    after:   - name: a b
               "on": "yes"
               tags:
                 - x
                 - 1.5
               note: |-
                 two
                 lines

A text is in quotes wherever YAML 1.1 or 1.2 could take it for something else.
"""

import json
import re
from typing import Any

from gxo.runtime.errors import RecordError
from gxo.runtime.expr import describe
from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch

_PLAIN = re.compile(r"[A-Za-z_/](?:[\w./@%+=~,;()'?&-]|:(?=[^\s])| (?=[^\s#]))*")
_WORDS = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LONGEST_KEY = 1000
"""Characters of a key that readers find without a question mark before it."""


class YamlWriter:
    """One YAML list."""

    separator = ""

    def __init__(self) -> None:
        self._empty = True

    def open(self, first: Record | None) -> str:
        self._empty = first is None
        return ""

    def encode(self, batch: Batch) -> str:
        try:
            return "".join([f"- {_node(record, '  ')}\n" for record in batch])
        except RecursionError:
            raise RecordError("the record is nested too deeply to be written as YAML") from None

    def at_once(self, batch: Batch) -> str | None:  # noqa: ARG002 - it may always be long
        return None

    def close(self) -> str:
        return "[]\n" if self._empty else ""


def _node(value: Any, pad: str) -> str:
    """What stands behind `- `; lines after the first begin with `pad`."""
    between = f"\n{pad}"
    if value and isinstance(value, dict):
        return between.join([_entry(key, item, pad) for key, item in value.items()])
    if value and isinstance(value, list):
        return between.join([f"- {_node(item, pad + '  ')}" for item in value])
    return _scalar(value, pad)


def _entry(key: str, value: Any, pad: str) -> str:
    name = _text(key)
    if len(name) > _LONGEST_KEY:
        name = f"? {name}\n{pad}"
    inner = pad + "  "
    if value and isinstance(value, (dict, list)):
        return f"{name}:\n{inner}{_node(value, inner)}"
    return f"{name}: {_scalar(value, inner)}"


def _scalar(value: Any, pad: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _long_text(value, pad) if "\n" in value else _text(value)
        case int():
            return str(value)
        case float():
            return _float(value)
        case dict():
            return "{}"
        case list():
            return "[]"
    raise RecordError(f"{describe(value)} cannot be written as YAML")


def _float(value: float) -> str:
    if value - value != 0.0:
        raise RecordError(f"{value} is no number that a record can hold")
    digits, exponent, power = repr(value).partition("e")
    # YAML 1.1 takes a number for a text where it has an exponent and no point.
    return f"{digits}{'' if '.' in digits else '.0'}{exponent}{power}"


def _text(value: str) -> str:
    """A text on one line, in quotes if it must be."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _long_text(value: str, pad: str) -> str:
    """A text of several lines as such, if it can be written line by line."""
    lines = value.removesuffix("\n").split("\n")
    fits = lines[0][:1].strip() and lines[-1].strip() and all(map(str.isprintable, lines))
    if not fits:
        return _text(value)
    head = "|" if value.endswith("\n") else "|-"
    return "\n".join([head, *(f"{pad}{line}" if line else "" for line in lines)])
