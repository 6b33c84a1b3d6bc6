"""`--watch`: what a change of a file has run again."""

import argparse
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gxo.cli import test as command
from gxo.testrun import watching
from gxo.testrun.finding import PathError
from gxo.testrun.results import Account
from gxo.testrun.running import Outcome
from gxo.testrun.watching import Watch


class Rounds:
    """Plays a run of tests, and changes files in between: each step of `changes` before one look."""

    def __init__(self, folder: Path, changes: Iterator[Any]) -> None:
        self.folder = folder
        self.changes = changes
        self.ran: list[list[str]] = []
        self.inputs = {"a": ["a", "shared"], "b": ["b", "shared"], "c": ["c"]}

    def find(self) -> tuple[list[str], list[str]]:
        if (self.folder / "gone").exists():
            raise PathError("cannot read 'a': there is no such file or folder")
        names = [name for name in "abc" if (self.folder / name).exists()]
        return [str(self.folder / name) for name in names], []

    def run(self, tests: Any, others: Any, known: Any) -> Outcome:
        names = [Path(test).name for test in tests]
        self.ran.append(names)
        accounts = [
            Account(test, inputs=[str(self.folder / one) for one in self.inputs[name]])
            for test, name in zip(tests, names, strict=True)
        ]
        return Outcome([], accounts, interrupted=0 if self.changes else 2)

    def look(self, _seconds: float) -> None:
        step = next(self.changes, None)
        if step is None:
            raise KeyboardInterrupt
        step()


def play(folder: Path, monkeypatch: pytest.MonkeyPatch, *changes: Any) -> list[list[str]]:
    for name in ("a", "b", "shared"):
        (folder / name).write_text(name)
    rounds = Rounds(folder, iter(changes))
    monkeypatch.setattr(watching.Event, "wait", lambda self, seconds: rounds.look(seconds))
    monkeypatch.setattr(watching.time, "time_ns", lambda: 1 << 62)  # no change is so late
    with pytest.raises(KeyboardInterrupt):
        Watch(rounds.find, rounds.run, StringIO()).watch()
    return rounds.ran


def nothing() -> None:
    """Nothing changes."""


def test_what_was_made_from_a_file_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = play(
        tmp_path,
        monkeypatch,
        nothing,
        lambda: (tmp_path / "a").write_text("changed"),
        nothing,
        lambda: (tmp_path / "shared").unlink(),
        lambda: (tmp_path / "shared").write_text("back"),
    )
    assert ran == [["a", "b"], ["a"], ["a", "b"], ["a", "b"]]


def test_new_tests_run_and_old_ones_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = play(
        tmp_path,
        monkeypatch,
        lambda: (tmp_path / "c").write_text("new"),
        lambda: (tmp_path / "a").unlink(),
        lambda: (tmp_path / "shared").write_text("changed"),
        lambda: (tmp_path / "a").write_text("back"),
    )
    assert ran == [["a", "b"], ["c"], ["b"], ["a"]]


def test_a_path_that_is_gone_for_a_moment_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = play(
        tmp_path,
        monkeypatch,
        lambda: (tmp_path / "gone").write_text(""),
        lambda: (tmp_path / "gone").rename(tmp_path / "b"),
    )
    assert ran == [["a", "b"], ["b"]]


def test_what_changes_while_tests_run_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("a")
    rounds = Rounds(tmp_path, iter([nothing]))
    rounds.inputs["a"] = ["a"]
    monkeypatch.setattr(watching.Event, "wait", lambda self, seconds: rounds.look(seconds))
    monkeypatch.setattr(watching.time, "time_ns", lambda: 0)
    with pytest.raises(KeyboardInterrupt):
        Watch(rounds.find, rounds.run, StringIO()).watch()
    assert rounds.ran == [["a"], ["a"]]


def test_a_test_that_was_named_may_go_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(tmp_path / f"{name}.test.gxo.yaml") for name in "ab"]
    found: list[list[str]] = []

    class Looks:
        def __init__(self, find: watching.Find, *_others: Any) -> None:
            self.find = find

        def watch(self) -> int:
            for there in (paths, paths[1:], paths):
                for path in paths:
                    Path(path).unlink(missing_ok=True)
                for path in there:
                    Path(path).touch()
                found.append(self.find()[0])
            return 2

    monkeypatch.setattr(watching, "Watch", Looks)
    assert command._watched(argparse.Namespace(paths=paths, run=None)) == 2
    assert found == [paths, paths[1:], paths]
