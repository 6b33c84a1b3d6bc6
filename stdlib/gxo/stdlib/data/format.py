"""`data:format`: records become a text, or a file."""

from typing import Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, RecordError, Unknown
from gxo.runtime.spec import Record, WorkspacePath, module, writes
from gxo.runtime.streams.kernels import Tail
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.tables import Batch
from gxo.stdlib._sizes import shown_size
from gxo.stdlib._spool import Spool
from gxo.stdlib.data._batches import Paced
from gxo.stdlib.data._writers import WRITERS, FormatOptions, Writer

OPTIONS = {
    "json": ["indent"],
    "jsonl": [],
    "yaml": [],
    "csv": ["headers"],
    "html_table": ["headers"],
    "text": ["template"],
}
"""The keys of `format_options` that apply to each format."""


class Formatted(TypedDict):
    """The text as `formatted_content`, or the `path` it was written to, and how many `records`."""

    formatted_content: NotRequired[str]
    path: NotRequired[str]
    records: int


@module(
    "data:format",
    changes="by_call",
    effects=[writes("path")],
    idempotent=True,
    options=["format_options", "format", OPTIONS],
    returns={
        "path": ["path"],
        "formatted_content": ["format_options.template", "record values"],
    },
    tail="Formatter",
)
async def format_(
    ctx: Context,
    records: Records,
    *,
    format_: Literal["json", "jsonl", "yaml", "csv", "html_table", "text"],
    path: WorkspacePath | None = None,
    format_options: FormatOptions | None = None,
) -> Formatted:
    """Write a stream's records as one text, into the state or to a file.

    `json`, `yaml`: one list; `jsonl`: a record a line. `csv`, `html_table`: a row a record; null is
    an empty field, a list or a map its JSON; a record with a field that is no column is a record
    error, unless `headers` lists the columns. `text`: what `template` makes of a record, or else
    its field `line` or `value`, each ended by a line feed. A record that cannot be written is a
    record error and leaves no trace in the text.

    A file is written in pieces, in constant memory, and appears under its name when it is complete.
    In a dry run it does not: the text is made, and its size is said.

    Args:
        format_: What the text shall be.
        path: The file to write, replacing what is there; its folders are created.
        format_options: What the format leaves open: `indent` (json: spaces a level), `headers`
            (csv, html_table: true, false, or the columns), `template` (text).

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
    text = Formatter(ctx, format_=format_, path=path, format_options=format_options)
    try:
        async for batch in Paced(records.batches()):
            await text.add(batch)
    except Unknown:
        text.unknown()
        raise
    else:
        return await text.finish()
    finally:
        text.close()


class Formatter(Tail):
    """Makes one text of the batches that it is given, in memory or in a file.

    Once it is closed nothing is left of a file that was not finished.
    """

    def __init__(
        self,
        ctx: Context,
        *,
        format_: Literal["json", "jsonl", "yaml", "csv", "html_table", "text"],
        path: str | None = None,
        format_options: FormatOptions | None = None,
    ) -> None:
        self._ctx = ctx
        self._path = path
        self._writer = _writer(format_, format_options or {})
        self._pieces: list[bytes] = []
        self._file = Spool(ctx, path or "")
        self._seen = self._written = 0
        if path is None:
            ctx.changes_nothing()

    async def add(self, batch: Batch) -> None:
        """Add records to the text; those that cannot be written are told, and left out."""
        if not self._seen:
            await self._open(batch[0])
        try:
            good, piece = len(batch), await self._encoded(batch)
        except Exception:
            good, piece = await self._encoded_singly(batch)
        if good:
            await self._put((self._writer.separator.encode() if self._written else b"") + piece)
        self._seen += len(batch)
        self._written += good

    async def finish(self) -> Formatted:
        """Complete the text; a file gets its name now."""
        if not self._seen:
            await self._open(None)
        await self._put(self._writer.close().encode())
        if self._path is None:
            length = sum(map(len, self._pieces))
            text = await self._ctx.offload(length, lambda: b"".join(self._pieces).decode())
            return {"formatted_content": text, "records": self._written}
        await self._file.save()
        result: Formatted = {"path": self._path, "records": self._written}
        if self._ctx.dry_run:
            size = f"{shown_size(self._file.size)}, {self._written} records"
            result = self._ctx.would(f"write {self._path} ({size})", result)
        return result

    def unknown(self) -> None:
        """In a dry run: say what would be written of records that are not known."""
        if self._path is not None:
            self._ctx.would(f"write {self._path}", writes=self._path)

    def close(self) -> None:
        """Give back what an unfinished file holds. Harmless when repeated."""
        self._file.close()

    async def _open(self, first: Record | None) -> None:
        if self._path is not None:
            await self._file.check()
        try:
            head = self._writer.open(first).encode()
        except UnicodeEncodeError:
            raise ModuleError("the name of a column is not valid UTF-8") from None
        await self._put(head)

    async def _put(self, piece: bytes) -> None:
        if self._path is None:
            self._pieces.append(piece)
        else:
            await self._file.add(piece)

    async def _encoded(self, batch: Batch) -> bytes:
        """The text; made in a thread where it may be long: one record can be large."""
        text = self._writer.at_once(batch)
        if text is not None:
            return text.encode()
        return await self._ctx.thread(lambda: self._writer.encode(batch).encode())

    async def _encoded_singly(self, batch: Batch) -> tuple[int, bytes]:
        """The text of a batch that has a bad record, without it, and how many are good."""
        pieces = []
        for number, record in enumerate(batch, self._seen + 1):
            try:
                pieces.append(await self._encoded([record]))
            except UnicodeEncodeError:
                error = RecordError("a text in it is not valid UTF-8")
                await self._ctx.record_failed(record, error, number)
            except Exception as error:
                await self._ctx.record_failed(record, error, number)
        return len(pieces), self._writer.separator.encode().join(pieces)


def _writer(format_: str, options: FormatOptions) -> Writer:
    for option in options:
        if option not in OPTIONS[format_]:
            raise ParameterError(f"format_options.{option} does not apply to format '{format_}'")
    return WRITERS[format_](options)
