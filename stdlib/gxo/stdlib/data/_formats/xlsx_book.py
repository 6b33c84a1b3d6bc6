"""What the cells of a workbook refer to: its sheets, the texts that they share, and their formats.

before:  <sheet name="Orders" r:id="rId1"/>     <xf numFmtId="14"/>     <si><t>pen</t></si>
after:   {"Orders": "xl/worksheets/sheet1.xml"}    style 0 is a "date"     text 0 is "pen"
"""

import datetime as dt
import posixpath
import re
from collections.abc import Iterator
from typing import IO, Literal

from gxo.stdlib.data._formats.xlsx_parts import MIB, Parts, Place, Walk

MAX_TEXTS = 128 * MIB
"""Bytes of the part with the texts, which are kept in memory."""
MAX_TEXT = 16 * MIB
"""Of one text with all that is said of how it looks."""
MAX_TEXT_COUNT = 4_000_000
MAX_STYLES = 100_000
"""Excel has 65,490."""
MAX_SHEETS = 10_000

Format = Literal["number", "date", "moment", "duration"]
"""What a cell's number stands for; a date shows no time."""

_MAX_CODE = 255
"""Characters of a format's code, as in Excel."""
_BUILT_IN: dict[int, Format] = {
    **dict.fromkeys((14, 15, 16, 17), "date"),
    **dict.fromkeys((18, 19, 20, 21, 22, 45, 47), "moment"),
    46: "duration",
}
_LITERAL = re.compile(r'"[^"]*"|[\\_*].')
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")

_DOCUMENT = "/officeDocument"
_SHEET = "/worksheet"
_TEXTS = "/sharedStrings"
_STYLES = "/styles"


class Book:
    """A workbook. texts: those that its cells share, once `read_shared` has read them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.texts: list[str] = []
        self._formats: list[Format] = []
        self._sheets: list[tuple[str, str]] = []
        self._is_of_1904 = False
        main = [target for kind, target in self._related("").values() if kind == _DOCUMENT]
        if not main or main[0].endswith(".bin"):
            raise ValueError("it is no xlsx workbook")
        self._related_parts = self._related(main[0])
        sheet = Place(begin=self._add_sheet)
        properties = Place(begin=self._note_dates)
        inside = {"workbookPr": properties, "sheets": Place({"sheet": sheet})}
        self._walk(main[0], {"workbook": Place(inside)})

    @property
    def sheets(self) -> dict[str, str]:
        """The sheets of cells, hidden ones too: the part of each, by its name."""
        related = self._related_parts
        return {
            name: related[id_][1]
            for name, id_ in self._sheets
            if id_ in related and related[id_][0] == _SHEET
        }

    @property
    def first_day(self) -> dt.datetime:
        """The day 0 of its dates."""
        return dt.datetime(1904, 1, 1) if self._is_of_1904 else dt.datetime(1899, 12, 30)

    def format(self, style: int) -> Format:
        """What the numbers with this style stand for."""
        return self._formats[style] if style < len(self._formats) else "number"

    def read_shared(self) -> Iterator[None]:
        """Read the texts and formats that cells share, with pauses: there may be millions."""
        for kind, name in self._related_parts.values():
            if kind == _STYLES:
                with self._parts.open(name) as part:
                    yield from self._formats_of(part, name)
            elif kind == _TEXTS:
                with self._parts.open(name, MAX_TEXTS) as part:
                    yield from self._texts_of(part, name)

    def _formats_of(self, part: IO[bytes], name: str) -> Iterator[None]:
        codes: dict[int, str] = {}
        used: list[int] = []

        def add_code(attributes: dict[str, str]) -> None:
            codes[natural(attributes.get("numFmtId"))] = attributes.get("formatCode", "")

        def add_style(attributes: dict[str, str]) -> None:
            if len(used) >= MAX_STYLES:
                raise ValueError(f"the workbook has more than {MAX_STYLES:,} styles")
            used.append(natural(attributes.get("numFmtId")))

        code, style = Place(begin=add_code), Place(begin=add_style)
        places = {"numFmts": Place({"numFmt": code}), "cellXfs": Place({"xf": style})}
        yield from Walk(part, name, {"styleSheet": Place(places)})
        formats = {
            number: format_of(codes[number]) if number in codes else _BUILT_IN.get(number, "number")
            for number in set(used)
        }
        self._formats = [formats[number] for number in used]

    def _texts_of(self, part: IO[bytes], name: str) -> Iterator[None]:
        began = 0
        pieces: list[str] = []

        def begin(_: dict[str, str]) -> None:
            nonlocal began
            began = walk.at

        def end() -> None:
            if len(self.texts) >= MAX_TEXT_COUNT:
                raise ValueError(f"the workbook has more than {MAX_TEXT_COUNT:,} texts")
            self.texts.append(unescaped("".join(pieces)))
            pieces.clear()

        item = Place(text_places(pieces), begin=begin, end=end)
        walk = Walk(part, name, {"sst": Place({"si": item})})
        for _ in walk:
            if pieces and walk.at - began > MAX_TEXT:
                raise walk.error(f"a text is larger than {MAX_TEXT // MIB} MiB")
            yield

    def _add_sheet(self, attributes: dict[str, str]) -> None:
        if len(self._sheets) >= MAX_SHEETS:
            raise ValueError(f"the workbook has more than {MAX_SHEETS:,} sheets")
        id_ = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        self._sheets.append((attributes.get("name", ""), id_))

    def _note_dates(self, attributes: dict[str, str]) -> None:
        self._is_of_1904 = attributes.get("date1904", "0") in ("1", "true")

    def _related(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part, or without a name the workbook, refers to: each one's kind and part."""
        folder, file = posixpath.split(name)
        found: dict[str, tuple[str, str]] = {}

        def add(attributes: dict[str, str]) -> None:
            kind = attributes.get("Type", "")
            kind = kind[kind.rfind("/") :]
            if kind in (_DOCUMENT, _SHEET, _TEXTS, _STYLES):
                target = posixpath.normpath(
                    posixpath.join("/", folder, attributes.get("Target", ""))
                )
                found[attributes.get("Id", "")] = kind, target.lstrip("/")

        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        if relations in self._parts:
            places = {"Relationships": Place({"Relationship": Place(begin=add)})}
            self._walk(relations, places)
        return found

    def _walk(self, name: str, places: dict[str, Place]) -> None:
        with self._parts.open(name) as part:
            for _ in Walk(part, name, places):
                pass


def text_places(texts: list[str]) -> dict[str, Place]:
    """Where a text stands, in one piece or in several that look different; not how it is read."""
    text = Place(text=texts.append)
    return {"t": text, "r": Place({"t": text}), "rPh": Place({"t": Place()})}


def unescaped(text: str) -> str:
    """The text in which `_x000D_` stands for a character that XML does not have."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return escape[0] if 0xD800 <= code < 0xE000 else chr(code)


def format_of(code: str) -> Format:
    """What a format's code makes of a number: `[$-409]d\\-mmm\\-yy` a date, `0.0 "days"` nothing.

    Of several, for negative numbers and the like, the first one counts.
    """
    shown = _LITERAL.sub("", code[:_MAX_CODE].lower()).split(";")[0]
    if _ELAPSED.search(shown):
        return "duration"
    letters = set(_IN_BRACKETS.sub("", shown))
    if letters & set("hs"):
        return "moment"
    return "date" if letters & set("dmy") else "number"


def natural(digits: str | None) -> int:
    """A number that stands for something in a list; one that is none stands for nothing."""
    return int(digits) if digits and digits.isdecimal() and len(digits) < 10 else 0
