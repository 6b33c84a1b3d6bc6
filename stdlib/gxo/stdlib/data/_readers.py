"""The formats of `data:parse`: bytes in pieces to records in slices, one function a format.

A reader is a plain generator that takes as many pieces as a slice needs. It does not know whether
they come from a text in memory or from a file, which is read in a thread.
"""

from collections.abc import Callable, Iterator
from typing import TypedDict

from gxo.runtime.errors import ExpressionError, ParameterError
from gxo.runtime.spec import Record
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.data._json import Document, Unfit
from gxo.stdlib.data._lines import JsonLines, LineSlices, Table, TextLines
from gxo.stdlib.data._text import (
    NOT_UTF8,
    Fault,
    Slice,
    blocks,
    decoded,
    is_damaged,
    lines,
)


class ParseOptions(TypedDict, total=False):
    """Each option belongs to some formats only; another one is refused there.

    json_path: (json) names and list positions joined by dots, `data.items`.
    delimiter: (csv) one character, by default a comma.
    headers: (csv, tsv) true when the first row names the columns (the default), false for
    `column_1`, `column_2`..., or the names themselves.
    pattern: (regex) a regular expression whose named groups become the fields.
    """

    json_path: str
    delimiter: str
    headers: bool | list[str]
    pattern: str


Reader = Callable[[Iterator[bytes], ParseOptions], Iterator[Slice]]


def read_json(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """One JSON document: a list's elements, or the one value, at the path or at the top."""
    records: list[Record] = []
    faults: list[Fault] = []
    values = Document(decoded(pieces)).records(_json_path(options.get("json_path", "")))
    for number, value in enumerate(values, 1):
        if value.__class__ is dict:
            records.append(value)
        elif value.__class__ is Unfit:
            faults.append(Fault({"number": number}, f"element {number}: {value}"))
        else:
            records.append({"value": value})
        if number % BATCH == 0:
            yield records, faults
            records, faults = [], []
    yield records, faults


def _json_path(text: str) -> list[str]:
    if set(text) & set("[]*?@ ") or ".." in text:
        raise ParameterError(
            f"format_options.json_path: '{text}' is not a path that gxo understands",
            hint="join names and list positions by dots, such as data.items or pages.0.rows",
        )
    path = text.removeprefix("$").strip(".")
    return path.split(".") if path else []


def read_json_lines(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """A JSON value a line; blank lines are passed over."""
    return LineSlices(pieces, JsonLines())


def read_text_lines(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """A record `{line, number}` a line."""
    return LineSlices(pieces, TextLines())


def read_regex(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """The named groups of the first match in each line; other lines may only be blank."""
    if "pattern" not in options:
        raise ParameterError("format 'regex' needs format_options.pattern")
    search, groups = _compile(options["pattern"])
    number = 0
    for block in blocks(pieces):
        records: list[Record] = []
        faults: list[Fault] = []
        damaged = is_damaged(block)
        for line in lines(block):
            number += 1
            if damaged and is_damaged(line):
                faults.append(Fault.line(number, line, NOT_UTF8))
            elif spans := search(line):
                records.append(
                    {
                        name: line[spans[at] : spans[at + 1]] if spans[at] >= 0 else None
                        for name, at in groups
                    }
                )
            elif line.strip():
                faults.append(Fault.line(number, line, "does not match the pattern"))
        yield records, faults


def _compile(source: str) -> tuple[Callable[[str], tuple[int, ...] | None], list[tuple[str, int]]]:
    """The pattern's search, and for each named group where its span begins in what that returns."""
    from gxo.runtime.regex import compile_pattern  # start-up: only this format needs it

    try:
        pattern = compile_pattern(source)
    except ExpressionError as error:
        raise ParameterError(f"format_options.pattern: {error}", hint=error.hint) from None
    if not pattern.names:
        raise ParameterError(
            "format_options.pattern has no named group, so it would make records without fields",
            hint="name what a record shall have: (?P<user>[a-z]+)",
        )
    return pattern.search, [(name, 2 * number) for name, number in pattern.names.items()]


def read_csv(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """Comma-separated values (RFC 4180), every field a text."""
    table = Table(options.get("delimiter", ","), options.get("headers", True))
    return LineSlices(pieces, table)


def read_tsv(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """As CSV, with tabs."""
    return LineSlices(pieces, Table("\t", options.get("headers", True)))


READERS: dict[str, tuple[Reader, frozenset[str]]] = {
    "json": (read_json, frozenset(["json_path"])),
    "jsonl": (read_json_lines, frozenset()),
    "csv": (read_csv, frozenset(["delimiter", "headers"])),
    "tsv": (read_tsv, frozenset(["headers"])),
    "text_lines": (read_text_lines, frozenset()),
    "regex": (read_regex, frozenset(["pattern"])),
}
"""A format's reader, and the options that apply to it."""
