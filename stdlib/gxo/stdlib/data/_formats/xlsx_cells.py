"""The rows of a workbook's sheet, and what their cells hold.

before:  <row r="7"><c r="A7" t="s"><v>0</v></c><c r="C7" s="1"><v>46053</v></c></row>
after:   Row(7, ["pen", None, "2026-01-31"], "")
"""

import datetime as dt
import string
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from gxo.stdlib.data._formats.xlsx_book import Book, Format, natural, text_places, unescaped
from gxo.stdlib.data._formats.xlsx_parts import MIB, Parts, Place, Walk

MAX_SHEET = 4096 * MIB
MAX_ROW = 16 * MIB
"""Bytes of a sheet from a row's begin to its end, and of the shared texts that the row holds."""
MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384

_LONG = 1000
"""Characters of a shared text that is counted: many others are no more than a row may have."""
_PAUSE = 128
"""Pieces of a sheet between two pauses where no row comes."""


class Row(NamedTuple):
    """A row with its number in the sheet; fault: why it cannot become a record, if it cannot."""

    number: int
    cells: list[Any]
    fault: str


def read_rows(parts: Parts, name: str, book: Book) -> Iterator[Row | None]:
    """The rows of a sheet, without those that are not in it; and None where they take long."""
    with parts.open(name, MAX_SHEET) as part:
        cells = _Cells(book)
        cells.walk = Walk(part, name, cells.places())
        try:
            for pieces, _ in enumerate(cells.walk):
                cells.check_size()
                if cells.rows:
                    yield from cells.taken()
                elif pieces % _PAUSE == 0:
                    yield None
        except ValueError:
            yield from cells.taken()
            raise


