"""Workbooks that are damaged, hostile or far too large: bounded, and one error with file and place."""

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gxo.stdlib.data._formats import xlsx
from gxo.stdlib.data._readers import READERS
from tests.stdlib.data import bad_input
from tests.stdlib.data.bad_input import parse

MIB = 2**20


@pytest.mark.parametrize(
    ("unpacked", "name", "message"),
    [
        (200 * MIB, "xl/sharedStrings.xml", "the part xl/sharedStrings.xml is larger than 128 MiB"),
        (9 * MIB, "xl/styles.xml", "the part xl/styles.xml is larger than 8 MiB"),
        (8 * MIB, "xl/worksheets/sheet1.xml", "unpacks to more than 200 times its size"),
    ],
)
def test_a_workbook_that_unpacks_without_end(
    unpacked: int, name: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.xlsx").write_bytes(bad_input.zip_bomb(unpacked, name))
    error = parse(tmp_path, "xlsx", "a.xlsx").error
    assert str(error).startswith("cannot parse 'a.xlsx': ")
    assert message in str(error)


def test_a_workbook_of_too_many_parts_or_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for number in range(11):
            archive.writestr(str(number), b"x" * 100)
    for name, value, message in (
        ("MAX_ENTRIES", 10, "more than 10 parts"),
        ("MAX_UNPACKED", 1000, "unpacks to more than 0 MiB"),
        ("MAX_FILE", 1000, "larger than 0 MiB"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(xlsx, name, value)
            assert message in str(parse(tmp_path, "xlsx", "a.xlsx").error)


def test_a_workbook_packed_as_no_workbook_is(tmp_path: Path) -> None:
    """LZMA says itself how much memory it needs."""
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/workbook.xml", b"x" * 100)
    error = parse(tmp_path, "xlsx", "a.xlsx").error
    assert "the part xl/workbook.xml is packed as no workbook's are" in str(error)


def test_a_workbook_whose_directory_is_far_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MAX_DIRECTORY", 1000)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for number in range(100):
            archive.writestr(str(number), b"")
    assert "it is no xlsx workbook" in str(parse(tmp_path, "xlsx", "a.xlsx").error)


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


@pytest.mark.parametrize("before", [b"<sheetData>", b"</sheetData>"])
def test_a_row_of_a_workbook_without_an_end(
    before: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROW", MIB)
    change_sheet(tmp_path, before, before.replace(b"</", b'<row r="4">') + b"<c/>" * MIB)
    outcome = parse(tmp_path, "xlsx", "a.xlsx")
    assert "a row of a sheet is larger than 1 MiB" in str(outcome.error)
    assert str(outcome.error).startswith("cannot parse 'a.xlsx': row ")


def test_texts_that_cells_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read with pauses, and as openpyxl reads them."""
    monkeypatch.setattr(xlsx, "_TEXTS", 2)
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    texts = "".join(f"<si><t>{text}</t></si>" for text in "abcde") + "<si><r><t>f</t></r></si>"
    cells = "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in range(6))
    change_sheet(tmp_path, b"</sheetData>", f"{cells}</sheetData>".encode())
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as good,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as book,
    ):
        for name in good.namelist():
            entry = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
            book.writestr(name, good.read(name).replace(b"</Types>", entry.encode()))
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{space}">{texts}</sst>')
    slices = list(READERS["xlsx"](iter([(tmp_path / "b.xlsx").read_bytes()]), {}))
    assert [one["a"] for records, _ in slices for one in records] == [1, 2, *"abcdef"]
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
    assert str(error).startswith("cannot parse 'a.xlsx': row 1: the workbook is damaged: ")
