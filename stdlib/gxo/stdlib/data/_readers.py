"""The formats of `data:parse`: bytes in pieces to records in slices, one function a format.

A reader is a plain generator that takes as many pieces as a slice needs. It does not know whether
they come from a text in memory or from a file, which is read in a thread.
"""

import csv
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, TypedDict

from gxo.runtime.errors import ExpressionError, ModuleError, ParameterError
from gxo.runtime.spec import Record
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.data._json import (
    MAX_DEPTH,
    MAX_VALUE,
    Document,
    Unfit,
    decode,
    needs_care,
    quick_decode,
)
from gxo.stdlib.data._text import (
    NOT_UTF8,
    Fault,
    Slice,
    blocks,
    decoded,
    is_damaged,
    lines,
    lines_with_ends,
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
    quick = _quick_decoder()
    number = 0
    for block in blocks(pieces):
        read = decode if quick is quick_decode and needs_care(block) else quick
        damaged = is_damaged(block)
        records: list[Record] = []
        faults: list[Fault] = []
        add = records.append
        for line in lines(block):
            number += 1
            try:
                value = read(line) if len(line) <= 2 * MAX_DEPTH else decode(line)
            except (ValueError, RecursionError):
                # Once more by the rules' own decoder, so that every parser says the same.
                try:
                    value = decode(line)
                except ValueError as error:
                    if line.strip():
                        faults.append(Fault.line(number, line, str(error)))
                    continue
            if damaged and is_damaged(line):
                faults.append(Fault.line(number, line, NOT_UTF8))
            else:
                add(value if value.__class__ is dict else {"value": value})
        yield records, faults


def _quick_decoder() -> Callable[[str], Any]:
    """The fastest parser that is linked, for lines that need no care."""
    try:
        import orjson  # linked with --native only
    except ImportError:
        return quick_decode
    return orjson.loads


def read_text_lines(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """A record `{line, number}` a line."""
    number = 0
    for block in blocks(pieces):
        found = lines(block)
        records: list[Record] = [
            {"line": line, "number": at} for at, line in enumerate(found, number + 1)
        ]
        number += len(found)
        if not is_damaged(block):
            yield records, []
            continue
        bad = [record for record in records if is_damaged(record["line"])]
        faults = [Fault.line(record["number"], record["line"], NOT_UTF8) for record in bad]
        yield [record for record in records if record not in bad], faults


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
    return _read_table(pieces, options, options.get("delimiter", ","))


def read_tsv(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """As CSV, with tabs."""
    return _read_table(pieces, options, "\t")


def _read_table(pieces: Iterator[bytes], options: ParseOptions, delimiter: str) -> Iterator[Slice]:
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ParameterError(f"format_options.delimiter is one character, not {delimiter!r}")
    csv.field_size_limit(MAX_VALUE)
    damage: list[bool] = []
    rows = csv.reader(
        chain.from_iterable(_noting_damage(blocks(pieces), damage)),
        delimiter=delimiter,
        strict=True,
    )
    columns, first = _columns(rows, options.get("headers", True))
    waiting = chain(first, rows)
    while True:
        records: list[Record] = []
        faults: list[Fault] = []
        row: list[str] | None = None
        try:
            for row in islice(waiting, BATCH):
                if why := _misfit(row, columns, damage):
                    faults.append(Fault.line(rows.line_num, delimiter.join(row), why))
                elif row:
                    records.append(dict(zip(columns, row, strict=True)))
        except csv.Error as error:
            row = []
            faults.append(Fault.line(rows.line_num, "", str(error)))
        if row is None:
            return
        yield records, faults


def _misfit(row: list[str], columns: list[str], damage: list[bool]) -> str:
    """Why the row cannot become a record; empty when it can, or is blank."""
    if row and len(row) != len(columns):
        return f"the row has {len(row)} fields, and there are {len(columns)} columns"
    return NOT_UTF8 if damage and is_damaged("".join(row)) else ""


def _noting_damage(texts: Iterator[str], damage: list[bool]) -> Iterator[list[str]]:
    """Each block's lines; `damage` becomes non-empty when one has bytes that are not UTF-8."""
    for text in texts:
        if not damage and is_damaged(text):
            damage.append(True)
        yield lines_with_ends(text)


def _columns(
    rows: Iterator[list[str]], headers: bool | list[str]
) -> tuple[list[str], list[list[str]]]:
    """The columns' names, and the first row when it had to be read for its width."""
    columns = headers if isinstance(headers, list) else _first_row(rows)
    first: list[list[str]] = []
    if headers is False and columns:
        first = [columns]
        columns = [f"column_{number}" for number in range(1, len(columns) + 1)]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise ModuleError(f"the column '{twice[0]}' is there twice")
    return columns, first


def _first_row(rows: Iterator[list[str]]) -> list[str]:
    try:
        row = next((row for row in rows if row), [])
    except csv.Error as error:
        raise ModuleError(f"the first row cannot be read: {error}") from None
    if is_damaged("".join(row)):
        raise ModuleError(f"the first row is {NOT_UTF8}")
    return row


READERS: dict[str, tuple[Reader, frozenset[str]]] = {
    "json": (read_json, frozenset(["json_path"])),
    "jsonl": (read_json_lines, frozenset()),
    "csv": (read_csv, frozenset(["delimiter", "headers"])),
    "tsv": (read_tsv, frozenset(["headers"])),
    "text_lines": (read_text_lines, frozenset()),
    "regex": (read_regex, frozenset(["pattern"])),
}
"""A format's reader, and the options that apply to it."""
