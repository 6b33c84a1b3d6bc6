"""Bytes that arrive over time and become a file in the workspace, complete or not at all."""

import os
from contextlib import suppress
from types import TracebackType
from typing import IO

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, Unknown

PIECE = 256 * 1024
"""Bytes that are gathered in memory before they go to the disk, and read back at a time."""


class Spool:
    """Gathers bytes, past a piece in a nameless file in the workspace; `save` gives them a name.

    Nothing is left of it when it is not saved, however the job ends. path: its name in the
    workspace. size: bytes so far.
    """

    def __init__(
        self, ctx: Context, path: str, mode: int | None = None, *, private: bool = False
    ) -> None:
        """mode: permission bits of the file; by default those of one that it replaces.

        private: what it holds is nothing for `--diff` to show.
        """
        self.size = 0
        self._path = path
        self._mode = mode
        self._private = private
        self._ctx = ctx
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget what was gathered and not saved."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take
                self._file.close()

    async def add(self, piece: bytes) -> None:
        """Append bytes. ModuleError when they cannot be kept: the disk is full, say."""
        self._pieces.append(piece)
        self.size += len(piece)
        self._waiting += len(piece)
        if self._waiting >= PIECE:
            await self._ctx.thread(self._move_to_disk)

    async def check(self) -> None:
        """Refuse a path that leaves the workspace before the work, not after."""
        with suppress(Unknown):  # whether a file is there may not be known in a dry run
            await self._ctx.thread(self._ctx.workspace.exists, self._path, "write")

    async def save(self) -> None:
        """Replace the file at the path by what was gathered.

        That completes the module's work (see `Context.complete`).
        """
        await self._show_diff()
        await self._ctx.complete(self._save)

    async def put(self) -> None:
        """Do the same as one part of the module's work, of which more is to come."""
        await self._show_diff()
        await self._ctx.thread(self._save)

    async def _show_diff(self) -> None:
        if not self._private:
            await self._ctx.show_diff(self._path, self._head)

    def _head(self) -> bytes:
        """The first piece of what was gathered, and one byte more, which tells that there is."""
        if self._file is None:
            return b"".join(self._pieces)
        self._file.seek(0)
        head = self._file.read(PIECE)
        self._file.seek(0, os.SEEK_END)
        return head + b" "

    def _move_to_disk(self) -> None:
        try:
            if self._file is None:
                import tempfile  # start-up: most files are written without it

                # A dry run must not touch the workspace, not even for a moment.
                folder = None if self._ctx.dry_run else self._ctx.workspace.path
                self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - __exit__ closes it
            self._file.writelines(self._pieces)
            self._file.flush()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ModuleError(f"cannot write '{self._path}': {why}") from error
        self._pieces.clear()
        self._waiting = 0

    def _save(self) -> None:
        if self._file is None:
            self._ctx.workspace.write(self._path, b"".join(self._pieces), self._mode)
            return
        self._move_to_disk()
        file = self._file
        file.seek(0)
        self._ctx.workspace.write(self._path, iter(lambda: file.read(PIECE), b""), self._mode)
