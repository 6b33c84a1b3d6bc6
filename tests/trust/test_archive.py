"""The reader of artifacts against zips that are damaged, or made to be read in two ways."""

import os
import stat
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.trust.archive import Archive
from gxo.compiler.trust.errors import ArtifactError
from tests.trust.zips import HEAD, entry, info, patched, summed, zipped

Folders = pytest.TempPathFactory

FILES = {"__main__.py": b"1\n", "a/b.py": b"print(1)\n" * 40, "c.txt": b"text"}
GOOD = zipped(FILES)


def read(folder: Path, data: bytes) -> dict[str, bytes]:
    """The files of an artifact of these bytes."""
    path = folder / "job.pyz"
    path.write_bytes(data)
    with path.open("rb") as file:
        archive = Archive(file)
        return {name: b"".join(archive.pieces(name)) for name in archive.entries}


def test_files(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD) == FILES


def added(*names: str, mode: int = stat.S_IFREG | 0o644, system: int = 3) -> bytes:
    def change(archive: ZipFile) -> None:
        for name in names:
            archive.NameToInfo.pop(name, None)  # or it would warn of a name that is there twice
            archive.writestr(info(name, mode, system=system), b"x")

    return zipped(FILES, change)


def moved(data: bytes, number: int) -> bytes:
    """The zip with `number` more bytes before its directory, and an end that knows of them."""
    start = int.from_bytes(data[-6:-2], "little")
    end = data[-22:-6] + (start + number).to_bytes(4, "little") + data[-2:]
    return summed(data[:start] + b"P" * number + data[start:-22] + end)


def resized(number: int, field: int, size: int) -> bytes:
    """The zip whose directory gives an entry another size (20: stored, 24: unpacked)."""
    return patched(GOOD, entry(GOOD, number) + field, size.to_bytes(4, "little"))


def said_size(data: bytes, number: int, size: int) -> bytes:
    """The zip that says in both places that an entry is unpacked to so many bytes."""
    place = entry(data, number)
    (local,) = struct.unpack_from("<I", data, place + 42)
    raw = struct.pack("<I", size)
    return patched(patched(data, place + 24, raw), local + 22, raw)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is no artifact of gxo"),
    "text": (b"name: a\n" * 20, "it is no artifact of gxo"),
    "other first line": (b"#!/bin/sh\n" + GOOD, "it is no artifact of gxo"),
    "no first line": (GOOD[len(HEAD) :], "it is no artifact of gxo"),
    "script first": (summed(HEAD + b"import os\n" + GOOD[len(HEAD) :]), "gxo writes no such zip"),
    "something after": (GOOD + b"\n", "it is no artifact of gxo"),
    "a second end": (summed(GOOD + GOOD[-22:]), "gxo writes no such zip"),
    "cut": (GOOD[:-1], "it is no artifact of gxo"),
    "cut in the middle": (GOOD[:200] + GOOD[-22:], "gxo writes no such zip"),
    "another check sum": (GOOD[:-30] + b"00000000" + GOOD[-22:], "it is damaged: its check sum"),
    "gap": (moved(GOOD, 3), "there is something between its files"),
    "a name twice": (added("c.txt"), "it has c.txt twice"),
    "a link": (added("l", mode=stat.S_IFLNK | 0o777), "l is no plain file"),
    "a folder": (added("d/", mode=stat.S_IFDIR | 0o755), "a file in it has the name 'd/'"),
    "a device": (added("d", mode=stat.S_IFCHR | 0o644), "d is no plain file"),
    "setuid": (added("s", mode=stat.S_IFREG | 0o4755), "s is no plain file"),
    "of Windows": (added("w", system=0), "w is packed in another way"),
    "above": (added("../x"), "a file in it has the name '../x'"),
    "absolute": (added("/etc/passwd"), "a file in it has the name '/etc/passwd'"),
    "backslash": (added("a\\b"), "a file in it has the name"),
    "dots": (added("a/./b"), "a file in it has the name 'a/./b'"),
    "line end": (added("a\nb"), "a file in it has the name 'a\\nb'"),
    "escape": (added("a\x1b[2Jb"), "a file in it has the name"),
    "long name": (added("n" * 5000), "a file in it has the name"),
    "too large": (said_size(GOOD, 1, 1 << 31), "bytes would be unpacked to"),
    "another size": (resized(1, 24, 7), "a/b.py is something else in the directory"),
    "another stored size": (resized(1, 20, 7), "a/b.py is something else in the directory"),
    "zip64": (said_size(GOOD, 1, 0xFFFFFFFF), "bytes would be unpacked to"),
    "encrypted": (patched(GOOD, entry(GOOD, 1) + 8, b"\1\0"), "is encrypted"),
    "another method": (patched(GOOD, entry(GOOD, 1) + 10, b"\x0c\0"), "is packed in another way"),
    "overlap": (patched(GOOD, entry(GOOD, 1) + 42, b"\0\0\0\0"), "a/b.py is not where the file"),
    "other name in place": (
        patched(GOOD, GOOD.index(b"a/b.py"), b"a/c.py"),
        "a/b.py is something else in the directory",
    ),
    "more entries": (summed(GOOD[:-14] + b"\xff\xff\xff\xff" + GOOD[-10:]), "closing record"),
    "a comment": (GOOD[:-2] + b"\1\0", "its closing record"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str, tmp_path: Path) -> None:
    data, message = HOSTILE[name]
    with pytest.raises(ArtifactError) as caught:
        read(tmp_path, data)
    assert message in caught.value.message


