"""Sheets of Excel workbooks (.xlsx): a row becomes a record.

    before:  | id | when (a date) | ok   |      after:  {"id": 7, "when": "2026-01-31", "ok": True}
             | 7  | 46053         | TRUE |

Numbers, texts and bools are what they are, an empty cell is null. A date is RFC 3339 text: with
the time, taken as UTC, where the cell shows one. A formula is what it gave when the workbook was
saved, an error its text (`#N/A`).

    xlsx_parts   the zip file, and a walk through the XML of one part of it
    xlsx_book    what the workbook says of its sheets, and what their cells share
    xlsx_cells   the rows of a sheet

No library is used: openpyxl makes objects of all that a workbook says, of its styles, filters and
drawings too, which a few megabytes can make a gigabyte. Of that a row needs next to nothing. The
tests hold what is read here against what openpyxl writes and reads.
"""

import tempfile
from collections.abc import Iterator

from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.data._formats.xlsx_book import Book
from gxo.stdlib.data._formats.xlsx_cells import Row, read_rows
from gxo.stdlib.data._formats.xlsx_parts import MIB, Parts
from gxo.stdlib.data._text import Fault, Slice, given_columns, repeated

MAX_FILE = 256 * MIB
MAX_CELLS = 100_000
"""Of the rows that become a slice: one cell far to the right makes a row of thousands."""

_IN_MEMORY = 8 * MIB
_PAUSE = 100
"""Pieces of what cells share between two pauses."""


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
        parts = Parts(file)
        book = Book(parts)
        name = _part(book.sheets, sheet)
        for number, _ in enumerate(book.read_shared()):
            if number % _PAUSE == 0:
                yield [], []
        yield from _slices(read_rows(parts, name, book), _Table(headers))


def _part(sheets: dict[str, str], name: str | None) -> str:
    """The part of the sheet with this name, or of the first one."""
    if not sheets:
        raise ValueError("the workbook has no sheet of cells")
    if name is None:
        return next(iter(sheets.values()))
    if name not in sheets:
        names = ", ".join(list(sheets)[:_SHOWN])
        raise ParameterError(f"format_options.sheet: there is no sheet '{name}'; there is: {names}")
    return sheets[name]


def _slices(rows: Iterator[Row | None], table: "_Table") -> Iterator[Slice]:
    """The rows in slices. What is wrong with a row comes after the rows before it."""
    number = 0
    try:
        for row in rows:
            if row is not None:
                number = row.number
                table.add(row)
            if row is None or table.is_full:
                yield table.taken()
    except ValueError as error:
        yield table.taken()
        at = "" if str(error).startswith("row ") else f"row {number + 1}: "
        raise ValueError(f"{at}{error}") from None
    yield table.taken()


class _Table:
    """Rows as records, under the names of their columns. is_full: they are to be taken."""

    def __init__(self, headers: bool | list[str]) -> None:
        self.is_full = False
        self._headers = headers
        self._columns = given_columns(headers)
        self._records: list[Record] = []
        self._faults: list[Fault] = []
        self._cells = 0

    def add(self, row: Row) -> None:
        """The next row."""
        cells = row.cells
        if row.fault:
            if self._columns is None and self._headers is True:
                raise ValueError(f"row {row.number}: {row.fault}")
            self._refuse(row, row.fault)
            return
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            return
        if self._columns is None:
            self._columns = self._named(row)
            if self._headers is True:
                return
        if self._headers is False:
            self._widen(len(cells))
        width = len(self._columns)
        if len(cells) > width:
            self._refuse(row, f"it has {len(cells)} cells, and there are {width} columns")
            return
        cells += [None] * (width - len(cells))
        self._records.append(dict(zip(self._columns, cells, strict=True)))
        self._count(width)

    def taken(self) -> Slice:
        """What was added since the last time."""
        done = self._records, self._faults
        self._records, self._faults = [], []
        self._cells, self.is_full = 0, False
        return done

    def _refuse(self, row: Row, why: str) -> None:
        shown = [None if cell is None else str(cell) for cell in row.cells[:_SHOWN]]
        fault = Fault({"number": row.number, "cells": shown}, f"row {row.number}: {why}")
        self._faults.append(fault)
        self._count(len(shown))

    def _count(self, cells: int) -> None:
        self._cells += cells
        count = len(self._records) + len(self._faults)
        self.is_full = self._cells >= MAX_CELLS or count >= BATCH

    def _named(self, row: Row) -> list[str]:
        if self._headers is False:
            return []
        cells = enumerate(row.cells, 1)
        names = [f"column_{at}" if value is None else str(value) for at, value in cells]
        if twice := repeated(names):
            raise ValueError(f"row {row.number}: the column '{twice[:50]}' is there twice")
        return names

    def _widen(self, width: int) -> None:
        """Without names, a row is as long as the longest so far."""
        assert self._columns is not None
        first = len(self._columns) + 1
        self._columns += [f"column_{number}" for number in range(first, width + 1)]


_SHOWN = 20
"""Cells of a row, or names of sheets, that an error shows."""
