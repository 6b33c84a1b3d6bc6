"""The module `ssh:download`."""

import os
import stat
from typing import TYPE_CHECKING

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import FileMode, Size, WorkspacePath, module, transfers, writes
from gxo.runtime.workspace.entries import make_link, remove, set_mode
from gxo.stdlib._spool import Spool
from gxo.stdlib.filesystem._content import check_path, mode_bits
from gxo.stdlib.ssh._link import ssh_link
from gxo.stdlib.ssh._transfer import Transferred

if TYPE_CHECKING:
    from gxo.stdlib.ssh._sftp import Files

__all__ = ["Transferred", "download"]


@module(
    "ssh:download",
    changes=True,
    effects=[transfers("source"), writes("destination")],
    needs=["asyncssh"],
)
async def download(
    ctx: Context,
    *,
    connection_id: str,
    source: str,
    destination: WorkspacePath,
    recursive: bool = False,
    mode: FileMode | None = None,
    max_bytes: Size | None = None,
    max_files: int = 100_000,
) -> Transferred:
    """Copy a file of a host into the workspace, or with `recursive` a folder, by SFTP.

    `destination` is the name of the copy, never a folder to put it in; its parent folders are
    created. Each file is replaced as a whole, or not at all. Permissions are kept, but not the bits
    that give a program its owner's rights. Links in a folder are copied as links, after all else; a
    link or a name that would lead out of the workspace is refused, whatever the host says. What the
    destination has besides stays.

    In a dry run nothing is fetched.

    Args:
        connection_id: The handle of a connection of `ssh:connect`.
        source: The file or folder on the host; relative to the user's home there.
        destination: What the copy is called, in the workspace.
        recursive: Whether it may be a folder.
        mode: The permissions of the copy, or of each file in it, as "0644"; by default those that
            the file has there.
        max_bytes: How many bytes the files may have together; by default as many as there is room
            for.
        max_files: How many files, folders and links there may be.

    Returns:
        `bytes` and `files` that were fetched.

    Raises:
        SecurityError: a name or a link that leads out.
        ModuleError: there is no such file, or more than is allowed; something in the folder is
            neither file, folder nor link; the disk is full; the connection is lost or was closed.

    Example:
        name: logs
        lifecycle: {policy: run_once}
        process:
          module: ssh:download
          params:
            connection_id: "{{ .web.connection_id }}"
            source: /var/log/app
            destination: logs/web
            recursive: true
            max_bytes: 1GB
    """
    check_path("destination", destination)
    bits = mode_bits(mode) if mode is not None else None
    link = await ssh_link(ctx, connection_id)
    from gxo.stdlib.ssh._sftp import files_of, remote_path

    there = remote_path("source", source)
    await ctx.thread(ctx.workspace.exists, destination)  # a path that leaves, before the work
    async with files_of(ctx, link) as files:
        fetched = _Download(ctx, files, bits, max_bytes, max_files)
        kind = await files.kind(there)
        if kind is None:
            raise ModuleError(f"cannot read {source!r} on {link.host}: no such file or directory")
        if not stat.S_ISDIR(kind):
            await fetched.alone(there, destination, kind)
        elif recursive:
            await fetched.tree(there, destination.rstrip("/") or "/", kind)
        else:
            raise ModuleError(
                f"{source!r} is a folder on {link.host}", hint="`recursive: true` copies folders"
            )
    return {"bytes": fetched.bytes, "files": fetched.files}


class _Download:
    """Counts what was fetched: bytes, files. bits: permissions of files, None for their own."""

    def __init__(
        self, ctx: Context, files: "Files", bits: int | None, max_bytes: int | None, max_files: int
    ) -> None:
        self.bytes = self.files = 0
        self._ctx = ctx
        self._there = files
        self._bits = bits
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._entries = 0
        self._links: dict[str, bytes] = {}
        self._modes: dict[str, int] = {}

    async def alone(self, there: bytes, path: str, kind: int) -> None:
        """Fetch one file."""
        with Spool(self._ctx, path, self._mode_of(path, kind)) as spool:
            await self._fetch(there, spool)
            await spool.save()

    async def tree(self, there: bytes, path: str, kind: int) -> None:
        """Fetch a folder: links at last, so that nothing is written through one; permissions of
        folders after them, as some may not be written."""
        await self._ctx.thread(self._ctx.workspace.make_directory, path)
        waiting = [(there, path, kind)]
        while waiting:
            folder, here, mode = waiting.pop()
            self._modes[here] = mode
            async for name, kind in self._there.entries(folder):
                self._count()
                inner, copy = folder + b"/" + name, f"{here}/{os.fsdecode(name)}"
                if stat.S_ISDIR(kind):
                    await self._ctx.thread(self._have_folder, copy)
                    waiting.append((inner, copy, kind))
                elif stat.S_ISLNK(kind):
                    self._links[copy] = await self._there.target(inner)
                else:
                    await self._file(inner, copy, kind)
        await self._ctx.thread(self._finish)

    async def _file(self, there: bytes, path: str, kind: int) -> None:
        with Spool(self._ctx, path, self._mode_of(path, kind)) as spool:
            await self._fetch(there, spool)
            await self._ctx.thread(self._remove_link, path)
            await spool.put()

    async def _fetch(self, there: bytes, spool: Spool) -> None:
        async for piece in self._there.pieces(there):
            self.bytes += len(piece)
            if self._max_bytes is not None and self.bytes > self._max_bytes:
                raise ModuleError(
                    f"{self._there.host} sends more than {self._max_bytes} bytes (max_bytes)",
                    hint="raise the limit if you trust the host",
                )
            await spool.add(piece)
        self.files += 1

    def _mode_of(self, path: str, kind: int) -> int:
        if not stat.S_ISREG(kind):
            what = f"'{path}' would be neither a file, a folder nor a link"
            raise ModuleError(f"{what}, as {self._there.host} says")
        return self._bits if self._bits is not None else stat.S_IMODE(kind) & 0o777

    def _count(self) -> None:
        self._entries += 1
        if self._entries > self._max_files:
            raise ModuleError(
                f"{self._there.host} names more than {self._max_files} files (max_files)",
                hint="raise the limit if you trust the host",
            )

    def _have_folder(self, path: str) -> None:
        self._remove_link(path)
        self._ctx.workspace.make_directory(path)

    def _remove_link(self, path: str) -> None:
        """What is written is the copy, and not what a link in its place leads to."""
        there = self._ctx.workspace.lstat(path)
        if there is not None and stat.S_ISLNK(there.st_mode):
            remove(self._ctx.workspace, path)

    def _finish(self) -> None:
        for path, target in self._links.items():
            make_link(self._ctx.workspace, path, os.fsdecode(target))
        for path, mode in reversed(self._modes.items()):
            set_mode(self._ctx.workspace, path, stat.S_IMODE(mode) & 0o1777)
