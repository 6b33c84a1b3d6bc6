"""`data:parse`: text or a file becomes records."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, closing
from typing import Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, RecordError
from gxo.runtime.spec import WorkspacePath, module, reads
from gxo.runtime.streams.ports import Out
from gxo.runtime.streams.tables import Batch
from gxo.stdlib.data._batches import BATCH, deliver
from gxo.stdlib.data._lines import LineSlices
from gxo.stdlib.data._readers import READERS, ParseOptions
from gxo.stdlib.data._source import FilePieces, text_pieces
from gxo.stdlib.data._text import Refused, Slice

OPTIONS = {
    "json": ["json_path"],
    "jsonl": [],
    "yaml": [],
    "csv": ["delimiter", "headers"],
    "tsv": ["headers"],
    "xml": ["record_tag"],
    "text_lines": [],
    "regex": ["pattern"],
    "logfmt": [],
    "grok": ["pattern"],
    "xlsx": ["sheet", "headers"],
}
"""The keys of `format_options` that apply to each format."""

MOST = 4 * BATCH
"""Records in a batch of `batches`: a loop of several stages has no channel that could overflow."""


class Parsed(TypedDict):
    """records: how many were made."""

    records: int


@module(
    "data:parse",
    effects=[reads("path")],
    needs=["ruamel.yaml; format == 'yaml'"],
    native=["orjson"],
    one_of=["content", "path"],
    options=["format_options", "format", OPTIONS],
    sends=["content", "path"],
    head="batches",
    fresh=True,
)
async def parse(
    ctx: Context,
    out: Out | None,
    *,
    format_: Literal[
        "json",
        "jsonl",
        "yaml",
        "csv",
        "tsv",
        "xml",
        "text_lines",
        "regex",
        "logfmt",
        "grok",
        "xlsx",
    ],
    content: str | None = None,
    path: WorkspacePath | None = None,
    format_options: ParseOptions | None = None,
) -> Parsed:
    """Turn a text or a file into records.

    `json`: the elements of a list, or the one value; `jsonl`: a value a line; `yaml` (1.2): each
    document, or the elements of one that is a list; a value that is no object becomes `{value}`.

    `csv`, `tsv`: a row a record, every field a text; a row that has more or fewer fields than there
    are columns is a record error. `xlsx`: the rows of one sheet, from `path`; numbers, texts and
    bools are what they are, an empty cell is null, a date is RFC 3339 text; a row with a cell that
    is none of them is a record error.

    `xml`: each element called `record_tag`. Attributes and elements in it are fields by their
    names, without a namespace's prefix; a name that is there several times is a list; an element
    that has neither is its text, and beside them the text is `value`. Entities are refused.

    `text_lines`: `{line, number}`, the first being 1. `regex`: the named groups of each line's
    first match; `grok`: the same, with named patterns; a line without a match is a record error.
    `logfmt`: the words `key=value` of a line; a `key` alone is true. Blank lines are passed over,
    except by `text_lines`.

    A file is read in pieces, never whole, and unpacked if it is gzip, to 200 times its size; of one
    that grows, what it held at first. Integers past 64 bits become floats; NaN, infinities and lone
    surrogates are record errors. So is a line, an element of JSON or a value of YAML with bytes
    that are not UTF-8; between them such bytes end the document, and only XML may be UTF-16. Data
    nested deeper than 1,000, and a single value, row or line past 64 MiB, are refused, and so are
    workbooks past 256 MiB, with a sheet past 4 GiB or a row past 16 MiB, and a single value of
    YAML, or aliases in it that stand for more, past 8 MiB. YAML takes two seconds a megabyte.

    Args:
        format_: What the text is.
        content: The text. Either this or `path`.
        path: A file in UTF-8, with or without a byte order mark, or what its XML declares.
        format_options: What the format leaves open: `json_path` (json), `delimiter` (csv),
            `headers` (csv, tsv, xlsx: true, false, or the names), `pattern` (regex, grok),
            `record_tag` (xml), `sheet` (xlsx).

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
    format_: str,
    content: str | None = None,
    path: str | None = None,
    format_options: ParseOptions | None = None,
) -> AsyncGenerator[Batch, None]:
    """The records that the parameters of `data:parse` say. Close it when it is not read to its end.

    Parts that are no records are told before the batch that follows them.
    """
    options = format_options or {}
    for option in options:
        if option not in OPTIONS[format_]:
            raise ParameterError(f"format_options.{option} does not apply to format '{format_}'")
    if content is not None and path is None:
        source, size = "content", len(content)
        pieces: Generator[bytes, None, None] | FilePieces = text_pieces(_as_text(content, format_))
    elif path is not None and content is None:
        source, size, pieces = f"'{path}'", None, FilePieces(ctx.workspace, path)
    else:
        raise ParameterError("give exactly one of `content` and `path`")
    slices = READERS[format_](pieces, options)
    with closing(pieces):
        while True:
            records = slices.at_once() if isinstance(slices, LineSlices) else None
            if records is None:
                if isinstance(slices, LineSlices) and slices.is_over:
                    return
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
                    await ctx.record_failed(fault.record, RecordError(f"{source}, {fault.why}"))
            for start in range(0, len(records), MOST):
                yield records[start : start + MOST]
            if not records:  # of lines that are blank, of which there may be any number
                await asyncio.sleep(0)


def _as_text(content: str, format_: str) -> str:
    """The content as its reader takes it."""
    if format_ == "xlsx":
        raise ParameterError("a workbook is no text", hint="name the file: `path`")
    if format_ == "xml":
        from gxo.stdlib.data._formats.xml import without_encoding  # start-up

        return without_encoding(content)
    return content


def _next(slices: Iterator[Slice], source: str) -> Slice | None:
    try:
        return next(slices, None)
    except ValueError as error:
        hint = error.hint if isinstance(error, Refused) else None
        raise ModuleError(f"cannot parse {source}: {error}", hint=hint) from None
    except OSError as error:
        raise ModuleError(f"cannot read {source}: {error.strerror}") from None
