"""The module `filesystem:extract`."""

import os
import posixpath
import stat
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, SecurityError
from gxo.runtime.spec import Size, WorkspacePath, module, reads, writes
from gxo.runtime.workspace.entries import (
    leads_out,
    link_target,
    make_link,
    remove,
    set_mode,
    turns_back,
)
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_size
from gxo.stdlib.filesystem._archives import Format, Member, format_of, members
from gxo.stdlib.filesystem._content import check_path
from gxo.stdlib.filesystem._copying import PIECE, has, opened, pieces

_AT_ONCE = 100
"""Members between two looks at whether the workload was cancelled."""


class Extracted(TypedDict):
    """The folder's `path`, how many `files` and `bytes` came into it, whether it was `changed`."""

    path: str
    files: int
    bytes: int
    changed: bool


@module(
    "filesystem:extract",
    changes="by_call",
    effects=[reads("source"), writes("destination")],
    idempotent=True,
    returns={"path": ["destination"]},
)
async def extract(
    ctx: Context,
    *,
    source: WorkspacePath,
    destination: WorkspacePath,
    format_: Format | None = None,
    max_bytes: Size = 1024 * 1024 * 1024,
    max_files: int = 100_000,
) -> Extracted:
    """Unpack an archive into a folder, which is created.

    Before anything is written the whole archive is looked at. It is refused when a name or a link
    would lead out of the folder, or when it holds a device or a pipe, more than the limits allow,
    or a name that leads through one of its own links. Permissions are kept, but not the bits that
    give a program its owner's rights. Owners and times are not.

    Each file is replaced as a whole, and one that is there already is left alone, as is what the
    folder has besides. In a dry run nothing is written.

    Args:
        source: the archive, inside the workspace
        destination: the folder
        format_: `tar`, `tar.gz` or `zip`; by default what the archive's name ends with
        max_bytes: how many bytes its files may have together
        max_files: how many members it may have

    Returns:
        `path` of the folder, how many `files` and `bytes` were written, and whether something
        `changed`.

    Raises:
        SecurityError: a member that would be somewhere else than in the folder.
        ModuleError: there is no such archive, it is damaged or too large, or the disk is full.

    Example:
        name: unpacked
        lifecycle: {policy: run_once}
        process:
          module: filesystem:extract
          params:
            source: release.tar.gz
            destination: release
    """
    check_path("source", source)
    check_path("destination", destination)
    kind = format_of(source, format_)
    files = ctx.workspace
    folder = _Folder(files, destination.rstrip("/") or "/", act=not ctx.dry_run)
    with closing(_checked(files, source, kind, _Limits(source, max_bytes, max_files))) as checked:
        while await ctx.thread(lambda: list(islice(checked, _AT_ONCE))):
            pass
    await ctx.thread(folder.begin)
    # What is unpacked is checked again: another may have replaced the archive meanwhile.
    with closing(_checked(files, source, kind, _Limits(source, max_bytes, max_files))) as checked:
        unpacked = map(folder.put, checked)
        while await ctx.thread(lambda: list(islice(unpacked, _AT_ONCE))):
            pass
    await ctx.thread(folder.finish)
    result: Extracted = {
        "path": destination,
        "files": folder.files,
        "bytes": folder.bytes,
        "changed": folder.changed,
    }
    return _foreseen(ctx, source, result) if ctx.dry_run else result


def _foreseen(ctx: Context, source: str, result: Extracted) -> Extracted:
    path = result["path"]
    if not result["changed"]:
        unchanged: Extracted = ctx.would(f"leave {path} as it is", result, changes=False)
        return unchanged
    size = f"{shown_size(result['bytes'])}, {result['files']} files"
    summary: Extracted = ctx.would(f"unpack {source} into {path} ({size})", result, writes=".")
    return summary


class _Limits:
    """Holds an archive's members against what is allowed."""

    def __init__(self, archive: str, max_bytes: int, max_files: int) -> None:
        self._archive = archive
        self._bytes = self._bytes_left = max_bytes
        self._files = 0
        self._max_files = max_files
        self._links: set[str] = set()
        self._names: set[str] = set()

    def check(self, member: Member) -> None:
        """SecurityError for a member that would be somewhere else, ModuleError for too many."""
        name = member.name
        shown = ascii(name[:100])
        if member.kind == "other":
            raise SecurityError(f"'{self._archive}' holds {shown}, a device or a pipe")
        if leads_out(name) or "\0" in name:
            raise SecurityError(f"'{self._archive}' holds {shown}, which leads out of the folder")
        path = posixpath.normpath(name)
        if any(parent in self._links for parent in _parents(path)):
            raise SecurityError(f"'{self._archive}' holds {shown}, which leads through a link")
        if member.kind == "link":
            if leads_out(posixpath.join(posixpath.dirname(path), member.target)):
                raise SecurityError(f"'{self._archive}' holds {shown}, a link out of the folder")
            if turns_back(member.target):
                raise SecurityError(f"'{self._archive}' holds {shown}, a link whose end is unsure")
            self._links.add(path)
        elif member.kind == "hard link" and posixpath.normpath(member.target) not in self._names:
            raise SecurityError(f"'{self._archive}' holds {shown}, a link to none of its files")
        elif member.kind == "file":
            self._names.add(path)
        self._count(member)

    def check_count(self, count: int) -> None:
        """ModuleError for an archive with so many members, or more."""
        if count > self._max_files:
            raise ModuleError(
                f"'{self._archive}' has more than {self._max_files} members (max_files)",
                hint="raise the limit if you trust where the archive comes from",
            )

    def _count(self, member: Member) -> None:
        self._files += 1
        self.check_count(self._files)
        self._bytes_left -= member.size
        if self._bytes_left < 0:
            raise ModuleError(
                f"the files in '{self._archive}' have more than {self._bytes} bytes (max_bytes)",
                hint="raise the limit if you trust where the archive comes from",
            )


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


