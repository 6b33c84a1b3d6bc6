"""Bytes that arrive in pieces, as whole lines: what every line-wise format of `data:parse` reads.

    before:  b"a\\nb", b"b\\n", b"c"
    after:   ["a", "bb"], ["c"]

A line that is not UTF-8 stays one line (its bytes escaped), so that it can be a record error.
"""

import codecs
from collections.abc import Iterator

from gxo.runtime.spec import Record

MAX_LINE = 64 * 1024 * 1024
"""Bytes: a longer line is refused instead of filling memory."""


class Fault:
    """A part of the input that is no record: what stands for it among the errors, and why not."""

    __slots__ = ("record", "why")

    def __init__(self, record: Record, why: str) -> None:
        self.record = record
        self.why = why

    @classmethod
    def line(cls, number: int, text: str, why: str) -> "Fault":
        """The line with this number, counted from 1, cannot become a record.

        Bytes that are not UTF-8 are shown as U+FFFD, so that what reads `.errors` can write it.
        """
        if is_damaged(text):
            text = text.encode(errors="surrogateescape").decode(errors="replace")
        return cls({"line": text, "number": number}, f"line {number}: {why}")


Slice = tuple[list[Record], list[Fault]]
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
    first = True
    for block in _cut_after_lines(pieces):
        block = block.removeprefix(codecs.BOM_UTF8) if first else block
        first = False
        if block:
            yield block


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


def decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """The pieces as text, for a format without lines; ValueError at a byte that is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    for piece in pieces:
        start = len(codecs.BOM_UTF8) if not position and piece.startswith(codecs.BOM_UTF8) else 0
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece[start:])
        except UnicodeDecodeError as error:
            at = position - held + start + error.start
            raise ValueError(f"{NOT_UTF8} at byte {at}") from None
        position += len(piece)
        if text:
            yield text
    if decoder.getstate()[0]:
        raise ValueError(f"{NOT_UTF8}: it ends inside a character, at byte {position}")
