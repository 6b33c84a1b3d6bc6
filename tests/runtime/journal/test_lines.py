"""A line is on the disk before `append` returns, and so is the file's name before it is used."""

import os
from pathlib import Path

import pytest

from gxo.runtime.journal.folder import Folder
from gxo.runtime.journal.lines import Lines


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written, synced and renamed, by the path's last part, in order."""
    made: list[str] = []
    write, rename = os.write, os.rename

    def name(descriptor: int) -> str:
        return os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))

    def writing(descriptor: int, data: bytes) -> int:
        made.append(f"write {name(descriptor)}")
        return write(descriptor, data[:20])

    def renaming(source: str, target: str, **folders: int) -> None:
        made.append(f"rename {source} {target}")
        rename(source, target, **folders)

    monkeypatch.setattr(os, "write", writing)
    monkeypatch.setattr(os, "fsync", lambda descriptor: made.append(f"sync {name(descriptor)}"))
    monkeypatch.setattr(os, "rename", renaming)
    return made


def test_a_new_file_is_there_as_a_whole(tmp_path: Path, calls: list[str]) -> None:
    """The folder and its name first, then the line, then the name of the file."""
    folder = Folder(str(tmp_path / "state"), create=True)
    folder.make_workspace()
    Lines.create(folder.descriptor, "journal", {"n": 1}).close()
    folder.close()
    assert calls == [
        "sync state",
        f"sync {tmp_path.name}",
        "write journal.new",
        "write journal.new",
        "sync journal.new",
        "rename journal.new journal",
        "sync state",
    ]


def test_each_line_is_synced(tmp_path: Path, calls: list[str]) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    lines = Lines.create(folder, "journal", {"n": 1})
    calls.clear()
    lines.append({})
    assert calls == ["write journal", "sync journal"]
    lines.close()
    os.close(folder)


def test_a_torn_line_is_gone_before_another_one_is_added(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    lines = Lines.create(folder, "journal", {"n": 1})
    lines.append({"n": 2})
    lines.close()
    whole = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(whole[:-3])
    lines, records = Lines.open(folder, "journal", "journal")
    assert records == [{"n": 1}]
    lines.append({"n": 2})
    lines.close()
    assert (tmp_path / "journal").read_bytes() == whole
    os.close(folder)
