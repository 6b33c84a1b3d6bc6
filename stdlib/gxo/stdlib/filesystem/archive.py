"""The module `filesystem:archive`."""

import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from typing import IO, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import WorkspacePath, module, reads, writes
from gxo.runtime.workspace.entries import link_target
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_size
from gxo.stdlib.filesystem._archives import Entry, Format, format_of, packed
from gxo.stdlib.filesystem._content import check_path
from gxo.stdlib.filesystem._copying import PIECE, has, pieces

_AT_ONCE = 16
"""Pieces between two looks at whether the workload was cancelled."""


class Archived(TypedDict):
    """The archive's `path`, how many `files` and `bytes` it has, and whether it was `changed`."""

    path: str
    files: int
    bytes: int
    changed: bool


@module(
    "filesystem:archive",
    changes="by_call",
    effects=[reads("source"), writes("destination")],
    idempotent=True,
    returns={"path": ["destination"]},
)
async def archive(
    ctx: Context,
    *,
    source: WorkspacePath,
    destination: WorkspacePath,
    format_: Format | None = None,
) -> Archived:
    """Pack a file, or all that is in a folder, into an archive.

    Names are relative to the folder, and sorted; permissions and times are kept, owners are not. So
    the same files give the same archive, byte for byte, and one that is there already is left
    alone. Links are packed as links. The archive is replaced as a whole.

    In a dry run nothing is written.

    Args:
        source: the file or folder, inside the workspace
        destination: the archive
        format_: `tar`, `tar.gz` or `zip`; by default what the archive's name ends with

    Returns:
        `path` of the archive, how many `files` are in it, its `bytes`, and whether it `changed`.

    Raises:
        There is no such file, something in the folder is neither file, folder nor link, the disk is
        full, or the format is not known.

    Example:
        name: logs
        lifecycle: {policy: run_once}
        process:
          module: filesystem:archive
          params:
            source: logs
            destination: logs.tar.gz
    """
    check_path("source", source)
    check_path("destination", destination)
    kind = format_of(destination, format_)
    files = ctx.workspace
    entries = await ctx.thread(_entries, files, source, destination)
    # A dry run must not touch the workspace, not even for a moment.
    with tempfile.TemporaryFile(dir=None if ctx.dry_run else files.path) as file:
        with closing(_packing(files, source, file, kind, entries)) as steps:
            while await ctx.thread(lambda: list(islice(steps, _AT_ONCE))):
                pass
        size = file.tell()
        changed = await ctx.thread(_save, files, destination, file)
    result: Archived = {
        "path": destination,
        "files": sum(stat.S_ISREG(status.st_mode) for _, status in entries),
        "bytes": size,
        "changed": changed,
    }
    return _foreseen(ctx, result) if ctx.dry_run else result


def _foreseen(ctx: Context, result: Archived) -> Archived:
    path = result["path"]
    if result["changed"]:
        what = f"write {path} ({shown_size(result['bytes'])}, {result['files']} files)"
    else:
        what = f"leave {path} as it is"
    summary: Archived = ctx.would(what, result, changes=result["changed"])
    return summary


def _entries(files: Jail, source: str, destination: str) -> list[tuple[str, os.stat_result]]:
    """What is packed, by name; the name of a file that is packed alone is empty."""
    status = files.stat(source)
    if not stat.S_ISDIR(status.st_mode):
        found = [("", status)]
    else:
        found = sorted(files.scan(source, recursive=True), key=lambda entry: entry[0])
        # An archive does not hold itself, as it was before.
        itself = _normal(files, destination)
        found = [one for one in found if _normal(files, _inside(source, one[0])) != itself]
    for name, each in found:
        if stat.S_IFMT(each.st_mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            raise ModuleError(f"'{name or source}' is neither a file, a folder nor a link")
    return found


def _packing(
    files: Jail,
    source: str,
    file: IO[bytes],
    kind: Format,
    entries: list[tuple[str, os.stat_result]],
) -> Generator[None, None, None]:
    yield from packed(file, kind, (_entry(files, source, *entry) for entry in entries))


def _entry(files: Jail, source: str, name: str, status: os.stat_result) -> Entry:
    path = _inside(source, name) if name else source
    mode, target, size = status.st_mode, "", 0
    if stat.S_ISLNK(mode):
        target = link_target(files, path)
    elif stat.S_ISREG(mode):
        size = status.st_size
    content = pieces(files, path) if size else iter(())
    return Entry(name or os.path.basename(source), mode, status.st_mtime, target, size, content)


def _normal(files: Jail, path: str) -> str:
    return os.path.normpath(os.path.join(files.path, path))


def _inside(folder: str, name: str) -> str:
    return os.path.join(folder, name).removeprefix("./")


def _save(files: Jail, destination: str, file: IO[bytes]) -> bool:
    """Give the archive its name; whether it is another one than before."""

    def content() -> Generator[bytes, None, None]:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece

    is_file = files.exists(destination) and stat.S_ISREG(files.stat(destination).st_mode)
    if is_file and has(files, destination, content()):
        return False
    files.write(destination, content())
    return True