def test_what_is_deflated_to_more_than_it_says(tmp_path: Path) -> None:
    """The sizes agree with each other, and not with what inflating gives: it ends at once."""
    data = said_size(zipped({**FILES, "zeros": bytes(1 << 20)}), 3, 16)
    with pytest.raises(ArtifactError, match="zeros is not what the zip says it is"):
        read(tmp_path, data)


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "job.pyz"
    path.write_bytes(zipped({**FILES, "zeros": bytes(48 << 20)}))
    with path.open("rb") as file:
        tracemalloc.start()
        archive = Archive(file)
        assert sum(map(len, archive.pieces("zeros"))) == 48 << 20
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2 << 20
        with pytest.raises(ArtifactError, match="zeros in it is larger than 1 MiB"):
            archive.read("zeros", 1 << 20)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (
        open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as file,
        pytest.raises(ArtifactError, match="it is no regular file"),
    ):
        Archive(file)


@given(place=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(place: int, bit: int, tmp_path_factory: Folders) -> None:
    data = bytearray(GOOD)
    data[place] ^= 1 << bit
    with pytest.raises(ArtifactError):
        read(tmp_path_factory.getbasetemp(), bytes(data))


CHANGES: list[Callable[[bytes, int, bytes], bytes]] = [
    lambda data, place, new: data[:place] + new + data[place + len(new) :],
    lambda data, place, new: data[:place] + new + data[place:],
    lambda data, place, new: data[:place] + data[place + len(new) :],
]


@given(drawn=st.data())
def test_other_bytes_and_a_right_check_sum(drawn: st.DataObject, tmp_path_factory: Folders) -> None:
    """Whatever it is, either it is refused, or its files are what they were."""
    data = GOOD
    for _ in range(drawn.draw(st.integers(1, 3))):
        place = drawn.draw(st.integers(0, len(data)) | st.integers(len(data) - 300, len(data)))
        new = drawn.draw(st.binary(max_size=6) | st.sampled_from([b"PK\5\6", b"\xff\xff\xff\xff"]))
        data = drawn.draw(st.sampled_from(CHANGES))(data, max(place, 0), new)
    try:
        found = read(tmp_path_factory.getbasetemp(), summed(data))
    except ArtifactError:
        return
    assert [*found.values()] == [*FILES.values()]
