"""Workbooks that are damaged, hostile or far too large: bounded, and one error with file and place."""

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gxo.stdlib.data._formats import xlsx, xlsx_book, xlsx_cells, xlsx_parts
from gxo.stdlib.data._readers import READERS
from tests.stdlib.data import bad_input
from tests.stdlib.data.bad_input import packed, parse, workbook_parts

MIB = 2**20
ROW = "<row><c><v>1</v></c></row>"


def error_of(folder: Path, data: bytes) -> str:
    """What is told of a workbook."""
    (folder / "a.xlsx").write_bytes(data)
    error = str(parse(folder, "xlsx", "a.xlsx", {"headers": False}).error)
    assert error.startswith("cannot parse 'a.xlsx': ")
    return error.removeprefix("cannot parse 'a.xlsx': ")


@pytest.mark.parametrize(
    ("unpacked", "name", "message"),
    [
        (200 * MIB, "xl/sharedStrings.xml", "the part xl/sharedStrings.xml is larger than 128 MiB"),
        (17 * MIB, "xl/workbook.xml", "the part xl/workbook.xml is larger than 16 MiB"),
        (8 * MIB, "xl/worksheets/sheet1.xml", "unpacks to more than 200 times its size"),
    ],
)
def test_a_workbook_that_unpacks_without_end(
    unpacked: int, name: str, message: str, tmp_path: Path
) -> None:
    assert message in error_of(tmp_path, bad_input.zip_bomb(unpacked, name))


