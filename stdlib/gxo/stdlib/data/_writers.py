"""The formats of `data:format`: batches of records to text, one class a format."""

import csv
import json
from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol, TypedDict

from gxo.runtime.errors import ParameterError, RecordError
from gxo.runtime.expr import describe, text
from gxo.runtime.host.eventloop import LARGE
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import ColumnName, Each, Record
from gxo.runtime.streams.tables import Batch, Row, Table, records_of
from gxo.stdlib.data._text import given_columns


class FormatOptions(TypedDict, total=False):
    """Each option belongs to some formats only; another one is refused there.

    headers: (csv, html_table) true for a first row with the first record's field names (the
    default), false for none, or the columns to write, in that order. indent: (json) spaces a level;
    without it the text is compact. template: (text) what a record becomes.
    """

    headers: bool | list[ColumnName]
    indent: int
    template: Each[str]


class Writer(Protocol):
    """Makes text of records: `open`, then `encode` any number of times, then `close`.

    What `encode` returns for several batches is joined by `separator`.
    """

    separator: str

    def open(self, first: Record | None) -> str:
        """What stands before all records, of which `first` is the first if there is one."""
        ...

    def encode(self, batch: Batch) -> str:
        """The records' text. An error means that one of them cannot be written."""
        ...

    def at_once(self, batch: Batch) -> str | None:
        """As `encode`, where that is short, or calls a template, which belongs to the loop."""
        ...

    def close(self) -> str:
        """What stands behind all records."""
        ...


class JsonWriter:
    """One JSON list."""

    def __init__(self, options: FormatOptions) -> None:
        indent = options.get("indent", 0)
        if not 0 <= indent <= 16:
            raise ParameterError(f"format_options.indent: {indent} is not between 0 and 16")
        self._encoder = _encoder(indent or None)
        self._edge = 2 if indent else 1
        self._empty = True
        self.separator = ",\n" if indent else ","

    def open(self, first: Record | None) -> str:
        self._empty = first is None
        return "[" if self._edge == 1 or self._empty else "[\n"

    def encode(self, batch: Batch) -> str:
        # One call for the whole list, without its brackets, costs half of a call a record.
        return self._encoder.encode(records_of(batch))[self._edge : -self._edge]

    def at_once(self, batch: Batch) -> str | None:
        return self.encode(batch) if _is_short(batch) else None

    def close(self) -> str:
        return "]\n" if self._edge == 1 or self._empty else "\n]\n"


class JsonLinesWriter:
    """A JSON object a line."""

    separator = ""

    def __init__(self, options: FormatOptions) -> None:  # noqa: ARG002 - it has none
        self._encode = _encoder(None).encode

    def open(self, first: Record | None) -> str:  # noqa: ARG002 - nothing stands before
        return ""

    def encode(self, batch: Batch) -> str:
        # One call costs half of a call a record. What stands between them becomes line ends.
        mixed: list[Any] = [_NUMBER] * (2 * len(batch) - 1)
        mixed[::2] = records_of(batch)
        text = self._encode(mixed)
        if text.count(_BETWEEN) != len(batch) - 1:
            return "".join([f"{line}\n" for line in map(self._encode, batch)])
        return text[1:-1].replace(_BETWEEN, "\n") + "\n"

    def at_once(self, batch: Batch) -> str | None:
        return self.encode(batch) if _is_short(batch) else None

    def close(self) -> str:
        return ""


_FEW = 64
"""Records that are weighed before they are written; more of them are long enough for a thread."""


def _is_short(batch: Batch) -> bool:
    """Whether to write the batch takes less time than to change to another thread and back."""
    return len(batch) <= _FEW and weight(records_of(batch)) <= LARGE


_NUMBER = 2**53 + 1
_BETWEEN = f",{_NUMBER},"