class _Cells:
    """What is called for a sheet's rows and cells. rows: those that are not taken yet."""

    walk: Walk

    def __init__(self, book: Book) -> None:
        self.rows: list[Row] = []
        self._book = book
        self._columns: dict[str, int] = {}
        self._number = self._column = self._began = self._size = 0
        self._row: list[Any] = []
        self._fault = ""
        self._is_in_row = False
        self._attributes: dict[str, str] = {}
        self._text = ""
        self._inline: list[str] = []
        self._readers: dict[str, Callable[[str], Any]] = {
            "n": self._number_of,
            "s": self._shared,
            "b": _bool,
            "str": unescaped,
            "e": str,
            "d": self._iso_date,
        }

    def taken(self) -> list[Row]:
        """The rows since the last time."""
        rows, self.rows = self.rows, []
        return rows

    def places(self) -> dict[str, Place]:
        """Where rows and cells stand."""
        inside = {
            "v": Place(text=self._take_text),
            "is": Place(text_places(self._inline)),
            "f": Place(),
        }
        cell = Place(inside, begin=self._begin_cell, end=self._end_cell)
        row = Place({"c": cell}, begin=self._begin_row, end=self._end_row)
        return {"worksheet": Place({"sheetData": Place({"row": row}, end=self._end_data)})}

    def check_size(self) -> None:
        """Refuse a row that goes on and on."""
        if self._is_in_row and self.walk.at - self._began > MAX_ROW:
            raise self.walk.error(f"a row of a sheet is larger than {MAX_ROW // MIB} MiB")

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        before = self._number
        self._number = before + 1 if number is None else natural(number)
        if self._number <= before:
            raise self.walk.error(f"a row is called {str(number)[:20]}, after row {before}")
        if self._number > MAX_ROWS:
            raise self.walk.error(f"the sheet has more than {MAX_ROWS:,} rows")
        self._row, self._fault = [], ""
        self._column = self._size = 0
        self._began = self.walk.at
        self._is_in_row = True

    def _end_row(self) -> None:
        self.rows.append(Row(self._number, self._row, self._fault))
        self._is_in_row = False

    def _end_data(self) -> None:
        self.walk.is_over = True

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._attributes = attributes
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else self._column_of(place)
        if self._column > MAX_COLUMNS:
            raise self.walk.error(f"a row has more than {MAX_COLUMNS:,} columns")

    def _column_of(self, place: str) -> int:
        """The number of the column in `C7`."""
        letters = place.rstrip(string.digits)
        column = self._columns.get(letters)
        if column is None:
            column = 0
            for letter in letters.upper()[:4]:
                column = 26 * column + string.ascii_uppercase.find(letter) + 1
            if not letters.isalpha() or not letters.isascii():
                raise self.walk.error(f"a cell is called {place[:20]}")
            if column <= MAX_COLUMNS:
                self._columns[letters] = column
        return column

    def _take_text(self, text: str) -> None:
        self._text = text

    def _end_cell(self) -> None:
        text, self._text = self._text, ""
        kind = self._attributes.get("t", "n")
        value: Any = None
        if kind == "inlineStr":
            value = unescaped("".join(self._inline)) if self._inline else None
        elif text:
            value = self._read(kind, text)
        self._inline.clear()
        if value is not None:
            self._put(value)

    def _read(self, kind: str, text: str) -> Any:
        try:
            return self._readers[kind](text)
        except OverflowError:
            noun = "date"
        except (ValueError, LookupError):
            noun = _NOUNS.get(kind, "value")
        self._refuse(f"{text[:20]} is no {noun}")
        return text

    def _put(self, value: Any) -> None:
        """Put a value into its column; where the row has no cells, it is empty."""
        row = self._row
        missing = self._column - 1 - len(row)
        if missing == 0:
            row.append(value)
        elif missing > 0:
            row += [None] * missing
            row.append(value)
        elif row[self._column - 1] is None:
            row[self._column - 1] = value
        else:
            self._refuse("it is there twice")

    def _refuse(self, why: str) -> None:
        """The row cannot become a record, for the first of its faults."""
        self._fault = self._fault or f"cell {_letters(self._column)}{self._number}: {why}"

    def _number_of(self, digits: str) -> Any:
        """A number, or what it stands for by the cell's style."""
        value: int | float
        if "." in digits or "E" in digits or "e" in digits:
            value = float(digits)
        else:
            value = int(digits)
            if not -(2**63) <= value < 2**64:
                value = float(digits)
        if value - value != 0:
            raise ValueError
        kind = self._book.format(natural(self._attributes.get("s")))
        return value if kind == "number" else _dated(value, kind, self._book.first_day)

    def _shared(self, digits: str) -> str:
        number = int(digits)
        if number < 0:
            raise LookupError
        text = self._book.texts[number]
        if len(text) > _LONG:
            self._size += len(text)
            if self._size > MAX_ROW:
                self._refuse(f"the row's texts have more than {MAX_ROW:,} characters")
        return text

    def _iso_date(self, text: str) -> str:
        text = text.removesuffix("Z")
        if ":" not in text:
            return dt.date.fromisoformat(text).isoformat()
        if "-" not in text:
            return dt.time.fromisoformat(text).isoformat()
        kind = self._book.format(natural(self._attributes.get("s")))
        return _shown(dt.datetime.fromisoformat(text), kind)


_NOUNS = {"n": "number of 64 bits", "s": "text of the workbook", "b": "bool", "d": "date"}


def _bool(text: str) -> bool:
    return {"1": True, "true": True, "0": False, "false": False}[text]


def _dated(value: float, kind: Format, first_day: dt.datetime) -> Any:
    """Days since the first one as a date, or a time of the day; seconds of a duration.

    OverflowError where that is none.
    """
    if kind == "duration":
        return dt.timedelta(milliseconds=round(value * _DAY)).total_seconds()
    days, fraction = divmod(value, 1)
    part = dt.timedelta(milliseconds=round(fraction * _DAY))
    if 0 <= value < 1 and not part.days:
        return (dt.datetime.min + part).time().isoformat()
    if 0 < value < 60 and first_day.year < 1900:
        days += 1  # Excel has a 29 February 1900, as Lotus 1-2-3 had
    return _shown(first_day + dt.timedelta(days) + part, kind)


_DAY = 24 * 60 * 60 * 1000
"""Milliseconds: more is not told apart in a cell."""


def _shown(moment: dt.datetime, kind: Format) -> str:
    if kind == "date" and moment.time() == dt.time():
        return moment.date().isoformat()
    return moment.isoformat() + ("" if moment.tzinfo else "Z")


def _letters(column: int) -> str:
    """A column's name: `AA` for the 27th."""
    name = ""
    while column:
        column, letter = divmod(column - 1, 26)
        name = string.ascii_uppercase[letter] + name
    return name