def test_what_is_not_read_of_a_workbook_may_be_as_large_as_it_likes(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(bad_input.zip_bomb(32 * MIB, "xl/media/film.avi"))
    assert parse(tmp_path, "xlsx", "a.xlsx").error is None


@pytest.mark.parametrize(
    ("module", "limit", "parts", "message"),
    [
        (xlsx_parts, "MAX_ENTRIES", workbook_parts(), "has more than 3 parts"),
        (xlsx_parts, "MAX_DIRECTORY", workbook_parts(), "it is no xlsx workbook, or a protected"),
        (
            xlsx_parts,
            "MAX_NAMES",
            workbook_parts(),
            "_rels/.rels, line 1, column 170: it has more than 3 different names",
        ),
        (
            xlsx_parts,
            "MAX_PASSED_OVER",
            workbook_parts("<x/>" * 9),
            "row 1: the workbook is damaged: xl/worksheets/sheet1.xml, line 1, column 35: it has"
            " more than 3 elements beside what is read",
        ),
        (xlsx_parts, "MAX_DEPTH", workbook_parts("<x>" * 9), "column 32: nested deeper than 3"),
        (
            xlsx_parts,
            "MAX_TAG",
            workbook_parts(f'<x a="{"a" * 9000}"/>'),
            "a tag or comment is longer than 3 bytes",
        ),
        (
            xlsx_book,
            "MAX_TEXT_COUNT",
            workbook_parts(texts="<si/>" * 4),
            "the workbook has more than 3 texts",
        ),
        (
            xlsx_book,
            "MAX_TEXT",
            workbook_parts(texts=f"<si>{'<r><t>a</t></r>' * 900}</si>"),
            "a text is larger than 0 MiB",
        ),
        (
            xlsx_book,
            "MAX_STYLES",
            workbook_parts(
                '<row><c s="1"><v>1</v></c></row>', styles=f"<cellXfs>{'<xf/>' * 4}</cellXfs>"
            ),
            "the workbook has more than 3 styles",
        ),
        (
            xlsx_book,
            "MAX_SHEETS",
            workbook_parts()
            | {"xl/workbook.xml": f"<workbook><sheets>{'<sheet/>' * 4}</sheets></workbook>"},
            "the workbook has more than 3 sheets",
        ),
        (xlsx_cells, "MAX_ROWS", workbook_parts(ROW * 4), "row 4: the workbook is"),
        (xlsx_cells, "MAX_COLUMNS", workbook_parts('<row><c r="D1"/></row>'), "a row has more"),
        (xlsx, "MAX_FILE", workbook_parts(), "the workbook is larger than 0 MiB"),
    ],
)
def test_a_workbook_of_too_much(
    module: Any,
    limit: str,
    parts: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, limit, 3)
    assert message in error_of(tmp_path, packed(parts))


def test_texts_of_a_row_that_stand_for_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One text can be that of all cells."""
    monkeypatch.setattr(xlsx_cells, "MAX_ROW", 10_000)
    row = "<row>" + '<c t="s"><v>0</v></c>' * 6 + "</row>"
    (tmp_path / "a.xlsx").write_bytes(
        packed(workbook_parts(row + ROW, texts=f"<si><t>{'x' * 2000}</t></si>"))
    )
    outcome = parse(tmp_path, "xlsx", "a.xlsx", {"headers": False})
    assert outcome.record_errors == [
        "'a.xlsx', row 1: cell F1: the row's texts have more than 10,000 characters"
    ]
    assert outcome.sent == [{"column_1": 1}]


def test_a_workbook_packed_as_no_workbook_is(tmp_path: Path) -> None:
    """LZMA says itself how much memory it needs."""
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_LZMA) as archive:
        for name, text in workbook_parts().items():
            archive.writestr(name, text)
    error = error_of(tmp_path, (tmp_path / "a.xlsx").read_bytes())
    assert error == "the part _rels/.rels is packed as no workbook's are"


@pytest.mark.parametrize("part", [name for name in workbook_parts() if "styles" not in name])
def test_a_document_type_in_a_workbook(part: str, tmp_path: Path) -> None:
    """With one come entities; nothing of Python's shows."""
    parts = workbook_parts(ROW)
    parts[part] = '<!DOCTYPE a [<!ENTITY b "c">]>' + parts[part]
    place = f"the workbook is damaged: {part}, line 1, column 13: "
    message = error_of(tmp_path, packed(parts))
    assert message.removeprefix("row 1: ") == f"{place}a document type, which no workbook has"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("<c><v>x</v></c>", "cell A1: x is no number of 64 bits"),
        ("<c><v>1e999</v></c>", "cell A1: 1e999 is no number of 64 bits"),
        ("<c><v>nan</v></c>", "cell A1: nan is no number of 64 bits"),
        (f"<c><v>{'9' * 5000}</v></c>", f"cell A1: {'9' * 20} is no number of 64 bits"),
        ('<c/><c t="s"><v>1</v></c>', "cell B1: 1 is no text of the workbook"),
        ('<c r="AA1" t="s"><v>-1</v></c>', "cell AA1: -1 is no text of the workbook"),
        ('<c t="b"><v>2</v></c>', "cell A1: 2 is no bool"),
        ('<c t="d"><v>2026-02-30</v></c>', "cell A1: 2026-02-30 is no date"),
        ('<c s="1"><v>1e9</v></c>', "cell A1: 1e9 is no date"),
        ('<c t="z"><v>2</v></c>', "cell A1: 2 is no value"),
        ('<c r="A1"><v>1</v></c><c r="A1"><v>1</v></c>', "cell A1: it is there twice"),
    ],
)
def test_a_cell_that_holds_no_value(cells: str, why: str, tmp_path: Path) -> None:
    """Its row is a record error, and the others go on."""
    sheet = f"<row>{cells}</row>{ROW}"
    styles = '<cellXfs><xf/><xf numFmtId="14"/></cellXfs>'
    (tmp_path / "a.xlsx").write_bytes(
        packed(workbook_parts(sheet, texts="<si><t>a</t></si>", styles=styles))
    )
    outcome = parse(tmp_path, "xlsx", "a.xlsx", {"headers": False})
    assert outcome.record_errors == [f"'a.xlsx', row 1: {why}"]
    assert outcome.sent == [{"column_1": 1}]


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ('<row r="2"/><row r="2"/>', "a row is called 2, after row 2"),
        ('<row r="x"/>', "a row is called x, after row 0"),
        ('<row><c r="7"/></row>', "a cell is called 7"),
        ('<row><c r="XFE1"/></row>', "a row has more than 16,384 columns"),
        ('<row><c r="ABCDE1"/></row>', "a row has more than 16,384 columns"),
        ("<row", "unclosed token"),
    ],
)
def test_a_sheet_that_is_none(sheet: str, message: str, tmp_path: Path) -> None:
    error = error_of(tmp_path, packed(workbook_parts(sheet)))
    assert error.startswith("row ")
    assert message in error or "not well-formed" in error


def test_a_part_of_a_workbook_that_is_damaged(tmp_path: Path) -> None:
    """Its checksum is looked at too, and what comes behind the rows."""
    parts = workbook_parts(ROW)
    parts["xl/worksheets/sheet1.xml"] += "z" * 1000
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    error = error_of(tmp_path, file.getvalue().replace(b"zzz", b"yyy", 1))
    assert "the workbook is damaged: xl/worksheets/sheet1.xml: Bad CRC-32" in error


