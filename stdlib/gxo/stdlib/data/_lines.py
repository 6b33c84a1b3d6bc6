"""The formats of `data:parse` whose records are lines, at the speed of Python's own C code.

    {"id": 1}\\n{"id": 2}\\n     one call of the JSON parser: [{"id": 1}, {"id": 2}]
    {"id": 1}\\n{"id": \\n       something is odd: line by line, and each odd line is told

A block of whole lines is read at once where all of it is plain, which `quick` finds out on the way;
`careful` reads the others, and says what is wrong with which line. Both make the same records.
"""

import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from gxo.runtime.errors import ParameterError
from gxo.runtime.host.eventloop import LARGE
from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch, Table
from gxo.stdlib.data._json import MAX_DEPTH, MAX_VALUE, decode, reason
from gxo.stdlib.data._source import FilePieces
from gxo.stdlib.data._text import (
    NOT_UTF8,
    Fault,
    Slice,
    given_columns,
    is_damaged,
    line_blocks,
    lines,
    readable,
    repeated,
)

if TYPE_CHECKING:
    from _csv import Reader

_AT_A_TIME = 256 * 1024
"""Bytes that a thread reads at a time, or more: to change to another thread costs as 50 lines do.
Where the end of a small file is read with it, nobody has to look for it again."""


class LineReader(Protocol):
    """Makes records of blocks of whole lines, given in order, each to one of its methods.

    block: about how many bytes one has; what is made of them shall still lie in the processor's
    cache when it is used.
    """

    block: int

    def quick(self, block: bytes) -> Batch | None:
        """The block's records; None when it must be read with care, and nothing has happened."""
        ...

    def careful(self, block: bytes, more: Iterator[bytes]) -> Slice:
        """The block's records and faults; also of blocks from `more` that belong to its end."""
        ...


class Blocks:
    """An input's lines in blocks.

    ready: those that can be had without waiting for the disk. ended: there are no more than these.
    """

    def __init__(self, pieces: Iterator[bytes], size: int) -> None:
        self._size = size
        self._file = pieces if isinstance(pieces, FilePieces) else None
        self._lines = line_blocks(pieces)
        self._error: Exception | None = None
        self.ready: deque[bytes] = deque()
        self.ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self.ready and self._error is None:
            self._read(_AT_A_TIME)
        if self.ready:
            return self.ready.popleft()
        raise self._error or StopIteration

    def read_at_hand(self) -> None:
        """Read on where that need not wait for the disk: in a piece, and no more, a line ends."""
        if self._file is not None and b"\n" in self._file.at_hand():
            self._read(1)

    def _read(self, enough: int) -> None:
        """Read on. What is wrong with a piece comes after the blocks before it."""
        size = 0
        try:
            while size < enough and not self.ended:
                text = next(self._lines, b"")
                self.ready.extend(_split(text, self._size))
                size += len(text)
                self.ended = not text
        except (ValueError, OSError) as error:
            self._error = error


def _split(text: bytes, size: int) -> Iterator[bytes]:
    """Whole lines in blocks of about that size, none of them small beside the others."""
    parts = round(len(text) / size) or 1
    size = len(text) // parts + size // 16  # a little more, as a block ends where a line does
    start = 0
    while start < len(text):
        end = text.rfind(b"\n", start, start + size) + 1 or text.find(b"\n", start) + 1
        yield text[start : end or len(text)]
        start = end or len(text)


class LineSlices:
    """What a reader makes of its input, a block at a time."""

    def __init__(self, pieces: Iterator[bytes], reader: LineReader) -> None:
        self._blocks = Blocks(pieces, reader.block)
        self._reader = reader
        self._odd = b""

    def __iter__(self) -> Iterator[Slice]:
        return self

    def __next__(self) -> Slice:
        """The next records and faults. It may wait for the disk, and take its time."""
        block, self._odd = self._odd, b""
        if not block:
            block = next(self._blocks)
            records = self._reader.quick(block)
            if records is not None:
                return records, []
        return self._reader.careful(block, self._blocks)

    @property
    def is_over(self) -> bool:
        """Whether it is known that no slice follows; otherwise asking for one finds out."""
        return self._blocks.ended and not self._blocks.ready and not self._odd

    def at_once(self) -> Batch | None:
        """The next records where that neither waits nor takes long; otherwise ask for a slice."""
        if self._odd:
            return None
        ready = self._blocks.ready
        if not ready:
            self._blocks.read_at_hand()
        if not ready or len(ready[0]) > LARGE:
            return None
        block = ready.popleft()
        records = self._reader.quick(block)
        if records is None:
            self._odd = block
        return records


# JSON lines --------------------------------------------------------------------------------------


