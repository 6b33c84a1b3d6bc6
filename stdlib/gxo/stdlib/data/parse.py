"""`data:parse`: text or a file becomes records."""

import os
import stat
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, closing
from typing import Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Record, WorkspacePath, module, reads
from gxo.runtime.streams.ports import Out
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.data._batches import BATCH, deliver
from gxo.stdlib.data._lines import LineSlices
from gxo.stdlib.data._readers import READERS, ParseOptions
from gxo.stdlib.data._text import Slice

PIECE = 256 * 1024
"""Bytes that are turned into records at a time."""

MOST = 4 * BATCH
"""Records in a batch of `batches`: a loop of several stages has no channel that could overflow."""


class Parsed(TypedDict):
    """records: how many were made."""

    records: int


@module(
    "data:parse",
    effects=[reads("path")],
    native=["orjson"],
    sends=["content", "path"],
    head="batches",
    fresh=True,
)
async def parse(
    ctx: Context,
    out: Out | None,
    *,
    format_: Literal["json", "jsonl", "csv", "tsv", "text_lines", "regex"],
    content: str | None = None,
    path: WorkspacePath | None = None,
    format_options: ParseOptions | None = None,
) -> Parsed:
    """Turn a text or a file into records.

    `json`: the elements of a list, or the one value; `jsonl`: a value a line; a value that is no
    object becomes `{value}`. `csv`, `tsv`: a row a record, every field a text; a row that has more
    or fewer fields than there are columns is a record error. `text_lines`: `{line, number}`, the
    first being 1. `regex`: the named groups of each line's first match; a line without one is a
    record error. Blank lines are passed over, except by `text_lines`.

    A file is read in pieces, never whole. Integers past 64 bits become floats; NaN, infinities and
    lone surrogates are record errors; JSON nested deeper than 1,000, and a single value or line
    past 64 MiB, are refused (catalogue, `data:parse`).

    Args:
        format_: What the text is.
        content: The text. Either this or `path`.
        path: A file in UTF-8, with or without a byte order mark.
        format_options: What the format leaves open: `json_path` (json), `delimiter` (csv),
            `headers` (csv, tsv: true, false, or the names), `pattern` (regex).

    Returns:
        How many records were made.

    Raises:
        ParameterError: not one of `content` and `path`, or an option that the format does not have.
        ModuleError: a file that cannot be read, or a JSON document that is none; with its position.

    Example:
        name: orders
        lifecycle: {policy: run_once}
        process:
          module: data:parse
          params:
            content: '[{"id": 1}, {"id": 2}]'
            format: json
    """
    made = 0
    reading = batches(
        ctx, format_=format_, content=content, path=path, format_options=format_options
    )
    async with aclosing(reading):
        async for batch in reading:
            made += len(batch)
            for start in range(0, len(batch), BATCH):
                await deliver(out, batch[start : start + BATCH])
    return {"records": made}


async def batches(
    ctx: Context,
    *,
    format_: Literal["json", "jsonl", "csv", "tsv", "text_lines", "regex"],
    content: str | None = None,
    path: str | None = None,
    format_options: ParseOptions | None = None,
) -> AsyncGenerator[list[Record], None]:
    """The records that the parameters of `data:parse` say. Close it when it is not read to its end.

    Parts that are no records are told before the batch that follows them.
    """
    options = format_options or {}
    reader, known = READERS[format_]
    for option in options:
        if option not in known:
            raise ParameterError(f"format_options.{option} does not apply to format '{format_}'")
    if content is not None and path is None:
        source, pieces, size = "content", _text_pieces(content), len(content)
    elif path is not None and content is None:
        source, pieces, size = f"'{path}'", _file_pieces(ctx.workspace, path), None
    else:
        raise ParameterError("give exactly one of `content` and `path`")
    slices = reader(pieces, options)
    with closing(pieces):
        while True:
            records = slices.at_once() if isinstance(slices, LineSlices) else None
            if records is None:
                # A file's slices are made in a thread, which waits for the disk; and a long text's.
                part = (
                    await ctx.thread(_next, slices, source)
                    if size is None
                    else await ctx.offload(size, _next, slices, source)
                )
                if part is None:
                    return
                records, faults = part
                for fault in faults:
                    await ctx.record_failed(fault.record, fault.error)
            for start in range(0, len(records), MOST):
                yield records[start : start + MOST]


def _next(slices: Iterator[Slice], source: str) -> Slice | None:
    try:
        return next(slices, None)
    except ValueError as error:
        raise ModuleError(f"cannot parse {source}: {error}") from None
    except OSError as error:
        raise ModuleError(f"cannot read {source}: {error.strerror}") from None


def _text_pieces(content: str) -> Generator[bytes, None, None]:
    data = content.encode(errors="surrogatepass")
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _file_pieces(workspace: Jail, path: str) -> Generator[bytes, None, None]:
    """Read a regular file; anything else (a pipe, a device) could block for ever or never end."""
    descriptor = workspace.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ModuleError(f"cannot read '{path}': it is not a regular file")
        while piece := os.read(descriptor, PIECE):
            yield piece
    finally:
        os.close(descriptor)
