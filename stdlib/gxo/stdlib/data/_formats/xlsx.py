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
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.data._json import Unfit
from gxo.stdlib.data._text import Fault, Slice

MIB = 1024 * 1024
MAX_FILE = 256 * MIB
MAX_ENTRIES = 10_000
MAX_UNPACKED = 4096 * MIB
MAX_PART = 128 * MIB
"""Of what is read whole: all but the sheets."""
MAX_RATIO = 200
"""How many bytes one byte may become, in parts of more than a mebibyte."""
MAX_ROWS = 1_048_576

_IN_MEMORY = 8 * MIB
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
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise ValueError("it is no xlsx workbook, or a protected one") from None
    if len(parts) > MAX_ENTRIES:
        raise ValueError(f"the workbook has more than {MAX_ENTRIES:,} parts")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise ValueError(f"the workbook unpacks to more than {MAX_UNPACKED // MIB:,} MiB")
    for part in parts:
        if part.file_size > MAX_PART and not part.filename.startswith(_SHEETS):
            raise ValueError(f"the part {part.filename} is larger than {MAX_PART // MIB} MiB")
        if part.file_size > MIB and part.file_size > MAX_RATIO * part.compress_size:
            raise ValueError(
                f"the part {part.filename} unpacks to more than {MAX_RATIO} times its size"
            )


def _read_rows(file: IO[bytes], sheet: str | None, headers: bool | list[str]) -> Iterator[Slice]:
    import openpyxl  # start-up: only this format needs it

    warnings.filterwarnings("ignore", module="openpyxl")  # they are about styles and the like
    number = 0
    book = None
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        found = _sheet(book.worksheets, sheet)
        found.reset_dimensions()  # a sheet can claim to be far larger than it is
        table = _Table(headers)
        for number, row in enumerate(found.iter_rows(), 1):
            if number > MAX_ROWS:
                raise ValueError(f"the sheet has more than {MAX_ROWS:,} rows")
            table.add(number, row)
            if number % BATCH == 0:
                yield table.taken()
        yield table.taken()
    except (ParameterError, ValueError, MemoryError):
        raise
    except Exception as error:  # openpyxl trusts what it reads
        raise ValueError(f"row {number + 1}: the workbook is damaged: {error!r:.200}") from None
    finally:
        if book is not None:
            book.close()


def _sheet(sheets: list[Any], name: str | None) -> Any:
    for sheet in sheets:
        if name is None or sheet.title == name:
            return sheet
    titles = ", ".join(sheet.title for sheet in sheets)
    raise ParameterError(f"format_options.sheet: there is no sheet '{name}'; there is: {titles}")


class _Table:
    """Rows as records, under the names of their columns."""

    def __init__(self, headers: bool | list[str]) -> None:
        self._headers = headers
        self._columns = headers if isinstance(headers, list) else None
        self._slice: Slice = ([], [])

    def add(self, number: int, cells: tuple[Any, ...]) -> None:
        """The next row, which has this number in the sheet."""
        records, faults = self._slice
        try:
            row = _values(cells)
            if not row:
                return
            if self._columns is None:
                self._columns = self._named(row)
                if self._headers is True:
                    return
            if self._headers is False:
                self._widen(len(row))
            if len(row) > len(self._columns):
                raise Unfit(f"it has {len(row)} cells, and there are {len(self._columns)} columns")
        except Unfit as error:
            shown = {"number": number, "cells": [str(cell.value) for cell in cells[:20]]}
            faults.append(Fault(shown, f"row {number}: {error}"))
            return
        row += [None] * (len(self._columns) - len(row))
        records.append(dict(zip(self._columns, row, strict=True)))

    def taken(self) -> Slice:
        """What was added since the last time."""
        done, self._slice = self._slice, ([], [])
        return done

    def _named(self, row: list[Any]) -> list[str]:
        if self._headers is False:
            return []
        names = [f"column_{at}" if value is None else str(value) for at, value in enumerate(row, 1)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the column '{twice[0]}' is there twice")
        return names

    def _widen(self, width: int) -> None:
        """Without names, a row is as long as the longest so far."""
        assert self._columns is not None
        first = len(self._columns) + 1
        self._columns += [f"column_{number}" for number in range(first, width + 1)]


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
