r"""The values of literals: Go's escapes and number syntax to Python values.

"tab\t\u2713"  'text'  `raw`        str
42  0x2A  0b101010  052  1_000      int, 64 bits
1.5  .5  2.  1e3  0x1p-2            float
"""

import re

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_DIGITS = r"(?>(?:_?[0-9]){1,1000})*"
"""Any number of digits, forgotten every thousand (see `grammar.lark`)."""
_DECIMAL_INT = re.compile(rf"[+-]?(?:0|[1-9]{_DIGITS})")
_OCTAL_INT = re.compile(r"([+-]?)0((?>(?:_?[0-7]){1,1000})+)")
_PREFIXED_INT = re.compile(
    r"[+-]?0(?:[xX](?>(?:_?[0-9a-fA-F]){1,1000})+|[oO](?>(?:_?[0-7]){1,1000})+"
    r"|[bB](?>(?:_?[01]){1,1000})+)"
)
_FLOAT = re.compile(
    rf"[+-]?(?:[0-9]{_DIGITS}\.?(?:[0-9]{_DIGITS})?|\.[0-9]{_DIGITS})(?:[eE][+-]?[0-9]{_DIGITS})?"
)
_HEX_FLOAT = re.compile(
    rf"[+-]?0[xX]_?(?:[0-9a-fA-F_]+\.?[0-9a-fA-F_]*|\.[0-9a-fA-F_]+)[pP][+-]?[0-9]{_DIGITS}"
)


class BadLiteralError(Exception):
    """A literal that is no value; `start` and `end` are offsets in the literal's text."""

    def __init__(self, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.hint = message, start, end, hint


def text_value(token: str) -> str:
    """The text that a quoted literal stands for, quotes and escapes resolved.

    Bytes that are not UTF-8 are kept as Python's "surrogateescape" characters.

    Raises: BadLiteralError for an escape that Go does not know.
    """
    quote, inner = token[0], token[1:-1]
    if quote == "`":
        return inner.replace("\r", "")
    if "\\" not in inner:
        return inner
    raw = bytearray()
    position = 0
    for match in _ESCAPE.finditer(inner):
        raw += inner[position : match.start()].encode("utf-8", "surrogatepass")
        raw += _escaped(match, quote)
        position = match.end()
    raw += inner[position:].encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "surrogateescape")


def _escaped(match: re.Match[str], quote: str) -> bytes:
    two_hex, four_hex, eight_hex, octal, other = match.groups()
    code_point = four_hex or eight_hex
    if code_point is not None:
        number = int(code_point, 16)
        if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF:
            return chr(number).encode()
    elif two_hex is not None:
        return bytes([int(two_hex, 16)])
    elif octal is not None:
        if int(octal, 8) < 256:
            return bytes([int(octal, 8)])
    elif other in _SIMPLE or other == quote or (quote == "'" and other == '"'):
        return _SIMPLE.get(other, other).encode()
    raise BadLiteralError(
        f"unknown escape {match.group()}",
        match.start() + 1,
        match.end() + 1,
        "write `\\\\` for a backslash, or put the text in back quotes",
    )


def number_value(token: str) -> int | float:
    """The number that a literal stands for.

    Raises: BadLiteralError when it is no number, or outside 64 bits.
    """
    value: int | float
    if _DECIMAL_INT.fullmatch(token):
        value = int(token) if len(token) < 40 else _INT_MAX + 1
    elif octal := _OCTAL_INT.fullmatch(token):
        value = int(octal[1] + octal[2].replace("_", "")[:40], 8)
    elif _PREFIXED_INT.fullmatch(token):
        value = int(token, 0)
        if token[0] in "+-" and "e" in token.lower():
            return float(value)  # Go looks for hexadecimal digits only where there is no sign
    elif _HEX_FLOAT.fullmatch(token):
        return _hex_float(token)
    elif _FLOAT.fullmatch(token) and any(mark in token for mark in ".eE"):
        return _finite(float(token), token)
    else:
        raise _not_a_number(token)
    if not _INT_MIN <= value <= _INT_MAX:
        raise BadLiteralError(f"{_shortened(token)} does not fit into 64 bits", 0, len(token))
    return value


def _hex_float(token: str) -> float:
    try:
        return _finite(float.fromhex(token.replace("_", "")), token)
    except OverflowError:
        return _finite(float("inf"), token)


def _finite(value: float, token: str) -> float:
    if value in (float("inf"), float("-inf")):
        raise BadLiteralError(f"{_shortened(token)} is too large for a float", 0, len(token))
    return value


def _not_a_number(token: str) -> BadLiteralError:
    hint = None
    if re.fullmatch(r"[+-]?[0-9.]+i", token):
        hint = "imaginary numbers are not supported"
    elif re.fullmatch(r"0[0-9]+", token):
        hint = "a leading zero makes the number octal; drop it or quote the number"
    return BadLiteralError(f"bad number {_shortened(token)}", 0, len(token), hint)


def _shortened(token: str) -> str:
    return token if len(token) <= 40 else f"{token[:37]}..."
