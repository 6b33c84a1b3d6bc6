"""A file that is replaced: by a process that is killed meanwhile, as root, and as who may not do all."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.package.support import in_child
from tests.runtime.workspace.unprivileged import NOBODY, call_as_nobody, folder_of_nobody
from tests.stdlib.harness import Outcome, bench, module_spec, run

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")

TEMPORARY = re.compile(r"\.gxo-[0-9a-f]{16}\.tmp")


def test_a_kill_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    """Whenever it comes; and at most one temporary file beside it, never one of another name."""
    code = (
        "import pathlib; from tests.stdlib.filesystem.killed import play; play(pathlib.Path('{}'))"
    )
    ends = [line.split() for line in in_child(code.format(tmp_path)).splitlines()]
    assert ends[-1] == ["0", "new"]
    killed = ends[:-1]
    assert {status for status, *_ in killed} == {"9"}
    kinds = [kind for _, kind, *_ in killed]
    assert kinds == sorted(kinds, reverse=True) and set(kinds) == {"old", "new"}
    assert len(killed) > 15, "the calls were not seen"
    for _, kind, *others in killed:
        assert len(others) <= (kind == "old") and all(map(TEMPORARY.fullmatch, others)), others
    assert (tmp_path / "state.txt").stat().st_mode & 0o777 == 0o640


def call(folder: Path | str, module: str, **params: Any) -> Outcome:
    async def play() -> Outcome:
        async with bench(Path(folder)) as workbench:
            return await workbench.call(module_spec(f"filesystem:{module}"), params)

    return run(play())


WAYS: dict[str, Callable[[Path], Outcome]] = {
    "write": lambda folder: call(folder, "write", path="f", content="new", mode="0640"),
    "append": lambda folder: call(folder, "write", path="f", content="new", append=True),
    "manage": lambda folder: call(folder, "manage", path="f", state="present", content="new"),
    "copy": lambda folder: call(folder, "copy", source="new", destination="f"),
}


@needs_root
@pytest.mark.parametrize("way", WAYS)
def test_root_leaves_a_file_to_its_owner(way: str, tmp_path: Path) -> None:
    """Whoever serves it could not read it any more otherwise."""
    (tmp_path / "f").write_text("old")
    (tmp_path / "new").write_text("new")
    os.chown(tmp_path / "f", NOBODY, 4242)
    outcome = WAYS[way](tmp_path)
    assert outcome.error is None and outcome.summary["changed"]
    status = (tmp_path / "f").stat()
    assert (status.st_uid, status.st_gid) == (NOBODY, 4242)
    found = call(tmp_path, "stat", path="f").summary
    assert (found["owner"], found["group"]) == ("nobody", "4242")


@needs_root
@pytest.mark.parametrize("way", ["write", "manage", "copy"])
def test_who_may_not_give_files_away_replaces_them_all_the_same(way: str) -> None:
    """The folder is theirs, so the file may be: it is another one then."""

    def replaced(folder: str) -> tuple[str, int]:
        outcome = WAYS[way](Path(folder))
        assert outcome.error is None, outcome.error
        path = Path(folder, "f")
        return path.read_text(), path.stat().st_uid

    with folder_of_nobody() as folder:
        for name in ("f", "new"):
            Path(folder, name).write_text(name)  # root's
        assert call_as_nobody(lambda: replaced(folder)) == ("new", NOBODY)


REFUSED = {
    "read": {"path": "closed"},
    "write": {"path": "shut/f", "content": "x"},
    "list": {"path": "locked"},
    "copy": {"source": "closed", "destination": "f"},
    "stat": {"path": "locked/f"},
}


@pytest.mark.parametrize("module", REFUSED)
def test_what_the_user_may_not(module: str) -> None:
    def refused(folder: str) -> str:
        Path(folder, "closed").write_text("x")
        Path(folder, "closed").chmod(0)
        Path(folder, "shut").mkdir(mode=0o555)
        Path(folder, "locked").mkdir(mode=0)
        try:
            return str(call(folder, module, **REFUSED[module]).error)
        finally:
            Path(folder, "locked").chmod(0o700)

    with folder_of_nobody() as folder:
        assert "permission denied" in str(call_as_nobody(lambda: refused(folder)))


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_modes_are_what_was_said_whatever_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        call(tmp_path, "write", path="a/w", content="x", mode="0664")
        call(tmp_path, "write", path="a/p", content="x", mode="0664", append=True)
        call(tmp_path, "manage", path="a/m", state="present", content="x", mode="0664")
        call(tmp_path, "manage", path="a/d", state="directory", mode="2775")
        call(tmp_path, "copy", source="a/w", destination="a/c")
        call(tmp_path, "archive", source="a/w", destination="w.tar")
        call(tmp_path, "extract", source="w.tar", destination="a/x")
    finally:
        os.umask(before)
    for name in ("w", "p", "m", "c", "x/w"):
        assert stat.S_IMODE((tmp_path / "a" / name).stat().st_mode) == 0o664, name
    assert stat.S_IMODE((tmp_path / "a/d").stat().st_mode) == 0o2775
