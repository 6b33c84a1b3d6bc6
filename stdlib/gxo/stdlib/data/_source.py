"""Where `data:parse` reads: a text, or a file of the workspace, as bytes in pieces.

A file that begins as gzip's do is unpacked on the way. Errors name the byte of the file.
"""

import os
import stat
import zlib
from collections.abc import Generator, Iterator
from itertools import chain

from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.data._text import Refused

PIECE = 512 * 1024
"""Bytes that are turned into records at a time."""

MAX_RATIO = 200
"""How many bytes one byte of a gzip file may become, on average, past `FREE`. Logs become 10 to 30,
and whole disks of zeros 1,000."""
FREE = 64 * 1024 * 1024

MAX_EMPTY = 10_000
"""Members of a gzip file that hold nothing: they take time, and give nothing to show for it."""

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
"""What makes `zlib` expect a member of a gzip file."""


def text_pieces(content: str) -> Generator[bytes, None, None]:
    data = content.encode(errors="surrogatepass")
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def file_pieces(workspace: Jail, path: str) -> Generator[bytes, None, None]:
    """Read a regular file; anything else (a pipe, a device) could block for ever or never end.

    ModuleError when it is none; ValueError when it changes meanwhile, or is damaged gzip.
    """
    descriptor = workspace.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ModuleError(f"cannot read '{path}': it is not a regular file")
        yield from _unpacked(_read(descriptor))
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Iterator[bytes]:
    """The bytes that the file has now: one that others append to does not go on for ever."""
    before = os.fstat(descriptor)
    # The size of what the kernel makes up, such as /proc/meminfo, is 0.
    left = before.st_size or None
    at = 0
    while piece := os.read(descriptor, PIECE if left is None else min(PIECE, left)):
        at += len(piece)
        if left is not None:
            left -= len(piece)
        yield piece
    after = os.fstat(descriptor)
    if after.st_size < before.st_size:
        raise ValueError(f"byte {at}: the file became shorter while it was read")
    if after.st_size == before.st_size and after.st_mtime_ns != before.st_mtime_ns:
        raise ValueError(f"byte {at}: the file was changed while it was read")


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, or what is packed in them, by as much at a time as a piece has bytes."""
    first = next(pieces, b"")
    if not first.startswith(_GZIP):
        yield first
        yield from pieces
        return
    member = zlib.decompressobj(_GZIP_WINDOW)
    at = unpacked = before = empty = 0
    for data in chain([first], pieces):
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
