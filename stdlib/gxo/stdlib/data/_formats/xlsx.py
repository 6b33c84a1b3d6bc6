"""Sheets of Excel workbooks (.xlsx): a row becomes a record.

    before:  | id | when (a date) | ok   |      after:  {"id": 7, "when": "2026-01-31", "ok": True}
             | 7  | 46053         | TRUE |

Numbers, texts and bools are what they are, an empty cell is null. A date is RFC 3339 text: with
the time, taken as UTC, where the cell shows one. A formula is what it gave when the workbook was
saved, an error its text (`#N/A`).

A workbook is a zip file, so its parts are looked at before one is unpacked; openpyxl then reads the
sheet row by row, from a copy that nobody else can change.
"""

import datetime as dt
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.data._json import Unfit
from gxo.stdlib.data._text import Fault, Slice, given_columns, repeated

MIB = 1024 * 1024
MAX_FILE = 256 * MIB
MAX_ENTRIES = 10_000
MAX_UNPACKED = 4096 * MIB
MAX_TEXTS = 128 * MIB
"""Of the part with the texts of all cells, which are kept in memory."""
MAX_PART = 8 * MIB
"""Of any other part but the sheets: openpyxl makes objects of all of it, 50 times as large."""
MAX_ROW = 16 * MIB
"""Of a sheet's text from one row to the next; objects are made of that, too."""
MAX_RATIO = 200
"""How many bytes one byte may become, in parts of more than a mebibyte."""
MAX_ROWS = 1_048_576
MAX_DIRECTORY = 4 * MIB
MAX_CELLS = 100_000
"""Of the rows that become a slice: one cell far to the right makes a row of thousands."""

_IN_MEMORY = 8 * MIB
_TEXTS = 5000
"""Between two pauses."""
_SHEETS = "xl/worksheets/"


def read_xlsx(
    pieces: Iterator[bytes], sheet: str | None, headers: bool | list[str]
) -> Iterator[Slice]:
    """The rows of a sheet, by default the first; blank ones are passed over."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > MAX_FILE:
                raise ValueError(f"the workbook is larger than {MAX_FILE // MIB} MiB")
            file.write(piece)
            yield [], []
        _check_parts(file)
        yield from _read_rows(file, sheet, headers)


def _check_parts(file: IO[bytes]) -> None:
    """Refuse what would fill memory or disk, by what the zip's directory says.

    Python unpacks no more of a part than the directory says that it has.
    """
    try:
        with zipfile.ZipFile(_DirectoryReader(file)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise ValueError("it is no xlsx workbook, or a protected one") from None
    if len(parts) > MAX_ENTRIES:
        raise ValueError(f"the workbook has more than {MAX_ENTRIES:,} parts")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise ValueError(f"the workbook unpacks to more than {MAX_UNPACKED // MIB:,} MiB")
    for part in parts:
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"the part {part.filename[:100]} is packed as no workbook's are")
        most = _most(part.filename)
        if part.file_size > most:
            raise ValueError(f"the part {part.filename[:100]} is larger than {most // MIB} MiB")
        if part.file_size > MIB and part.file_size > MAX_RATIO * part.compress_size:
            raise ValueError(
                f"the part {part.filename[:100]} unpacks to more than {MAX_RATIO} times its size"
            )


def _most(name: str) -> int:
    """Bytes that a part may unpack to."""
    if name.startswith(_SHEETS) or not name.lower().endswith((".xml", ".rels")):
        return MAX_UNPACKED  # read row by row, or not at all
    return MAX_TEXTS if "sharedstrings" in name.lower() else MAX_PART


class _DirectoryReader:
    """The file for who reads its directory, which is small: Python makes objects of all of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise ValueError("the directory is too large")
        return self._file.read(min(size, MAX_DIRECTORY) if size >= 0 else MAX_DIRECTORY)


def _read_rows(file: IO[bytes], sheet: str | None, headers: bool | list[str]) -> Iterator[Slice]:
    table = _Table(headers)
    number = 0
    try:
        with _Archive(file) as archive:
            reader = _reader(file, archive)
            for _ in _read_texts(reader):
                yield [], []
            reader.read()
            for number, row in enumerate(_rows(reader.wb, sheet), 1):
                archive.since_row = 0
                if number > MAX_ROWS:
                    raise Unfit(f"the sheet has more than {MAX_ROWS:,} rows")
                table.add(number, row)
                if number % BATCH == 0 or table.is_full:
                    yield table.taken()
    except Unfit as error:
        yield table.taken()
        at = "" if str(error).startswith("row ") else f"row {number + 1}: "
        raise ValueError(f"{at}{error}") from None
    except (ParameterError, MemoryError):
        raise
    except Exception as error:  # openpyxl trusts what it reads
        yield table.taken()
        raise ValueError(f"row {number + 1}: the workbook is damaged: {error!r:.200}") from None
    yield table.taken()


class _Archive(zipfile.ZipFile):
    """A workbook's parts. since_row: bytes of a sheet that were read since its last row."""

    since_row = 0

    def open(self, name: Any, *arguments: Any, **options: Any) -> Any:
        part = super().open(name, *arguments, **options)
        return _Sheet(part, self) if str(name).startswith(_SHEETS) else part


