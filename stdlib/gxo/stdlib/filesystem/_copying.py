"""Copies of files, as pieces of bytes and without looking at what is in them."""

import os
import stat
from collections.abc import Generator, Iterator
from typing import IO

from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.jail import Jail

PIECE = 1024 * 1024


def opened(files: Jail, path: str) -> IO[bytes]:
    """A file to read, which the caller closes. ModuleError when it is not there, or is a folder,
    a pipe or a device, which may have no end."""
    descriptor = files.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModuleError(f"cannot read '{path}': it is no regular file")
    return open(descriptor, "rb")


def pieces(files: Jail, path: str) -> Generator[bytes, None, None]:
    """The bytes of a file. ModuleError when it is not there."""
    with opened(files, path) as file:
        while piece := file.read(PIECE):
            yield piece


def has(files: Jail, path: str, content: Iterator[bytes]) -> bool:
    """Whether a file holds just these bytes."""
    with opened(files, path) as file:
        return all(file.read(len(piece)) == piece for piece in content) and not file.read(1)


def is_like(there: os.stat_result, other: os.stat_result) -> bool:
    """Whether two regular files can be equal, as far as size and mode say."""
    return (
        stat.S_ISREG(there.st_mode)
        and there.st_size == other.st_size
        and stat.S_IMODE(there.st_mode) == stat.S_IMODE(other.st_mode)
    )


def copy_file(files: Jail, source: str, destination: str, *, act: bool = True) -> int:
    """Copy a regular file with its mode; its bytes, or -1 when there is such a copy already.

    act: whether to do it, or only to find out.
    """
    original = files.stat(source)
    there = files.stat(destination) if files.exists(destination) else None
    if (
        there is not None
        and is_like(there, original)
        and has(files, destination, pieces(files, source))
    ):
        return -1
    if act:
        files.write(destination, pieces(files, source), stat.S_IMODE(original.st_mode))
    return original.st_size