@pytest.mark.parametrize("missing", ["_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_without_a_part(missing: str, tmp_path: Path) -> None:
    parts = workbook_parts(ROW)
    del parts[missing]
    message = error_of(tmp_path, packed(parts)).removeprefix("row 1: ")
    assert message in (f"the part {missing} is missing", "it is no xlsx workbook")


def write_workbook(path: Path, rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_a_workbook_with_a_cell_far_to_the_right(tmp_path: Path) -> None:
    """A row of it is 16,384 cells, so few of them are a slice."""
    wide = [*[None] * 16_383, 1]
    write_workbook(tmp_path / "a.xlsx", [["a", *[None] * 16_382, "z"], *[wide] * 8])
    slices = READERS["xlsx"](iter([(tmp_path / "a.xlsx").read_bytes()]), {})
    sizes = [len(records) for records, _ in slices]
    assert sum(sizes) == 8
    assert max(sizes) <= 7


def change_sheet(folder: Path, before: bytes, after: bytes) -> None:
    """Write a workbook with the rows a, 1, 2, and with something else in its sheet."""
    write_workbook(folder / "good.xlsx", [["a"], [1], [2]])
    with (
        zipfile.ZipFile(folder / "good.xlsx") as good,
        zipfile.ZipFile(folder / "a.xlsx", "w") as bad,
    ):
        for name in good.namelist():
            data = good.read(name)
            bad.writestr(name, data.replace(before, after) if "sheet1" in name else data)


def test_what_was_read_of_a_workbook_comes_before_its_fault(tmp_path: Path) -> None:
    change_sheet(tmp_path, b"</sheetData>", b"<x")
    outcome = parse(tmp_path, "xlsx", "a.xlsx")
    assert outcome.sent == [{"a": 1}, {"a": 2}]
    assert str(outcome.error).startswith("cannot parse 'a.xlsx': row 4: the workbook is damaged: ")


def test_a_row_of_a_workbook_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_cells, "MAX_ROW", MIB)
    change_sheet(tmp_path, b"</sheetData>", b'<row r="4"><c><v>' + b"1" * 2 * MIB)
    outcome = parse(tmp_path, "xlsx", "a.xlsx")
    assert outcome.sent == [{"a": 1}, {"a": 2}]
    assert "a row of a sheet is larger than 1 MiB" in str(outcome.error)
    assert str(outcome.error).startswith("cannot parse 'a.xlsx': row 4: ")


def test_what_stands_between_rows_is_passed_over(tmp_path: Path) -> None:
    change_sheet(tmp_path, b"</sheetData>", b"<c><v>7</v></c>y" * 10_000 + b"<x/></sheetData>")
    tracemalloc.start()
    try:
        outcome = parse(tmp_path, "xlsx", "a.xlsx")
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()
    assert outcome.sent == [{"a": 1}, {"a": 2}]


def test_texts_that_cells_share_are_read_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "_PAUSE", 1)
    monkeypatch.setattr(xlsx_parts, "_PIECE", 100)
    texts = "".join(f"<si><t>{text}</t></si>" for text in "abcde")
    texts += "<si><r><rPr><b/></rPr><t>f</t></r><r><t>g</t></r><rPh><t>no</t></rPh></si>"
    texts += "<si><t/></si><si><t>_x0041_ _x005F_x0041_ _xD800_</t></si>"
    cells = "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in range(8))
    slices = list(
        READERS["xlsx"](iter([packed(workbook_parts(cells, texts=texts))]), {"headers": ["a"]})
    )
    found = [one["a"] for records, _ in slices for one in records]
    assert found == [*"abcde", "fg", "", "A _x0041_ _xD800_"]
    assert len(slices) > 3


def test_a_workbook_whose_columns_cannot_be_named(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", [[], ["a", "b", "a"], [1, 2, 3]])
    error = parse(tmp_path, "xlsx", "a.xlsx").error
    assert str(error) == "cannot parse 'a.xlsx': row 2: the column 'a' is there twice"
    error = parse(tmp_path, "xlsx", "a.xlsx", {"headers": ["a", "a"]}).error
    assert str(error) == "format_options.headers: the column 'a' is there twice"


def test_a_workbook_that_is_a_zip_of_nonsense(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<a>")
    error = parse(tmp_path, "xlsx", "a.xlsx").error
    assert str(error) == "cannot parse 'a.xlsx': it is no xlsx workbook"
