"""Bytes that arrive over time and become a file in the workspace, complete or not at all."""

from types import TracebackType
from typing import IO

from gxo.runtime.context import Context

PIECE = 256 * 1024
"""Bytes that are gathered in memory before they go to the disk, and read back at a time."""


class Spool:
    """Gathers bytes, past a piece in a nameless file in the workspace; `save` gives them a name.

    Nothing is left of it when it is not saved, however the job ends.
    """

    def __init__(self, ctx: Context) -> None:
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
        if self._file is not None:
            self._file.close()

    async def add(self, piece: bytes) -> None:
        """Append bytes."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= PIECE:
            await self._ctx.thread(self._move_to_disk)

    async def save(self, path: str) -> None:
        """Replace the file at a path of the workspace by what was gathered."""
        await self._ctx.thread(self._save, path)

    def _move_to_disk(self) -> None:
        if self._file is None:
            import tempfile  # start-up: most files are written without it

            self._file = tempfile.TemporaryFile(dir=self._ctx.workspace.path)  # noqa: SIM115 - __exit__ closes it
        self._file.writelines(self._pieces)
        self._pieces.clear()
        self._waiting = 0

    def _save(self, path: str) -> None:
        if self._file is None:
            self._ctx.workspace.write(path, b"".join(self._pieces))
            return
        self._move_to_disk()
        file = self._file
        file.seek(0)
        self._ctx.workspace.write(path, iter(lambda: file.read(PIECE), b""))