class CsvWriter:
    """Comma-separated values (RFC 4180), line feeds; null is empty, a list or map its JSON.

    columns: the fields that are written, once the table is open.
    """

    separator = ""

    def __init__(self, options: FormatOptions) -> None:
        headers = options.get("headers", True)
        columns = given_columns(headers)
        self._head = headers is not False
        self.columns = columns or []
        self._chosen = columns is not None
        self._known = frozenset(self.columns)
        self._encode = _encoder(None).encode

    def open(self, first: Record | None) -> str:
        if not self._chosen:
            self.columns = list(first or {})
            self._known = frozenset(self.columns)
        return _csv_text([self.columns]) if self._head and self.columns else ""

    def encode(self, batch: Batch) -> str:
        return _csv_text(self.rows(batch))

    def at_once(self, batch: Batch) -> str | None:
        if not isinstance(batch, Table):
            return None
        rows = self._rows_of_table(batch)
        return None if rows is None else plain_csv(rows, LARGE)

    def rows(self, batch: Batch) -> Sequence[Sequence[Any]]:
        """The records' cells. RecordError when one has a field that is no column."""
        if isinstance(batch, Table):
            rows = self._rows_of_table(batch)
        else:
            rows = self._plain_rows(batch)
        return rows if rows is not None else [self.row(record) for record in batch]

    def _rows_of_table(self, table: Table) -> Sequence[Sequence[Any]] | None:
        """The rows as they are, or their columns that are chosen, if they have all of them."""
        columns = self.columns
        if table.names == tuple(columns):
            return table.rows
        if not self._chosen or len(columns) < 2 or not self._known.issubset(table.names):
            return None
        return list(map(itemgetter(*map(table.names.index, columns)), table.rows))

    def _plain_rows(self, batch: list[Record]) -> Sequence[Sequence[Any]] | None:
        """The rows, by C code, where all records have just the columns and every cell is plain."""
        columns = self.columns
        if len(columns) < 2 or (not self._chosen and set(map(len, batch)) != {len(columns)}):
            return None
        try:
            rows = list(map(itemgetter(*columns), batch))
        except KeyError:
            return None
        return rows if _PLAIN.issuperset(map(type, chain.from_iterable(rows))) else None

    def row(self, record: Record) -> list[Any]:
        """The record's cells. RecordError when it has a field that is no column."""
        if not self._chosen and not record.keys() <= self._known:
            extra = next(name for name in record if name not in self._known)
            raise RecordError(
                f"the field '{extra}' is no column: the first record did not have it",
                hint="list the columns in format_options.headers",
            )
        row = [record.get(name) for name in self.columns]
        for at, value in enumerate(row):
            if value.__class__ not in _PLAIN:
                row[at] = self._cell(value)
        return row

    def close(self) -> str:
        return ""

    def _cell(self, value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        return self._encode(value) if isinstance(value, (list, dict)) else text(value)


class TextWriter:
    """A text a record, ended by a line feed: the template's, or the field `line` or `value`."""

    separator = ""

    def __init__(self, options: FormatOptions) -> None:
        self._text = options.get("template", _line)

    def open(self, first: Record | None) -> str:  # noqa: ARG002 - nothing stands before
        return ""

    def encode(self, batch: Batch) -> str:
        lines = map(self._text, batch)
        return "".join([line if line[-1:] == "\n" else f"{line}\n" for line in lines])

    def at_once(self, batch: Batch) -> str | None:
        return self.encode(batch)

    def close(self) -> str:
        return ""


_PLAIN = frozenset([str, int, float, type(None)])


def _encoder(indent: int | None) -> json.JSONEncoder:
    return json.JSONEncoder(
        ensure_ascii=False,
        check_circular=False,
        allow_nan=False,
        indent=indent,
        separators=(",", ": " if indent else ":"),
        default=_no_json,
    )


def _no_json(value: object) -> str:
    raise RecordError(f"{describe(value)} cannot be written as JSON")


_MARKS = ',"\n\r'
"""What a cell that has it is quoted for."""


def plain_csv(rows: Sequence[Row], most: int) -> str | None:
    """As `_csv_text`, twice as fast: rows of texts and nulls with no more than `most` characters.

    None where there are more, or they need more care.
    """
    columns: list[Sequence[str]] = []
    length = 0
    for cells in zip(*rows, strict=True):
        column: Sequence[str] = cells
        try:
            text = "".join(column)
        except TypeError:
            column = [cell or "" for cell in cells]
            text = "".join(column)
        length += len(text)
        marks = [mark for mark in _MARKS if mark in text]
        if length > most or len(marks) > 1 or '"' in marks:
            return None
        for mark in marks:
            column = [f'"{cell}"' if mark in cell else cell for cell in column]
        columns.append(column)
    if len(columns) < 2:
        return None  # a row of one empty cell would be a blank line
    return "\n".join([*map(",".join, zip(*columns, strict=True)), ""])


class _Rows:
    """Takes what `csv.writer` writes: a row at a time."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.write = self.rows.append


def _csv_text(rows: Sequence[Sequence[Any]]) -> str:
    found = _Rows()
    csv.writer(found, lineterminator="\n").writerows(rows)
    text = "".join(found.rows)
    if "\r" not in text:
        return text
    # The csv module quotes no more line ends than it writes itself, so a lone \r would go unquoted.
    found.rows.clear()
    csv.writer(found, lineterminator="\r\n").writerows(rows)
    return "".join([f"{row[:-2]}\n" for row in found.rows])


def _line(record: Record) -> str:
    for name in ("line", "value"):
        if name in record:
            return text(record[name])
    raise RecordError(
        "the record has no field 'line' or 'value' to write",
        hint="say what a record becomes in format_options.template",
    )


def _yaml_writer(options: FormatOptions) -> Writer:  # noqa: ARG001 - it has none
    from gxo.stdlib.data._formats.yaml_text import YamlWriter  # start-up: few playbooks use it

    return YamlWriter()


def _html_table_writer(options: FormatOptions) -> Writer:
    from gxo.stdlib.data._formats.html_table import (
        HtmlTableWriter,  # start-up: few playbooks use it
    )

    return HtmlTableWriter(CsvWriter(options), options.get("headers", True) is not False)


WRITERS: dict[str, Callable[[FormatOptions], Writer]] = {
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "yaml": _yaml_writer,
    "csv": CsvWriter,
    "html_table": _html_table_writer,
    "text": TextWriter,
}
