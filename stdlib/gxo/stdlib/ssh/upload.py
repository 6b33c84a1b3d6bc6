"""The module `ssh:upload`."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import FileMode, WorkspacePath, module, reads, transfers
from gxo.runtime.workspace.entries import link_target
from gxo.stdlib.filesystem._content import check_path, mode_bits
from gxo.stdlib.ssh._link import ssh_link
from gxo.stdlib.ssh._transfer import Transferred

if TYPE_CHECKING:
    from gxo.stdlib.ssh._sftp import Files

__all__ = ["Transferred", "upload"]

_AT_ONCE = 100
"""Entries of a folder that are looked up at a time."""


@module(
    "ssh:upload",
    changes=True,
    effects=[reads("source"), transfers("destination")],
    needs=["asyncssh"],
)
async def upload(
    ctx: Context,
    *,
    connection_id: str,
    source: WorkspacePath,
    destination: str,
    recursive: bool = False,
    mode: FileMode | None = None,
) -> Transferred:
    """Copy a file of the workspace to a host, or with `recursive` a folder, by SFTP.

    `destination` is the name of the copy, never a folder to put it in; its parent folders are
    created. Each file is replaced as a whole: it is written under another name beside it (`.gxo-`)
    and renamed, so that nobody sees a part of it, whatever interrupts that. Links in a folder are
    copied as links. What the destination has besides stays.

    In a dry run nothing is sent.

    Args:
        connection_id: The handle of a connection of `ssh:connect`.
        source: The file or folder, in the workspace.
        destination: What the copy is called on the host; relative to the user's home there.
        recursive: Whether it may be a folder.
        mode: The permissions of the copy, or of each file in it, as "0644"; by default those that
            the file has here, without set-uid and set-gid.

    Returns:
        `bytes` and `files` that were sent.

    Raises:
        ModuleError: there is no such file, something in the folder is neither file, folder nor
            link; the host refuses, is full, or has no SFTP; the connection is lost or was closed.

    Example:
        name: release
        lifecycle: {policy: run_once}
        process:
          module: ssh:upload
          params:
            connection_id: "{{ .web.connection_id }}"
            source: site
            destination: www/site
            recursive: true
    """
    check_path("source", source)
    bits = mode_bits(mode) if mode is not None else None
    link = await ssh_link(ctx, connection_id)
    from gxo.stdlib.ssh._sftp import files_of, remote_path

    there = remote_path("destination", destination)
    status = await ctx.thread(ctx.workspace.stat, source)
    is_folder = stat.S_ISDIR(status.st_mode)
    if is_folder and not recursive:
        raise ModuleError(f"'{source}' is a folder", hint="`recursive: true` copies folders")
    async with files_of(ctx, link) as files:
        sent = _Upload(ctx, files, bits)
        if is_folder:
            await sent.tree(source.rstrip("/") or "/", there, status.st_mode)
        else:
            await sent.alone(source, there)
    return {"bytes": sent.bytes, "files": sent.files}


class _Upload:
    """Counts what was sent: bytes, files. bits: the permissions of files, None for their own."""

    def __init__(self, ctx: Context, files: "Files", bits: int | None) -> None:
        self.bytes = self.files = 0
        self._ctx = ctx
        self._there = files
        self._bits = bits

    async def alone(self, source: str, there: bytes) -> None:
        """Send one file."""
        kind = await self._there.kind(there)
        if kind is not None and stat.S_ISDIR(kind):
            message = f"{os.fsdecode(there)!r} is a folder on {self._there.host}"
            raise ModuleError(message, hint="`destination` is the name of the copy")
        folder = os.path.dirname(there)
        if folder:
            await self._there.have_folder(folder)
        await self._file(source, there)

    async def tree(self, source: str, there: bytes, mode: int) -> None:
        """Send a folder. Folders get their permissions at last: some may not be written."""
        modes = {there: mode}
        await self._there.have_folder(there)
        entries = self._ctx.workspace.scan(source, recursive=True)
        while some := await self._ctx.thread(lambda: list(islice(entries, _AT_ONCE))):
            for name, status in some:
                original, copy = f"{source}/{name}", there + b"/" + os.fsencode(name)
                if stat.S_ISDIR(status.st_mode):
                    modes[copy] = status.st_mode
                    await self._there.have_folder(copy)
                elif stat.S_ISLNK(status.st_mode):
                    target = await self._ctx.thread(link_target, self._ctx.workspace, original)
                    await self._there.link(copy, os.fsencode(target))
                else:
                    await self._file(original, copy)
        for folder in reversed(modes):
            await self._there.set_mode(folder, stat.S_IMODE(modes[folder]) & 0o1777)

    async def _file(self, source: str, there: bytes) -> None:
        with ExitStack() as stack:
            descriptor = await self._ctx.thread(self._opened, source, stack)
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise ModuleError(f"'{source}' is neither a file nor a folder, and cannot be sent")
            bits = self._bits if self._bits is not None else stat.S_IMODE(mode) & 0o777
            await self._there.put(there, self._pieces(source, descriptor), bits)
        self.files += 1

    def _opened(self, source: str, stack: ExitStack) -> int:
        """Open a file, which the stack closes: also when nobody waits for this thread any more."""
        descriptor = self._ctx.workspace.open(source, os.O_RDONLY | os.O_NONBLOCK)
        stack.callback(os.close, descriptor)
        return descriptor

    async def _pieces(self, source: str, descriptor: int) -> AsyncIterator[bytes]:
        from gxo.stdlib.ssh._sftp import PIECE

        while True:
            with self._ctx.workspace.doing("read", source):
                piece = await self._ctx.thread(os.read, descriptor, PIECE)
            if not piece:
                return
            self.bytes += len(piece)
            yield piece
