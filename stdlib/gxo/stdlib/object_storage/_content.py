"""What an object is to hold, with its checksums: a text of the playbook, or a file."""

import hashlib
import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.jail import REGULAR, Jail
from gxo.stdlib.object_storage._store import Body, Found

PIECE = 256 * 1024
"""Bytes of a file in memory at a time, for each part that is on its way."""


class Bytes:
    """A body that is in memory."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    async def pieces(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), PIECE):
            yield self.data[start : start + PIECE]


EMPTY = Bytes()


@dataclass(frozen=True, slots=True)
class FilePart:
    """A piece of an open file, which is read each time it is sent. path: for messages."""

    ctx: Context
    path: str
    descriptor: int
    start: int
    size: int
    sha256: str

    async def pieces(self) -> AsyncIterator[bytes]:
        at, end = self.start, self.start + self.size
        while at < end:
            piece = await self.ctx.thread(_read, self, at, min(PIECE, end - at))
            at += len(piece)
            yield piece


def _read(part: FilePart, at: int, size: int) -> bytes:
    with part.ctx.workspace.doing("read", part.path):
        piece = os.pread(part.descriptor, size, at)
    if not piece:
        raise ModuleError(
            f"'{part.path}' has become shorter while it was sent",
            hint="send a file that nobody writes to",
        )
    return piece


@dataclass(frozen=True, slots=True)
class Content:
    """parts: at least one. checksum: makes another one than sha256 by its name; blocks."""

    parts: Sequence[Body]
    size: int
    sha256: str
    checksum: Callable[[str], str]


def text_content(data: bytes) -> Content:
    """What is in memory goes in one part."""
    body = Bytes(data)
    return Content([body], body.size, body.sha256, partial(_checksum, data))


def file_content(ctx: Context, path: str, descriptor: int, size: int, part_size: int) -> Content:
    """An open file, read once for its checksums. Blocks; ModuleError when it gets shorter."""
    whole = hashlib.sha256()
    parts = []
    for start in range(0, size, part_size) if size else [0]:
        part = FilePart(ctx, path, descriptor, start, min(part_size, size - start), "")
        made = hashlib.sha256()
        at = start
        while at < start + part.size:
            piece = _read(part, at, min(PIECE, start + part.size - at))
            whole.update(piece)
            made.update(piece)
            at += len(piece)
        parts.append(replace(part, sha256=made.hexdigest()))
    return Content(parts, size, whole.hexdigest(), partial(file_checksum, descriptor))


def _checksum(data: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def file_checksum(descriptor: int, algorithm: str) -> str:
    """A file's checksum in hexadecimal. Blocks."""
    made = hashlib.new(algorithm, usedforsecurity=False)
    at = 0
    while piece := os.pread(descriptor, PIECE, at):
        made.update(piece)
        at += len(piece)
    return made.hexdigest()


def known_checksum(found: Found) -> tuple[Literal["sha256", "md5", ""], str]:
    """The best checksum that is known of an object: its algorithm and value; empty without one."""
    if found.sha256:
        return "sha256", found.sha256
    return ("md5", found.md5) if found.md5 else ("", "")


@asynccontextmanager
async def open_file(ctx: Context, path: str) -> AsyncIterator[tuple[int, int]]:
    """A file's descriptor and size. ModuleError when it is missing, or no file."""
    with ExitStack() as stack:
        descriptor = await ctx.thread(_open, ctx.workspace, path, stack)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ModuleError(f"'{path}' is no file, and cannot be sent")
        yield descriptor, status.st_size


def _open(files: Jail, path: str, stack: ExitStack) -> int:
    """Open a file, which the stack closes: also when nobody waits for this thread any more."""
    descriptor = files.open(path, os.O_RDONLY | REGULAR)
    stack.callback(os.close, descriptor)
    return descriptor
