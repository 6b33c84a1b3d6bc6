"""The module `filesystem:copy`."""

import os
import posixpath
import stat
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import WorkspacePath, module, reads, writes
from gxo.runtime.workspace.entries import check_target, link_target, make_link, set_mode
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_size
from gxo.stdlib.filesystem._content import check_path
from gxo.stdlib.filesystem._copying import copy_file

_AT_ONCE = 100
"""Entries of a folder between two looks at whether the workload was cancelled."""


class Copied(TypedDict):
    """Whether something was `changed`, and how many `bytes` were written."""

    changed: bool
    bytes: int


@module(
    "filesystem:copy",
    changes="by_call",
    effects=[reads("source"), writes("destination")],
    idempotent=True,
)
async def copy(
    ctx: Context,
    *,
    source: WorkspacePath,
    destination: WorkspacePath,
    recursive: bool = False,
) -> Copied:
    """Copy a file, or with `recursive` a folder, with permissions.

    `destination` is the name of the copy, never a folder to put it in; its parent folders are
    created. Each file is replaced as a whole, and one that is such a copy already is left alone.
    Links in a folder are copied as links. What the destination has besides stays.

    In a dry run nothing is written.

    Args:
        source: the file or folder, inside the workspace
        destination: what the copy is called
        recursive: whether it may be a folder

    Returns:
        `changed`, and the `bytes` that were written.

    Raises:
        There is no such file, it is a folder and `recursive` is not set, something in it is neither
        file, folder nor link, or leads out, the destination is inside it, or the disk is full.

    Example:
        name: saved
        lifecycle: {policy: run_once}
        process:
          module: filesystem:copy
          params:
            source: app.conf
            destination: backup/app.conf
    """
    check_path("source", source)
    check_path("destination", destination)
    files, act = ctx.workspace, not ctx.dry_run
    status = await ctx.thread(files.stat, source)
    if not stat.S_ISDIR(status.st_mode):
        _check_regular(source, status)
        written = [await ctx.thread(lambda: copy_file(files, source, destination, act=act))]
    elif recursive:
        written = await _copy_tree(ctx, files, source.rstrip("/"), destination.rstrip("/"))
    else:
        raise ModuleError(f"'{source}' is a folder", hint="`recursive: true` copies folders")
    new = [size for size in written if size >= 0]
    result: Copied = {"changed": bool(new), "bytes": sum(new)}
    return _foreseen(ctx, source, destination, result) if ctx.dry_run else result


def _foreseen(ctx: Context, source: str, destination: str, result: Copied) -> Copied:
    if not result["changed"]:
        unchanged: Copied = ctx.would(f"leave {destination} as it is", result, changes=False)
        return unchanged
    what = f"copy {source} to {destination} ({shown_size(result['bytes'])})"
    summary: Copied = ctx.would(what, result, writes=".")
    return summary


async def _copy_tree(ctx: Context, files: Jail, source: str, destination: str) -> list[int]:
    """How many bytes each entry took; -1 for what was there already."""
    into, of = (posixpath.join(files.path, path) for path in (destination, source))
    if f"{posixpath.normpath(into)}/".startswith(f"{posixpath.normpath(of)}/"):
        raise ModuleError(f"'{destination}' is inside '{source}', which is to be copied")
    written: list[int] = []
    with closing(_tree_copies(files, source, destination, act=not ctx.dry_run)) as copies:
        while some := await ctx.thread(lambda: list(islice(copies, _AT_ONCE))):
            written += some
    return written


def _tree_copies(
    files: Jail, source: str, destination: str, *, act: bool
) -> Generator[int, None, None]:
    """Copy one entry after the other. Folders get their modes at last: some may not be written."""
    modes = {destination: stat.S_IMODE(files.stat(source).st_mode)}
    yield _copy_folder(files, destination, act)
    for name, status in files.scan(source, recursive=True):
        copied, original = f"{destination}/{name}", f"{source}/{name}"
        if stat.S_ISDIR(status.st_mode):
            modes[copied] = stat.S_IMODE(status.st_mode)
            yield _copy_folder(files, copied, act)
        elif stat.S_ISLNK(status.st_mode):
            yield _copy_link(files, original, copied, act)
        else:
            _check_regular(original, status)
            yield copy_file(files, original, copied, act=act)
    for copied, bits in reversed(modes.items()):
        yield _copy_mode(files, copied, bits, act)


def _copy_folder(files: Jail, destination: str, act: bool) -> int:
    if files.exists(destination) and stat.S_ISDIR(files.stat(destination).st_mode):
        return -1
    if act:
        files.make_directory(destination)
    return 0


def _copy_link(files: Jail, source: str, destination: str, act: bool) -> int:
    target = link_target(files, source)
    with files.doing("link", destination):
        check_target(files, destination, target)
    there = files.lstat(destination)
    if (
        there is not None
        and stat.S_ISLNK(there.st_mode)
        and link_target(files, destination) == target
    ):
        return -1
    if act:
        make_link(files, destination, target)
    return 0


def _copy_mode(files: Jail, destination: str, bits: int, act: bool) -> int:
    if not act and not files.exists(destination):
        return -1
    if stat.S_IMODE(files.stat(destination).st_mode) == bits:
        return -1
    if act:
        set_mode(files, destination, bits)
    return 0


def _check_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ModuleError(f"'{path}' is neither a file nor a folder, and cannot be copied")
