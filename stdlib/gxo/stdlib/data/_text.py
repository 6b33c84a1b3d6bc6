"""Bytes that arrive in pieces, as whole lines: what every line-wise format of `data:parse` reads.

    before:  b"a\\nb", b"b\\n", b"c"
    after:   ["a", "bb"], ["c"]

A line that is not UTF-8 stays one line (its bytes escaped), so that it can be a record error.
"""

import codecs
from collections import Counter
from collections.abc import Iterator

from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch

MAX_LINE = 64 * 1024 * 1024
"""Bytes: a longer line is refused instead of filling memory."""


class Fault:
    """A part of the input that is no record: what stands for it among the errors, and why not."""

    __slots__ = ("record", "why")

    def __init__(self, record: Record, why: str) -> None:
        self.record = record
        self.why = why

    @classmethod
    def line(cls, number: int, text: str, why: str, column: int | None = None) -> "Fault":
        """The line with this number, counted from 1, cannot become a record.

        Bytes that are not UTF-8 are shown as U+FFFD, so that what reads `.errors` can write it.
        """
        if is_damaged(text):
            text = text.encode(errors="surrogateescape").decode(errors="replace")
        place = f"line {number}" if column is None else f"line {number}, column {column}"
        return cls({"line": text, "number": number}, f"{place}: {why}")


class Refused(ValueError):  # noqa: N818 - what became of the input
    """An input that is not read any further. hint: what its user can do."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


Slice = tuple[Batch, list[Fault]]
"""What a reader makes of one stretch of its input."""


def blocks(pieces: Iterator[bytes]) -> Iterator[str]:
    """`line_blocks` as texts."""
    return map(readable, line_blocks(pieces))


def readable(block: bytes) -> str:
    """Bytes as text; `is_damaged` tells whether some of them are not UTF-8."""
    try:
        return block.decode()
    except UnicodeDecodeError:
        return block.decode(errors="surrogateescape")


def line_blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Bytes that end with a line's end (the last ones where the input ends), without a BOM."""
    found = _cut_after_lines(pieces)
    if first := _without_mark(next(found, b"")):
        yield first
    yield from found


def _without_mark(head: bytes) -> bytes:
    """How an input begins, without a byte order mark. Refused where that shows that it is UTF-16:
    it has a mark of its own, or a NUL beside each letter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _has_wide_letters(head):
        raise Refused(
            "byte 0: it is in UTF-16, not in UTF-8", "iconv -f UTF-16 -t UTF-8 changes it"
        )
    return head.removeprefix(codecs.BOM_UTF8)


def _has_wide_letters(head: bytes) -> bool:
    """Whether every second of the first 16 bytes is a NUL, and no other."""
    halves = head[0:16:2], head[1:16:2]
    return len(head) >= 16 and any(
        not any(one) and 0 not in other for one, other in (halves, halves[::-1])
    )


def _cut_after_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = at = 0  # of what waits, and where it begins
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join([*waiting, memoryview(piece)[:cut]])
            at += size + cut
            waiting, size = [], 0
        waiting.append(piece[cut:])
        size += len(piece) - cut
        if size > MAX_LINE:
            raise ValueError(f"byte {at}: a line is longer than {MAX_LINE:,} bytes")
    if size:
        yield b"".join(waiting)


def lines(block: str) -> list[str]:
    """A block's lines without their ends, `\\n` or `\\r\\n`."""
    found = block.split("\n")
    if not found[-1]:
        found.pop()
    if "\r" in block:
        return [line.removesuffix("\r") for line in found]
    return found


def is_damaged(text: str) -> bool:
    """Whether the text has bytes that are not UTF-8."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


NOT_UTF8 = "not valid UTF-8"


def given_columns(headers: bool | list[str]) -> list[str] | None:
    """The names of the columns, if the option `headers` says them."""
    if isinstance(headers, bool):
        return None
    if twice := repeated(headers):
        raise ParameterError(f"format_options.headers: the column '{twice}' is there twice")
    return headers


def repeated(names: list[str]) -> str | None:
    """The first of the names that is there twice."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """The pieces as text, for a format without lines. Bytes that are not UTF-8 are escaped in it,
    so that what holds them can be an error of its own."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    first = True
    for piece in pieces:
        if text := decoder.decode(_without_mark(piece) if first else piece):
            yield text
        first = False
    if rest := decoder.decode(b"", final=True):
        yield rest
