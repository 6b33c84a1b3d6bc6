"""`data:format`: records become a text, or a file."""

import tempfile
from types import TracebackType
from typing import IO, Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, RecordError
from gxo.runtime.spec import Record, WorkspacePath, module, writes
from gxo.runtime.streams import Records
from gxo.stdlib.data._writers import WRITERS, FormatOptions, Writer

PIECE = 256 * 1024
"""Bytes that are gathered in memory before they go to the disk."""


class Formatted(TypedDict):
    """The text as `formatted_content`, or the `path` it was written to, and how many `records`."""

    formatted_content: NotRequired[str]
    path: NotRequired[str]
    records: int


@module("data:format", changes="by_call", effects=[writes("path")])
async def format_(
    ctx: Context,
    records: Records,
    *,
    format_: Literal["json", "jsonl", "csv", "text"],
    path: WorkspacePath | None = None,
    format_options: FormatOptions | None = None,
) -> Formatted:
    """Write a stream's records as one text, into the state or to a file.

    `json`: one list; `jsonl`: a record a line. `csv`: null is an empty field, a list or a map its
    JSON; a record with a field that is no column is a record error, unless `headers` lists the
    columns. `text`: what `template` makes of a record, or else its field `line` or `value`, each
    ended by a line feed. A record that cannot be written is a record error and leaves no trace in
    the text.

    A file is written in pieces, in constant memory, and appears under its name when it is complete.

    Args:
        format_: What the text shall be.
        path: The file to write, replacing what is there; its folders are created.
        format_options: What the format leaves open: `indent` (json: spaces a level), `headers`
            (csv: true, false, or the columns), `template` (text).

    Returns:
        The text or the path, and how many records it holds.

    Raises:
        ParameterError: an option that the format does not have.
        ModuleError: a file that cannot be written.

    Example:
        name: report
        lifecycle: {policy: run_once}
        register: report
        stream_inputs: [users]
        process:
          module: data:format
          params:
            format: csv
            path: out/users.csv
    """
    writer = _writer(format_, format_options or {})
    if path is not None:
        # A path that leaves the workspace is refused before the work, not after.
        await ctx.thread(ctx.workspace.exists, path)
    async with _Text(ctx, spill=path is not None) as text:
        written = await _write(ctx, records, writer, text)
        if path is None:
            return {"formatted_content": b"".join(text.pieces).decode(), "records": written}
        await text.save(path)
        return {"path": path, "records": written}


def _writer(format_: str, options: FormatOptions) -> Writer:
    make, known = WRITERS[format_]
    for option in options:
        if option != known:
            raise ParameterError(f"format_options.{option} does not apply to format '{format_}'")
    return make(options)  # type: ignore[call-arg]


class _Text:
    """The bytes so far: in memory, or past a piece in a nameless file in the workspace."""

    def __init__(self, ctx: Context, *, spill: bool) -> None:
        self._ctx = ctx
        self._spill = spill
        self._size = 0
        self._file: IO[bytes] | None = None
        self.pieces: list[bytes] = []

    async def __aenter__(self) -> "_Text":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    async def add(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self._size += len(piece)
        if self._spill and self._size >= PIECE:
            await self._ctx.thread(self._move_to_disk)

    async def save(self, path: str) -> None:
        await self._ctx.thread(self._save, path)

    def _move_to_disk(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._ctx.workspace.path)  # noqa: SIM115 - closed by __aexit__
        self._file.writelines(self.pieces)
        self.pieces.clear()
        self._size = 0

    def _save(self, path: str) -> None:
        if self._file is None:
            self._ctx.workspace.write(path, b"".join(self.pieces))
            return
        self._move_to_disk()
        self._file.seek(0)
        file = self._file
        self._ctx.workspace.write(path, iter(lambda: file.read(PIECE), b""))


async def _write(ctx: Context, records: Records, writer: Writer, text: _Text) -> int:
    """Add all records to the text; returns how many could be written."""
    seen = written = 0
    async for batch in records:
        if not seen:
            await text.add(writer.open(batch[0]).encode())
        try:
            good, piece = len(batch), writer.encode(batch).encode()
        except Exception:
            good, piece = await _write_singly(ctx, batch, writer, seen)
        if good:
            await text.add((writer.separator.encode() if written else b"") + piece)
        seen += len(batch)
        written += good
    await text.add(((writer.open(None) if not seen else "") + writer.close()).encode())
    return written


async def _write_singly(
    ctx: Context, batch: list[Record], writer: Writer, seen: int
) -> tuple[int, bytes]:
    """Write the records of a batch that has a bad one, without the bad ones."""
    pieces = []
    for number, record in enumerate(batch, seen + 1):
        try:
            pieces.append(writer.encode([record]).encode())
        except UnicodeEncodeError:
            error = RecordError("a text in it is not valid UTF-8")
            await ctx.record_failed(record, error, number)
        except Exception as error:
            await ctx.record_failed(record, error, number)
    return len(pieces), writer.separator.encode().join(pieces)