class JsonLines:
    """A JSON value a line; blank lines are passed over."""

    block = 64 * 1024

    def __init__(self) -> None:
        self._number = 0
        self._decode = native_decoder() or decode_lines

    def quick(self, block: bytes) -> list[Record] | None:
        found = block.removesuffix(b"\n").split(b"\n")
        count = len(found)
        if not all(found):
            found = [line for line in found if line]
        try:
            values = self._decode(found) if found else []
        except (ValueError, RecursionError):
            return None
        self._number += count
        return [value if value.__class__ is dict else {"value": value} for value in values]

    def careful(self, block: bytes, more: Iterator[bytes]) -> Slice:  # noqa: ARG002 - one a line
        records: list[Record] = []
        faults: list[Fault] = []
        text = readable(block)
        damaged = is_damaged(text)
        found = lines(text)
        for number, line in enumerate(found, self._number + 1):
            if damaged and is_damaged(line):
                faults.append(Fault.line(number, line, NOT_UTF8))
                continue
            try:
                value = decode(line)
            except json.JSONDecodeError as error:
                if line.strip():
                    faults.append(Fault.line(number, line, reason(error), error.pos + 1))
                continue
            except ValueError as error:
                faults.append(Fault.line(number, line, str(error)))
                continue
            records.append(value if value.__class__ is dict else {"value": value})
        self._number += len(found)
        return records, faults


@cache
def native_decoder() -> Callable[[list[bytes]], list[Any]] | None:
    """As `decode_lines`, by the faster parser where it is linked; it is looked for once."""
    try:
        import orjson  # linked with --native only
    except ImportError:
        return None
    loads = orjson.loads

    def decode_natively(found: list[bytes]) -> list[Any]:
        _check_depth(found)
        text = _ZERO_BETWEEN.join(found)
        if len(found) == 1 or b"[" in text:
            return [loads(line) for line in found]
        # One call for all lines costs two thirds of a call a line. Without a list in them, a zero
        # and a line's end can stand between two values only: a text must not hold the line's end,
        # and a map not the zero. So where each line adds one value, it is one.
        values: list[Any] = loads(b"[%b]" % text)
        if len(values) != 2 * len(found) - 1:
            raise ValueError("a line is not one value")
        return values[::2]

    return decode_natively


def decode_lines(found: list[bytes]) -> list[Any]:
    """The values of lines of JSON, by one call; ValueError when a line must be read with care.

    A number that stands nowhere in the lines is put between them: where it comes back as every
    second element, each line was exactly one value, and no value went on over the end of its line.
    """
    _check_depth(found)
    text = _BETWEEN.join(found)
    between = len(found) - 1
    if text.count(_NUMBER) != between or _needs_care(text):
        raise ValueError("not plain")
    values: list[Any] = _decoder.decode(f"[{text.decode()}]")
    if len(values) != between + len(found) or values[1::2].count(int(_NUMBER)) != between:
        raise ValueError("a line is not one value")
    return values[::2]


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse)
_NUMBER = b"9007199254740993"  # 2 ** 53 + 1: no float is equal to it
_BETWEEN = b",%b," % _NUMBER
_ZERO_BETWEEN = b",0,\n"

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789E", b"000000000e")
_LONG_NUMBER = b"0" * 19
_EXPONENT = b"0e000"
_MANTISSA = 40
"""Bytes: two runs of up to 18 digits, a point and a sign, and what stands before."""
_BEFORE_NUMBER = b" \t\n\r:,["
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_LONE_SURROGATE = re.compile(
    rb"(?>(?:[^\\]++|\\(?:[^u]|u(?![dD][89a-fA-F])|u[dD][89abAB]..\\u[dD][c-fC-F])){1,1000})*"
)


def _needs_care(text: bytes) -> bool:
    """Whether Python's decoder would miss something: a number past 64 bits, a lone surrogate."""
    digits = text.translate(_DIGITS_TO_ZERO, b"+")
    if _LONG_NUMBER in digits:
        return True
    if _EXPONENT in digits and _has_large_exponent(digits):
        return True
    # One byte is found 20 times as fast as two, and few texts have a backslash.
    has_surrogates = b"\\" in text and b"\\u" in text and _SURROGATE_ESCAPE.search(text)
    return bool(has_surrogates and not _NO_LONE_SURROGATE.fullmatch(text))


def _has_large_exponent(digits: bytes) -> bool:
    """Whether a number, in which all digits are zeros, has an exponent of three digits or more.

    Texts such as 3e802 in hexadecimal are common; where no number can begin, they are none.
    """
    at = digits.find(_EXPONENT)
    while at >= 0:
        before = digits[max(at - _MANTISSA, 0) : at].rstrip(b"0.").removesuffix(b"-")
        if not before or before[-1:] in _BEFORE_NUMBER:
            return True
        at = digits.find(_EXPONENT, at + len(_EXPONENT))
    return False


def _check_depth(found: list[bytes]) -> None:
    """Refuse lines that may be nested deeper than is allowed; parsers have limits of their own."""
    if max(map(len, found), default=0) > 2 * MAX_DEPTH:
        for line in found:
            if line.count(b"[") + line.count(b"{") > MAX_DEPTH:
                raise ValueError("perhaps nested too deeply")


# Lines of text -----------------------------------------------------------------------------------


