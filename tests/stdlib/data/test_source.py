"""A file is read on the event loop where it is in memory, and by a thread where the disk is."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.spec import Record
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.data import _source
from gxo.stdlib.data._lines import JsonLines, LineSlices
from gxo.stdlib.data._source import FilePieces

ROWS: list[Record] = [{"id": number, "text": "x" * (number % 70)} for number in range(30_000)]


class _Anywhere:
    def open(self, path: str, flags: int) -> int:
        return os.open(path, flags)


@pytest.fixture
def pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FilePieces]:
    """Those of a file in memory with the rows, a line each."""

    def read_at_once(descriptor: int, buffers: list[memoryview], _offset: int, _flags: int) -> int:
        return os.readv(descriptor, buffers)

    # Not every file system can tell what it has in memory.
    monkeypatch.setattr(os, "preadv", read_at_once)
    monkeypatch.setattr(os, "RWF_NOWAIT", 8, raising=False)
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"id":{row["id"]},"text":"{row["text"]}"}}\n' for row in ROWS))
    opened = FilePieces(cast(Jail, _Anywhere()), str(path))
    yield opened
    opened.close()


def read(slices: LineSlices) -> tuple[list[Record], int]:
    """All records, and how often a thread had to be asked."""
    records: list[Record] = []
    asked = 0
    while not slices.is_over:
        found = slices.at_once()
        if found is None:
            asked += 1
            found, faults = next(slices, ([], []))
            assert faults == []
        records += found
    return records, asked


def test_what_is_in_memory_needs_no_thread(pieces: FilePieces) -> None:
    records, asked = read(LineSlices(pieces, JsonLines()))
    assert records == ROWS
    assert asked == 2  # for its beginning, and to see that it ends


@pytest.mark.parametrize("error", [BlockingIOError, OSError(95, "not supported")])
def test_what_the_disk_has_does(
    pieces: FilePieces, error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "preadv", refused)
    records, asked = read(LineSlices(pieces, JsonLines()))
    assert records == ROWS
    assert asked == 4  # 512 KiB each


def test_a_long_line_is_not_read_on_the_loop(
    pieces: FilePieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_source, "_AT_HAND", 8)  # no line ends in so few bytes
    records, asked = read(LineSlices(pieces, JsonLines()))
    assert records == ROWS
    assert asked > 2


def test_nothing_is_at_hand_of_a_file_that_is_closed(pieces: FilePieces) -> None:
    assert pieces.at_hand() == b""  # it is not open yet
    next(pieces)
    assert pieces.at_hand() != b""
    pieces.close()
    assert pieces.at_hand() == b""


@given(st.lists(st.sampled_from(["1", "", "x", "\n", "\r\n"]), max_size=12), st.integers(1, 9))
def test_lines_are_over_only_when_no_slice_follows(parts: list[str], size: int) -> None:
    data = "".join(parts).encode()
    slices = LineSlices((data[at : at + size] for at in range(0, len(data), size)), JsonLines())
    while not slices.is_over:
        if slices.at_once() is None and next(slices, None) is None:
            return
    assert slices.at_once() is None
    assert next(slices, None) is None


def test_a_last_line_that_is_ended_needs_no_further_look() -> None:
    slices = LineSlices(iter([b"1\n2\n"]), JsonLines())
    assert next(slices) == ([{"value": 1}, {"value": 2}], [])
    assert slices.is_over
