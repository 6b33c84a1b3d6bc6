"""Where `data:parse` reads: a text, or a file of the workspace, as bytes in pieces.

A file that begins as gzip's do is unpacked on the way. Errors name the byte of the file.
"""

import os
import stat
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import chain

from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.data._text import Refused

PIECE = 512 * 1024
"""Bytes that are turned into records at a time."""

_AT_HAND = 128 * 1024
"""Bytes that are read at a time where nothing is waited for: few enough to be still in the
processor's cache when they are used."""

MAX_RATIO = 200
"""How many bytes one byte of a gzip file may become, on average, past `FREE`. Logs become 10 to 30,
and whole disks of zeros 1,000."""
FREE = 64 * 1024 * 1024

MAX_EMPTY = 10_000
"""Members of a gzip file that hold nothing: they take time, and give nothing to show for it."""

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
"""What makes `zlib` expect a member of a gzip file."""

_HERE = -1
"""The offset that stands for where the last read has ended."""


def text_pieces(content: str) -> Generator[bytes, None, None]:
    data = content.encode(errors="surrogatepass")
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


class FilePieces:
    """The bytes of a regular file; anything else (a pipe, a device) could block for ever or never
    end. To go through them waits for the disk, and belongs into a thread.

    ModuleError when it is no such file; ValueError when it changes meanwhile, or is damaged gzip.
    """

    def __init__(self, workspace: Jail, path: str) -> None:
        self._plain: _File | None = None
        self._pieces = self._opened(workspace, path)

    def __iter__(self) -> "FilePieces":
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def at_hand(self) -> bytes:
        """As much of the next piece as is in memory, and then is that piece; empty where the disk
        must be waited for, or the end is near."""
        return b"" if self._plain is None else self._plain.at_hand()

    def close(self) -> None:
        """Nothing more is read."""
        self._pieces.close()

    def _opened(self, workspace: Jail, path: str) -> Generator[bytes, None, None]:
        descriptor = workspace.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ModuleError(f"cannot read '{path}': it is not a regular file")
            file = _File(descriptor)
            first = next(file, b"")
            if first.startswith(_GZIP):
                yield from _unpacked(chain([first], file))
            else:
                self._plain = file
                yield first
                yield from file
        finally:
            self._plain = None
            os.close(descriptor)


class _File:
    """The bytes that a file has now: one that others append to does not go on for ever."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before = os.fstat(descriptor)
        # The size of what the kernel makes up, such as /proc/meminfo, is 0.
        self._left = self._before.st_size or None
        self._at = 0
        self._ahead = b""
        self._buffer: bytearray | None = None

    def __iter__(self) -> "_File":
        return self

    def __next__(self) -> bytes:
        most = PIECE if self._left is None else min(PIECE, self._left)
        piece, self._ahead = self._ahead or os.read(self._descriptor, most), b""
        if not piece:
            self._check_unchanged()
            raise StopIteration
        self._at += len(piece)
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def at_hand(self) -> bytes:
        """See `FilePieces`. To ask again reads no more."""
        if not self._ahead and self._left and hasattr(os, "RWF_NOWAIT"):
            if self._buffer is None:
                self._buffer = bytearray(_AT_HAND)
            part = memoryview(self._buffer)[: self._left]
            with suppress(OSError):  # it would have to wait, or the file system cannot tell
                size = os.preadv(self._descriptor, [part], _HERE, os.RWF_NOWAIT)
                self._ahead = bytes(part[:size])
        return self._ahead

    def _check_unchanged(self) -> None:
        before, after = self._before, os.fstat(self._descriptor)
        if after.st_size < before.st_size:
            raise ValueError(f"byte {self._at}: the file became shorter while it was read")
        if after.st_size == before.st_size and after.st_mtime_ns != before.st_mtime_ns:
            raise ValueError(f"byte {self._at}: the file was changed while it was read")


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What is packed in the pieces, by as much at a time as a piece has bytes."""
    member = zlib.decompressobj(_GZIP_WINDOW)
    at = unpacked = before = empty = 0
    for data in pieces:
        at += len(data)
        while data:
            if member.eof:  # zeros may stand behind a member, as tapes have them, or another one
                data = data.lstrip(b"\0")
                if not data:
                    break
                empty += unpacked == before
                if empty > MAX_EMPTY:
                    raise ValueError(
                        f"byte {at}, or before: more than {MAX_EMPTY:,} members of the gzip file"
                        " hold nothing"
                    )
                before = unpacked
                member = zlib.decompressobj(_GZIP_WINDOW)
            for piece in _inflated(member, data, at):
                unpacked += len(piece)
                if unpacked > max(FREE, MAX_RATIO * at):
                    raise _bomb(at)
                yield piece
            data = member.unused_data
    if not member.eof:
        raise ValueError(f"byte {at}: the gzip file ends too early")


def _bomb(at: int) -> Refused:
    return Refused(
        f"byte {at}, or before: the gzip file unpacks to more than {MAX_RATIO} times its size",
        "if it may be so large, unpack it first: `exec` with gunzip",
    )


def _inflated(member: "zlib._Decompress", data: bytes, at: int) -> Iterator[bytes]:
    while not member.eof:
        try:
            piece = member.decompress(data, PIECE)
        except zlib.error as error:
            why = str(error).rpartition(": ")[2]  # without the number that zlib has for it
            raise ValueError(f"byte {at}, or before: damaged gzip: {why}") from None
        data = member.unconsumed_tail
        if piece:
            yield piece
        if not data and len(piece) < PIECE:
            return
