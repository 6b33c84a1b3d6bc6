"""JSON by the catalogue's rules, whichever parser is linked, and read in pieces.

    {"n": 18446744073709551616}    n is a float: integers past 64 bits become floats
    {"n": NaN}, {"s": "\\ud800"}    cannot be a record: no other program would read it back
    nested deeper than 1,000       refused

`decode` reads one text. `Document` walks a text that arrives in pieces, so that a file of any size
becomes records in the memory of one record.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from gxo.stdlib.data._text import NOT_UTF8, is_damaged

MAX_DEPTH = 1000
MAX_VALUE = 64 * 1024 * 1024
"""Characters: a longer value is refused instead of filling memory."""

Scan = Callable[[str, int], tuple[Any, int]]

_SPACE = re.compile(r"[ \t\n\r]*")
# A text may have millions of characters: a group keeps something of each, at most a thousand times.
_STRUCTURE = re.compile(r'[\[{]|[\]}]|"(?>(?:[^"\\]++|\\.){1,1000})*"', re.DOTALL)
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_ANY_DIGIT = str.maketrans("123456789", "000000000")
_LONG_NUMBER = "0" * 19
# Where a value may be cut by the end of a piece, the parser complains this close to the end.
_CUT = 12
# A number may go on behind what was read: 1, 1., 1e, 1e+.
_NUMBER_CUT = 2


PAUSE: Final = object()
"""Given instead of a value that takes long: a cancelled job ends here."""


class Unfit(ValueError):  # noqa: N818 - what the value is
    """JSON that is well-formed, or nearly, and cannot be a record."""


def _finite(digits: str) -> float:
    value = float(digits)
    if value - value != 0.0:
        raise Unfit(f"the number {digits[:20]} does not fit into 64 bits")
    return value


def _integer(digits: str) -> int | float:
    value = int(digits) if len(digits) < 400 else None
    if value is None or not -(2**63) <= value < 2**64:
        return _finite(digits)
    return value


def _refuse(name: str) -> None:
    raise Unfit(f"{name} is no JSON")


# Integers of up to 18 digits need no look, and looking at each costs a sixth of the parser's time.
quick_scan: Scan = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse).raw_decode
careful_scan: Scan = json.JSONDecoder(
    parse_float=_finite, parse_int=_integer, parse_constant=_refuse
).raw_decode
# Accepts what the others refuse, to find where it ends.
_lenient_scan: Scan = json.JSONDecoder(parse_int=lambda digits: len(digits)).raw_decode


def needs_care(text: str) -> bool:
    """Whether `quick_scan` would miss something in the text: a long integer, a surrogate escape."""
    if not text.isascii() or _LONG_NUMBER in text.translate(_ANY_DIGIT):
        return True
    return "\\u" in text and _SURROGATE_ESCAPE.search(text) is not None


def decode(text: str) -> Any:
    """The value of a whole JSON text; ValueError says what is wrong with it."""
    start = _SPACE.match(text).end()  # type: ignore[union-attr]
    value, end = decode_at(text, start, careful_scan)
    rest = _SPACE.match(text, end).end()  # type: ignore[union-attr]
    if rest != len(text):
        raise json.JSONDecodeError("text after the end of the value", text, rest)
    return value


def decode_at(text: str, start: int, scan: Scan) -> tuple[Any, int]:
    """The value that begins at `start`, and where it ends; ValueError when there is none."""
    try:
        value, end = scan(text, start)
    except RecursionError:
        value, end = _decode_deep(text, start, scan)
    if end - start > 2 * MAX_DEPTH and _depth(text, start, end) > MAX_DEPTH:
        raise Unfit(f"nested deeper than {MAX_DEPTH:,}")
    if scan is careful_scan and _SURROGATE_ESCAPE.search(text, start, end):
        _check_surrogates(value)
    return value, end


def _decode_deep(text: str, start: int, scan: Scan) -> tuple[Any, int]:
    """Decode with room for the depth that is allowed, whatever the host has used of its limit."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + MAX_DEPTH)
    try:
        return scan(text, start)
    except RecursionError:
        raise Unfit(f"nested deeper than {MAX_DEPTH:,}") from None
    finally:
        sys.setrecursionlimit(limit)


def _depth(text: str, start: int, end: int) -> int:
    if text.count("[", start, end) + text.count("{", start, end) <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _STRUCTURE.finditer(text, start, end):
        character = text[match.start()]
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unfit("a lone surrogate (\\ud800 to \\udfff) is no character") from None
    except RecursionError:
        raise Unfit("nested too deeply to be checked") from None


def reason(error: json.JSONDecodeError) -> str:
    """What is wrong, without the place."""
    message = error.msg.rstrip(": ")
    return _REASONS.get(message, message)


def told(error: ValueError) -> str:
    """What is wrong with one line, and in which column if that is known."""
    if isinstance(error, json.JSONDecodeError):
        return f"column {error.pos + 1}: {reason(error)}"
    return str(error)


_REASONS = {
    "Expecting value": "expected a value",
    "Expecting ',' delimiter": "expected a comma",
    "Expecting ':' delimiter": "expected a colon",
    "Expecting property name enclosed in double quotes": "expected a key in double quotes",
    "Extra data": "text after the end of the value",
    "Unterminated string starting at": "the text that begins here does not end",
    "Invalid control character at": "a control character within a text",
    "Invalid \\escape": "no escape that JSON has",
    "Invalid \\uXXXX escape": "\\u is followed by four hexadecimal digits",
}
"""Python's words, which differ between its versions, in ours."""


