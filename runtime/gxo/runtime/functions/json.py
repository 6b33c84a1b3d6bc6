"""Sprig's JSON functions, which write as Go's `encoding/json` does: keys sorted, 1.0 as 1, and
`<`, `>`, `&` escaped unless `toRawJson` writes."""

import json
import re
from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import Int64, Native, NilList, describe, format_float, in_order
from gxo.runtime.functions import function
from gxo.runtime.functions.strings import to_bytes

_LARGEST = (1 << 64) - 1
_SMALLEST = -(1 << 63)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile('["\\\\\x00-\x1f\u2028\u2029\udc80-\udcff]')
_SPECIAL_IN_HTML = re.compile('["\\\\\x00-\x1f\u2028\u2029\udc80-\udcff<>&]')
_SURROGATE = re.compile("[\ud800-\udfff]")


@function("toJson")
def to_json(value: Any) -> str:
    """Return the value as JSON, "" when it has none (NaN, infinity)."""
    try:
        return _encode(value, _SPECIAL_IN_HTML, None)
    except ValueError:
        return ""


@function("mustToJson")
def must_to_json(value: Any) -> str:
    """Return the value as JSON."""
    return _encoded("mustToJson", value, _SPECIAL_IN_HTML)


@function("toRawJson", "mustToRawJson")
def to_raw_json(value: Any) -> str:
    """Return the value as JSON with `<`, `>` and `&` as they are."""
    return _encoded("toRawJson", value, _SPECIAL)


@function("toPrettyJson")
def to_pretty_json(value: Any) -> str:
    """Return the value as JSON in indented lines, "" when it has none (NaN, infinity)."""
    try:
        return _encode(value, _SPECIAL_IN_HTML, "\n")
    except ValueError:
        return ""


@function("mustToPrettyJson")
def must_to_pretty_json(value: Any) -> str:
    """Return the value as JSON in indented lines."""
    return _encoded("mustToPrettyJson", value, _SPECIAL_IN_HTML, "\n")


@function("fromJson")
def from_json(text: str) -> Any:
    """Return the value that JSON text means, nil when it is not JSON. Ints stay ints."""
    try:
        return parse_json(text)
    except ValueError:
        return None


@function("mustFromJson")
def must_from_json(text: str) -> Any:
    """Return the value that JSON text means. Ints stay ints."""
    try:
        return parse_json(text)
    except ValueError as error:
        raise ExpressionError(f"mustFromJson: {describe(text)} is not JSON: {error}") from None


def parse_json(text: str) -> Any:
    """Read JSON as strictly as Go does.

    Raises: ValueError when the text is not JSON, or a number does not fit a float.
    """
    if not text.isascii():
        text = to_bytes(text).decode("utf-8", "replace")
    options: dict[str, Any] = {
        "parse_int": parse_int,
        "parse_float": _parse_float,
        "parse_constant": _refuse_constant,
    }
    try:
        value = json.loads(text, **options)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _without_surrogates(value) if "\\u" in text else value


def parse_int(digits: str) -> int | float:
    """Return a whole number of JSON or YAML: an int of 64 bits, signed or not, else a float."""
    if len(digits) > 20:
        return _parse_float(digits)
    number = int(digits)
    return number if _SMALLEST <= number <= _LARGEST else float(number)


def _parse_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} does not fit a float")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value in JSON")


def _without_surrogates(value: Any) -> Any:
    """Replace halves of characters, which JSON can escape and Go does not keep."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(value[key]) for key in value}
    return value


def _encoded(name: str, value: Any, special: re.Pattern[str], line: str | None = None) -> str:
    try:
        return _encode(value, special, line)
    except ValueError as error:
        raise ExpressionError(f"{name}: {error}") from None


def _encode(value: Any, special: re.Pattern[str], line: str | None) -> str:
    """Write a value; `line` is a line's end with the indentation so far, None for one line."""
    kind = type(value)
    if kind is str:
        return _string(value, special)
    if kind is int or kind is Int64:
        return int.__repr__(value)
    if value is None or kind is NilList:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return _number(value)
    inner = None if line is None else line + "  "
    if isinstance(value, list):
        return _block("[]", [_encode(item, special, inner) for item in value], line)
    if isinstance(value, dict):
        colon = ":" if line is None else ": "
        items = [
            f"{_string(key, special)}{colon}{_encode(value[key], special, inner)}"
            for key in in_order(value)
        ]
        return _block("{}", items, line)
    if isinstance(value, Native):
        return _string(value.json_text(), special)
    return _string(value, special) if isinstance(value, str) else str(int(value))


def _block(brackets: str, items: list[str], line: str | None) -> str:
    if line is None or not items:
        return f"{brackets[0]}{','.join(items)}{brackets[1]}"
    inner = line + "  "
    return f"{brackets[0]}{inner}{f',{inner}'.join(items)}{line}{brackets[1]}"


def _string(text: str, special: re.Pattern[str]) -> str:
    return f'"{text if special.search(text) is None else special.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _ESCAPES:
        return _ESCAPES[char]
    return "\\ufffd" if "\udc80" <= char <= "\udcff" else f"\\u{ord(char):04x}"


def _number(value: float) -> str:
    """Write a float as Go does: an exponent only below 1e-6 and from 1e21 on."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"unsupported value: {format_float(value)}")
    digits = repr(value).removesuffix(".0")
    mantissa, exponent_mark, exponent = digits.partition("e")
    if not exponent_mark:
        return digits
    power = int(exponent)
    whole, _, fraction = mantissa.partition(".")
    if 0 < power < 21:
        return whole + fraction.ljust(power, "0")
    return f"{value:.{len(fraction) - power}f}" if -6 <= power < 0 else f"{mantissa}e{power:+d}"