class _Sheet:
    """The text of a sheet, for who keeps all of it until a row ends."""

    def __init__(self, text: IO[bytes], archive: _Archive) -> None:
        self.close = text.close
        self._text = text
        self._archive = archive
        archive.since_row = 0

    def __enter__(self) -> "_Sheet":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, size: int = -1) -> bytes:
        self._archive.since_row += size
        if self._archive.since_row > MAX_ROW:
            raise Unfit(f"a row of a sheet is larger than {MAX_ROW // MIB} MiB")
        return self._text.read(size)


def _reader(file: IO[bytes], archive: _Archive) -> Any:
    from openpyxl.reader.excel import ExcelReader  # start-up: only this format needs it

    warnings.filterwarnings("ignore", module="openpyxl")  # they are about styles and the like
    reader: Any = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
    reader.archive = archive
    return reader


def _read_texts(reader: Any) -> Iterator[None]:
    """Read the cells' texts, with pauses: openpyxl would read millions of them in one go."""
    from openpyxl.cell.text import Text
    from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    reader.read_manifest()
    reader.read_strings = lambda: None
    part = reader.package.find(SHARED_STRINGS)
    if part is None:
        return
    with reader.archive.open(part.PartName[1:]) as source:
        content: Any = Text.from_tree
        elements = iterparse(source, ["start", "end"])
        _, root = next(elements)
        for kind, element in elements:
            if kind == "end" and element.tag == f"{{{SHEET_MAIN_NS}}}si":
                reader.shared_strings.append(content(element).content.replace("x005F_", ""))
                root.clear()
                if len(reader.shared_strings) % _TEXTS == 0:
                    yield


def _rows(book: Any, name: str | None) -> Iterator[tuple[Any, ...]]:
    """The rows of the sheet with this name, or of the first one."""
    sheets = book.worksheets
    for sheet in sheets:
        if name is None or sheet.title == name:
            sheet.reset_dimensions()  # a sheet can claim to be far larger than it is
            return sheet.iter_rows()  # type: ignore[no-any-return]
    if name is None:
        raise Unfit("the workbook has no sheet of cells")
    titles = ", ".join(sheet.title for sheet in sheets)
    raise ParameterError(f"format_options.sheet: there is no sheet '{name}'; there is: {titles}")


class _Table:
    """Rows as records, under the names of their columns. is_full: they are to be taken."""

    def __init__(self, headers: bool | list[str]) -> None:
        self.is_full = False
        self._headers = headers
        self._columns = given_columns(headers)
        self._slice: tuple[list[Record], list[Fault]] = ([], [])
        self._cells = 0

    def add(self, number: int, cells: tuple[Any, ...]) -> None:
        """The next row, which has this number in the sheet."""
        try:
            row = _values(cells)
        except Unfit as error:
            if self._columns is None and self._headers is True:
                raise Unfit(f"row {number}: {error}") from None
            self._refuse(number, cells, str(error))
            return
        if not row:
            return
        if self._columns is None:
            self._columns = self._named(row, number)
            if self._headers is True:
                return
        if self._headers is False:
            self._widen(len(row))
        width = len(self._columns)
        if len(row) > width:
            why = f"it has {len(row)} cells, and there are {width} columns"
            self._refuse(number, cells, why)
            return
        row += [None] * (width - len(row))
        self._slice[0].append(dict(zip(self._columns, row, strict=True)))
        self._cells += width
        self.is_full = self._cells >= MAX_CELLS

    def taken(self) -> Slice:
        """What was added since the last time."""
        done, self._slice = self._slice, ([], [])
        self._cells, self.is_full = 0, False
        return done

    def _refuse(self, number: int, cells: tuple[Any, ...], why: str) -> None:
        shown = {"number": number, "cells": [_shown(cell.value) for cell in cells[:20]]}
        self._slice[1].append(Fault(shown, f"row {number}: {why}"))

    def _named(self, row: list[Any], number: int) -> list[str]:
        if self._headers is False:
            return []
        names = [f"column_{at}" if value is None else str(value) for at, value in enumerate(row, 1)]
        if twice := repeated(names):
            raise Unfit(f"row {number}: the column '{twice[:50]}' is there twice")
        return names

    def _widen(self, width: int) -> None:
        """Without names, a row is as long as the longest so far."""
        assert self._columns is not None
        first = len(self._columns) + 1
        self._columns += [f"column_{number}" for number in range(first, width + 1)]


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


def _values(cells: tuple[Any, ...]) -> list[Any]:
    """The row's values, without the empty ones at its end."""
    values = [
        value if (value := cell.value).__class__ in _PLAIN else _value(cell) for cell in cells
    ]
    while values and values[-1] is None:
        values.pop()
    return values


_PLAIN = frozenset([str, bool, type(None)])


def _value(cell: Any) -> Any:
    match cell.value:
        case int() as value if -(2**63) <= value < 2**64:
            return value
        case int() | float() as value:
            return _finite(cell, value)
        case dt.datetime() as value:
            return _date_text(cell, value)
        case dt.date() | dt.time() as value:
            return value.isoformat()
        case dt.timedelta() as value:
            return value.total_seconds()
        case value:
            return str(value)


def _finite(cell: Any, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number - number != 0.0:
        raise Unfit(f"the number in cell {cell.coordinate} does not fit into 64 bits")
    return number


def _date_text(cell: Any, value: dt.datetime) -> str:
    from openpyxl.styles.numbers import is_datetime

    if is_datetime(cell.number_format) == "date" and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() + "Z"
