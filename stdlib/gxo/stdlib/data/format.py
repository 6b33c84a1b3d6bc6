"""`data:format`: records become a text, or a file."""

from collections.abc import Awaitable, Callable
from typing import Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, RecordError, Unknown
from gxo.runtime.spec import Record, WorkspacePath, module, writes
from gxo.runtime.streams.ports import Records
from gxo.stdlib._sizes import shown_size
from gxo.stdlib._spool import Spool
from gxo.stdlib.data._batches import Paced
from gxo.stdlib.data._writers import WRITERS, FormatOptions, Writer

Add = Callable[[bytes], Awaitable[None]]


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
    returns={
        "path": ["path"],
        "formatted_content": ["format_options.template", "record values"],
    },
)
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
    In a dry run it does not: the text is made, and its size is said.

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
    if path is None:
        ctx.changes_nothing()
        pieces: list[bytes] = []
        written = await _write(ctx, records, writer, _adder(pieces))
        size = sum(map(len, pieces))
        text = await ctx.offload(size, lambda: b"".join(pieces).decode())
        return {"formatted_content": text, "records": written}
    with Spool(ctx) as spool:
        await spool.check(path)
        try:
            written = await _write(ctx, records, writer, spool.add)
        except Unknown:
            ctx.would(f"write {path}", writes=path)
            raise
        await spool.save(path)
    result: Formatted = {"path": path, "records": written}
    if ctx.dry_run:
        what = f"write {path} ({shown_size(spool.size)}, {written} records)"
        result = ctx.would(what, result)
    return result


def _writer(format_: str, options: FormatOptions) -> Writer:
    make, known = WRITERS[format_]
    for option in options:
        if option != known:
            raise ParameterError(f"format_options.{option} does not apply to format '{format_}'")
    return make(options)


def _adder(pieces: list[bytes]) -> Add:
    async def add(piece: bytes) -> None:
        pieces.append(piece)

    return add


async def _write(ctx: Context, records: Records, writer: Writer, add: Add) -> int:
    """Add all records to the text; returns how many could be written."""
    seen = written = 0
    async for batch in Paced(records):
        if not seen:
            await add(_opening(writer, batch[0]))
        try:
            good, piece = len(batch), await _encoded(ctx, writer, batch)
        except Exception:
            good, piece = await _write_singly(ctx, batch, writer, seen)
        if good:
            await add((writer.separator.encode() if written else b"") + piece)
        seen += len(batch)
        written += good
    if not seen:
        await add(_opening(writer, None))
    await add(writer.close().encode())
    return written


async def _encoded(ctx: Context, writer: Writer, batch: list[Record]) -> bytes:
    """The batch's text, made in a thread: one record can be large. Templates belong to the loop."""
    if writer.evaluates:
        return writer.encode(batch).encode()
    return await ctx.thread(lambda: writer.encode(batch).encode())


def _opening(writer: Writer, first: Record | None) -> bytes:
    try:
        return writer.open(first).encode()
    except UnicodeEncodeError:
        raise ModuleError("the name of a column is not valid UTF-8") from None


async def _write_singly(
    ctx: Context, batch: list[Record], writer: Writer, seen: int
) -> tuple[int, bytes]:
    """Write the records of a batch that has a bad one, without the bad ones."""
    pieces = []
    for number, record in enumerate(batch, seen + 1):
        try:
            pieces.append(await _encoded(ctx, writer, [record]))
        except UnicodeEncodeError:
            error = RecordError("a text in it is not valid UTF-8")
            await ctx.record_failed(record, error, number)
        except Exception as error:
            await ctx.record_failed(record, error, number)
    return len(pieces), writer.separator.encode().join(pieces)
