"""Whatever is left of a journal: the job goes on to the same end, or says why it cannot."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.runtime.errors import UsageError
from tests.runtime.journal.support import FakeBundle, play_journaled, settings_of
from tests.runtime.kernel.harness import Played, Stage, build

CASE: dict[str, Any] = {
    "secrets": ["TOKEN"],
    "vars": {"name": "=ctx.env('NAME')"},
    "workloads": {
        "a": {"do": ["return {n: 1}"], "register": "a"},
        "b": {"after": ["a"], "do": ["return {when: 2026-11-26}"], "register": "b"},
        "c": {"after": ["b"], "do": ["note ctx.state['b']", "return {text: é}"], "register": "c"},
        "d": {
            "secrets": ["TOKEN"],
            "do": ["secret TOKEN", "return {t: hunter22}"],
            "register": "d",
        },
        "e": {"loop": [1, 2, 3], "parallel": 2, "do": ["return {x: y}"], "register": "e"},
        "f": {"out": True, "do": ["send 3", "return {sent: 3}"], "register": "f"},
        "g": {"records": ["f"], "do": ["read"], "register": "g"},
        "h": {"ignore_errors": True, "do": ["fail broken"], "on_failure": {"x": {}}},
        "i": {"observes": ["h"], "when": "ctx.workloads['h'].status == 'Failed'", "register": "i"},
        "j": {"when": "False", "register": "j"},
        "k": {"after": ["c", "d", "e", "g", "i", "j"], "register": "k"},
    },
    "finally": {"z": {}},
}
UNSAFE = ["a", "d", "e", "g", "h", "k"]
READS = {"c": ["b"], "k": ["a", "c", "d", "e", "g", "i"], "z": ["a"]}
ENVIRONMENT = {"TOKEN": "hunter22", "NAME": "x"}


def play_in(folder: Path, **options: Any) -> Played:
    stage = Stage()
    job = build(CASE, stage)
    bundle = FakeBundle(job, UNSAFE, reads=READS)
    given = settings_of(**options)
    return play_journaled(job, stage, bundle, settings=given, environment=ENVIRONMENT)


def outcome(played: Played) -> Any:
    """How it ended; without the result of `b`, which is only there again for who reads it."""
    nodes = played.run.nodes.values()
    fields = sorted((one.name, one.status, one.error, one.iterations) for one in nodes)
    vars_ = dict(played.run.vars) or {"name": "x"}
    state = {name: value for name, value in played.run.state.items() if name != "b"}
    return played.code, fields, state, vars_


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[tuple[bytes, Any]]:
    """The journal of a run that nothing disturbed, and how it ended."""
    with folder_of(None) as folder:
        played = play_in(folder, journal=str(folder / "state"))
        yield (folder / "state" / "journal").read_bytes(), outcome(played)


@contextmanager
def folder_of(journal: bytes | None) -> Iterator[Path]:
    """A folder in which a job was killed when this was its journal."""
    folder = Path(tempfile.mkdtemp())
    try:
        if journal is not None:
            (folder / "state" / "workspace").mkdir(mode=0o700, parents=True)
            (folder / "state").chmod(0o700)
            (folder / "state" / "journal").write_bytes(journal)
            (folder / "state" / "journal").chmod(0o600)
        yield folder
    finally:
        shutil.rmtree(folder)


def resume(journal: bytes) -> Any:
    """How the job ends; what may not be done twice is insisted on where that is refused."""
    with folder_of(journal) as folder:
        state = str(folder / "state")
        try:
            played = play_in(folder, resume=state)
        except UsageError as error:
            if "cannot resume without doing again" not in error.message:
                raise
            names = [name for name in UNSAFE if f"--rerun {name}" in str(error.hint)]
            assert names
            played = play_in(folder, resume=state, rerun=names)
        return outcome(played)


@settings(max_examples=50)
@given(st.data())
def test_any_prefix(undisturbed: tuple[bytes, Any], data: st.DataObject) -> None:
    journal, expected = undisturbed
    size = data.draw(st.integers(0, len(journal)))
    if size <= journal.index(b"\n"):
        with pytest.raises(UsageError, match="its first line is not complete"):
            resume(journal[:size])
        return
    assert resume(journal[:size]) == expected


@given(st.data())
def test_any_changed_byte(undisturbed: tuple[bytes, Any], data: st.DataObject) -> None:
    """In the last line it is taken for torn; in any other it is told."""
    journal, expected = undisturbed
    place = data.draw(st.integers(0, len(journal) - 1))
    changed = bytearray(journal)
    changed[place] ^= data.draw(st.integers(1, 255))
    last = journal.rindex(b"\n", 0, -1)
    if place > last:
        assert resume(bytes(changed)) == expected
        return
    with pytest.raises(UsageError, match="is damaged: line") as caught:
        resume(bytes(changed))
    line = journal.count(b"\n", 0, place) + 1
    # A line break that is gone, or a new one, shows in the line that it is in.
    assert f"line {line} is not what was written" in caught.value.message


@given(st.data())
def test_a_line_that_is_taken_out(undisturbed: tuple[bytes, Any], data: st.DataObject) -> None:
    journal, _ = undisturbed
    lines = journal.splitlines(keepends=True)
    gone = data.draw(st.integers(0, len(lines) - 3))
    with pytest.raises(UsageError, match=f"line {gone + 1} is not what was written"):
        resume(b"".join([*lines[:gone], *lines[gone + 1 :]]))