class Document:
    """One JSON text that arrives in pieces. Its errors name line and column in the whole.

    Bytes that are no UTF-8 may be there as `surrogateescape` writes them. Within a text they make
    the value unfit that it belongs to, as NaN does; anywhere else the document is no JSON.
    """

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 1
        self._scan = quick_scan
        self._is_damaged = self._has_moved = False

    def records(self, path: list[str]) -> "Iterator[Any | Unfit]":
        """The values that the path selects, a list's elements each for itself, what is unfit, and
        pauses where much lies beside the path.

        ValueError when the text is no JSON, or the path leads nowhere.
        """
        yield from self._select(path, 0)
        if self._peek():
            raise self._error("text after the end of the document")

    def _select(self, path: list[str], level: int) -> "Iterator[Any | Unfit]":
        first = self._peek()
        if level == len(path):
            if first == "[":
                for _ in self._elements():
                    yield self._value()
            else:
                yield self._value()
            return
        name = path[level]
        found = False
        for key in self._members() if first == "{" else self._elements() if first == "[" else ():
            if key == name:
                if found:
                    raise self._error(f"{'.'.join(path[: level + 1])} is there twice")
                found = True
                yield from self._select(path, level + 1)
            else:
                yield from self._passed_over()
        if not found:
            raise ValueError(f"there is no {'.'.join(path[: level + 1])} in it")

    def _elements(self) -> Iterator[str]:
        """Stop before each element of a list with its number; the caller consumes the element."""
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        number = 0
        while True:
            yield str(number)
            number += 1
            if self._separator("]"):
                return

    def _members(self) -> Iterator[str]:
        """Stop before each value of an object with its key; the caller consumes the value."""
        self._expect("{")
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                raise self._error("expected a key in double quotes")
            key = self._value()
            if isinstance(key, Unfit):
                raise ValueError(str(key))
            self._expect(":")
            yield str(key)
            if self._separator("}"):
                return

    def _separator(self, close: str) -> bool:
        """Consume a comma, or the closing bracket (then True)."""
        found = self._peek()
        if found != close and found != ",":
            raise self._error(f"expected ',' or '{close}'")
        self._at += 1
        return found == close

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._error(f"expected '{character}'")
        self._at += 1

    def _peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> "Any | Unfit":
        """Consume one value; what is unfit to be a record is given as such, and consumed too."""
        while True:
            complete, value = self._try_value()
            if complete:
                return value
            if len(self._text) > MAX_VALUE:
                raise self._error(f"a value is longer than {MAX_VALUE:,} characters")

    def _try_value(self) -> "tuple[bool, Any | Unfit]":
        """Consume one value if the text that is here holds it whole; otherwise add to the text."""
        self._peek()
        text, start = self._text, self._at
        try:
            try:
                value, end = decode_at(text, start, self._scan)
            except Unfit as error:
                value, end = (
                    self._unfit(str(error), start),
                    decode_at(text, start, _lenient_scan)[1],
                )
        except json.JSONDecodeError as error:
            if self._is_cut(error) and self._more():
                return False, None
            why = NOT_UTF8 if _ESCAPED_BYTE.match(text, error.pos) else reason(error)
            raise self._error(why, error.pos) from None
        except Unfit as error:
            raise self._error(str(error)) from None
        if len(text) - end <= _NUMBER_CUT and self._more():
            return False, None
        if self._is_damaged and (damage := _ESCAPED_BYTE.search(text, start, end)):
            value = self._unfit(NOT_UTF8, damage.start())
        self._at += end - start
        return True, value

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        at_end = error.pos >= len(self._text) - _CUT
        return at_end or error.msg.startswith("Unterminated string")

    def _passed_over(self) -> Iterator[object]:
        """Consume one value without keeping more of it than a few pieces; a pause after each."""
        complete, _ = self._try_value()
        if complete:
            return
        first = self._peek()
        if first in ("[", "{"):
            for _ in self._elements() if first == "[" else self._members():
                yield from self._passed_over()
                if self._has_moved:
                    self._has_moved = False
                    yield PAUSE
        else:
            self._value()

    def _more(self) -> bool:
        """Drop what is consumed and append the next pieces, so many that long values stay cheap.

        False, and nothing is changed, when the text goes no further.
        """
        piece = next(self._pieces, "")
        if not piece:
            return False
        self._line, self._column = self._position(self._at)
        parts, size = [self._text[self._at :]], 0
        while piece:
            parts.append(piece)
            size += len(piece)
            enough = size >= len(parts[0]) or size + len(parts[0]) > MAX_VALUE
            piece = "" if enough else next(self._pieces, "")
        self._text = "".join(parts)
        self._at = 0
        self._scan = careful_scan if needs_care(self._text) else quick_scan
        self._is_damaged = is_damaged(self._text)
        self._has_moved = True
        return True

    def _position(self, at: int) -> tuple[int, int]:
        """Line and column of an offset in the text that is here."""
        lines = self._text.count("\n", 0, at)
        if lines:
            return self._line + lines, at - self._text.rindex("\n", 0, at)
        return self._line, self._column + at

    def _error(self, message: str, at: int | None = None) -> ValueError:
        return ValueError(self._placed(message, self._at if at is None else at))

    def _unfit(self, message: str, at: int) -> Unfit:
        return Unfit(self._placed(message, at))

    def _placed(self, message: str, at: int) -> str:
        line, column = self._position(at)
        return f"line {line}, column {column}: {message}"