class TextLines:
    """A record `{line, number}` a line."""

    block = 64 * 1024

    def __init__(self) -> None:
        self._number = 0

    def quick(self, block: bytes) -> list[Record] | None:
        text = readable(block)
        return None if is_damaged(text) else self._records(text)

    def careful(self, block: bytes, more: Iterator[bytes]) -> Slice:  # noqa: ARG002 - one a line
        records: list[Record] = []
        faults: list[Fault] = []
        for record in self._records(readable(block)):
            if is_damaged(record["line"]):
                faults.append(Fault.line(record["number"], record["line"], NOT_UTF8))
            else:
                records.append(record)
        return records, faults

    def _records(self, text: str) -> list[Record]:
        found = lines(text)
        first = self._number + 1
        self._number += len(found)
        return [{"line": line, "number": number} for number, line in enumerate(found, first)]


# Tables ------------------------------------------------------------------------------------------


class TableLines:
    """Comma-separated values (RFC 4180) and their like, every field a text."""

    block = 16 * 1024

    def __init__(self, delimiter: str, headers: bool | list[str]) -> None:
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise ParameterError(f"format_options.delimiter is one character, not {delimiter!r}")
        csv.field_size_limit(MAX_VALUE)
        self._delimiter = delimiter
        self._named = headers is not False
        columns = given_columns(headers)
        self._columns = None if columns is None else tuple(columns)
        self._number = 0

    def quick(self, block: bytes) -> Batch | None:
        if self._columns is None:
            return None
        try:
            reader = self._rows(io.StringIO(block.decode(), newline=""))
            rows = list(reader)
        except (UnicodeDecodeError, csv.Error):
            return None
        widths = set(map(len, rows))
        if not widths <= {0, len(self._columns)}:
            return None
        self._number += reader.line_num
        return Table(self._columns, [row for row in rows if row] if 0 in widths else rows)

    def careful(self, block: bytes, more: Iterator[bytes]) -> Slice:
        good: list[list[str]] = []
        faults: list[Fault] = []
        source = _RowLines(block, more)
        rows = self._rows(source)
        while source.waiting:
            line = self._number + rows.line_num + 1
            source.begin(line)
            try:
                row: list[str] = next(rows, [])
                if row and self._columns is None:
                    row = self._begin(row, line)
            except csv.Error as error:
                why = _UNCLOSED if source.is_over else str(error)
                if self._columns is None:
                    raise ValueError(f"line {line}: the first row cannot be read: {why}") from None
                faults.append(Fault.line(line, source.text[:_SHOWN], why))
                continue
            if why := self._misfit(row, source.damaged):
                faults.append(Fault.line(line, self._delimiter.join(row), why))
            elif row:
                good.append(row)
        self._number += rows.line_num
        return Table(self._columns or (), good), faults

    def _rows(self, source: Iterable[str]) -> "Reader":
        return csv.reader(source, delimiter=self._delimiter, strict=True)

    def _begin(self, row: list[str], line: int) -> list[str]:
        """Name the columns by the first row; returns what is left of it to be a record."""
        if is_damaged("".join(row)):
            raise ValueError(f"line {line}: the first row is {NOT_UTF8}")
        if self._named:
            if twice := repeated(row):
                raise ValueError(f"line {line}: the column '{twice[:50]}' is there twice")
            self._columns = tuple(row)
            return []
        self._columns = tuple(f"column_{number}" for number in range(1, len(row) + 1))
        return row

    def _misfit(self, row: list[str], damaged: bool) -> str:
        """Why the row cannot become a record; empty when it can, or is blank."""
        width = len(self._columns or ())
        if row and len(row) != width:
            return f"the row has {len(row)} fields, and there are {width} columns"
        return NOT_UTF8 if damaged and is_damaged("".join(row)) else ""


_UNCLOSED = "the quotes of a field are never closed"
_SHOWN = 1000
"""Characters of a row that cannot be read: it may be all that follows."""


class _RowLines:
    """A block's lines with their ends, and those of the next block where a row goes on in it.

    waiting: lines that `csv.reader` has not asked for. text: how the row at hand begins.
    """

    def __init__(self, block: bytes, more: Iterator[bytes]) -> None:
        self.waiting: deque[str] = deque()
        self.damaged = self.is_over = False
        self.text = ""
        self._line = self._size = 0
        self._more = more
        self._add(block)

    def begin(self, line: int) -> None:
        """A row begins on this line."""
        self.text = ""
        self._line, self._size = line, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.waiting:
            block = next(self._more, None)
            if block is None:
                self.is_over = True
                raise StopIteration
            self._add(block)
        line = self.waiting.popleft()
        self._size += len(line)
        if self._size > MAX_VALUE:  # its fields are many, or one of them goes on and on
            raise ValueError(
                f"line {self._line}: a row is longer than {MAX_VALUE:,} characters, or {_UNCLOSED}"
            )
        if len(self.text) < _SHOWN:
            self.text += line
        return line

    def _add(self, block: bytes) -> None:
        text = readable(block)
        self.damaged = self.damaged or is_damaged(text)
        self.waiting.extend(io.StringIO(text, newline=""))