class _Folder:
    """Where members are put. files, bytes: of those that were written. changed: whether any was.

    act: whether to write, or only to find out.
    """

    def __init__(self, files: Jail, path: str, *, act: bool) -> None:
        self.files = self.bytes = 0
        self.changed = False
        self._jail = files
        self._path = path
        self._act = act
        self._beside = files.path if act else None  # a dry run leaves the workspace alone
        self._modes: dict[str, int] = {}

    def begin(self) -> None:
        """Have the folder itself."""
        self._have_folder(self._path)

    def put(self, member: Member) -> None:
        """Have one member, which has been checked."""
        path = posixpath.normpath(f"{self._path}/{member.name}")
        if member.kind == "folder":
            self._have_folder(path)
            self._modes[path] = member.mode
        elif member.kind == "link":
            self._have_link(path, member.target)
        elif member.kind == "file":
            self._have_file(path, member.mode, member.size, member.content)
        else:
            self._have_copy(path, posixpath.normpath(f"{self._path}/{member.target}"))

    def finish(self) -> None:
        """Folders get their permissions at last: some may not be written."""
        for path, bits in reversed(self._modes.items()):
            if not self._jail.exists(path):  # in a dry run
                continue
            if stat.S_IMODE(self._jail.stat(path).st_mode) != bits:
                self.changed = True
                if self._act:
                    set_mode(self._jail, path, bits)

    def _have_folder(self, path: str) -> None:
        if self._jail.exists(path) and stat.S_ISDIR(self._jail.stat(path).st_mode):
            return
        self.changed = True
        if self._act:
            self._jail.make_directory(path)

    def _have_link(self, path: str, target: str) -> None:
        there = self._jail.lstat(path)
        is_link = there is not None and stat.S_ISLNK(there.st_mode)
        if is_link and link_target(self._jail, path) == target:
            return
        self.changed = True
        if self._act:
            self._jail.make_directory(posixpath.dirname(path) or ".")
            make_link(self._jail, path, target)

    def _have_copy(self, path: str, original: str) -> None:
        """What was one file under two names becomes two files."""
        if not self._jail.exists(original):  # in a dry run
            self.changed = True
            return
        status = self._jail.stat(original)
        bits = stat.S_IMODE(status.st_mode)
        self._have_file(path, bits, status.st_size, lambda: pieces(self._jail, original))

    def _have_file(
        self, path: str, bits: int, size: int, content: Callable[[], Iterator[bytes]]
    ) -> None:
        there = self._jail.lstat(path)
        is_alike = there is not None and there.st_mode == stat.S_IFREG | bits
        if not (is_alike and there is not None and there.st_size == size):
            self._replace(path, there, bits, size, content())
            return
        # A compressed archive goes on from where it was read to, so this is read from it once.
        with tempfile.SpooledTemporaryFile(PIECE, dir=self._beside) as kept:
            kept.writelines(content())
            kept.seek(0)
            if not has(self._jail, path, iter(lambda: kept.read(PIECE), b"")):
                kept.seek(0)
                self._replace(path, there, bits, size, iter(lambda: kept.read(PIECE), b""))

    def _replace(
        self,
        path: str,
        there: os.stat_result | None,
        bits: int,
        size: int,
        content: Iterator[bytes],
    ) -> None:
        self.changed = True
        self.files += 1
        self.bytes += size
        if not self._act:
            return
        if there is not None and stat.S_ISLNK(there.st_mode):
            remove(self._jail, path)  # and not what it leads to
        self._jail.write(path, content, bits)


def _checked(
    files: Jail, source: str, kind: Format, limits: _Limits
) -> Generator[Member, None, None]:
    """The archive's members, as far as they are allowed."""
    with opened(files, source) as file:
        for member in members(file, kind, source, limits.check_count):
            limits.check(member)
            yield member
