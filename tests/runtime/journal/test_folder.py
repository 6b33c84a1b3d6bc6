"""Who may use a journal's folder, and what is said when it cannot be used."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ArtifactError, UsageError
from gxo.runtime.job import Input, Job
from gxo.runtime.journal.lines import Lines
from gxo.runtime.kernel.run import Run
from gxo.runtime.settings import Settings
from tests.runtime.journal.support import (
    FakeBundle,
    cut_after,
    play_journaled,
    settings_of,
)
from tests.runtime.kernel.harness import Played, Stage, build

Play = Callable[..., Played]
CASE: dict[str, Any] = {
    "vars": {"level": 1},
    "workloads": {"a": {"do": []}, "b": {"after": ["a"], "do": ["fail broken"]}},
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def play(
    settings: Settings, version: str = "0.1.0", meanwhile: Callable[[Run], None] | None = None
) -> Played:
    stage = Stage()
    job = build(CASE, stage)
    bundle = FakeBundle(job, ["a"], version=version)
    return play_journaled(job, stage, bundle, settings=settings, meanwhile=meanwhile)


def begin(state: Path, **given: Any) -> Played:
    return play(settings_of(journal=str(state), **given))


def resume(state: Path, **given: Any) -> Played:
    return play(settings_of(resume=str(state), **given))


def test_modes(state: Path) -> None:
    old = os.umask(0)
    try:
        begin(state)
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (state, *state.iterdir())}
    assert modes == {"state": 0o700, "journal": 0o600, "workspace": 0o700}


def test_folders_above_are_made(tmp_path: Path) -> None:
    begin(tmp_path / "jobs" / "nightly")
    assert (tmp_path / "jobs" / "nightly" / "journal").exists()


def test_a_journal_is_not_begun_twice(state: Path) -> None:
    begin(state)
    before = (state / "journal").read_bytes()
    with pytest.raises(UsageError, match=r"there is a job's journal in .* already") as caught:
        begin(state)
    assert "--resume" in str(caught.value.hint)
    assert (state / "journal").read_bytes() == before


def test_nothing_to_resume(state: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*state to resume from"):
        resume(state)
    assert not state.exists()
    state.mkdir(mode=0o700)
    with pytest.raises(UsageError, match=r"there is no journal in .*: no job has begun there"):
        resume(state)
    assert os.listdir(state) == []


def test_what_a_killed_beginning_leaves_is_begun_again(state: Path) -> None:
    state.mkdir(mode=0o700)
    (state / "workspace").mkdir(mode=0o700)
    (state / "journal.new").write_text("half a li")
    begin(state)
    assert sorted(os.listdir(state)) == ["journal", "workspace"]


def test_one_job_at_a_time(state: Path) -> None:
    """By a lock that goes with the process that holds it, not by a number that another may get."""
    begin(state)
    holder = os.open(state, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match="another job is using the journal folder"):
        resume(state)
    os.close(holder)
    assert resume(state).code == 1


def test_the_lock_is_held_while_the_job_runs(state: Path) -> None:
    def try_to_lock(_run: Run) -> None:
        other = os.open(state, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)

    play(settings_of(journal=str(state)), meanwhile=try_to_lock)


def open_to_others(state: Path) -> None:
    state.chmod(0o750)


def become_a_link(state: Path) -> None:
    state.rename(state.with_name("elsewhere"))
    state.symlink_to(state.with_name("elsewhere"))


def below_a_shared_folder(state: Path) -> None:
    state.parent.chmod(0o777)


def readable_journal(state: Path) -> None:
    (state / "journal").chmod(0o644)


def linked_journal(state: Path) -> None:
    (state / "journal").rename(state / "elsewhere")
    (state / "journal").symlink_to(state / "elsewhere")


def journal_is_a_pipe(state: Path) -> None:
    (state / "journal").unlink()
    os.mkfifo(state / "journal", 0o600)


def workspace_is_gone(state: Path) -> None:
    (state / "workspace").rmdir()


def workspace_is_a_link(state: Path) -> None:
    (state / "workspace").rmdir()
    (state / "workspace").symlink_to("/")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (open_to_others, "is not used: it lets others in by its mode 0750, which must be 0700"),
        (become_a_link, "is not used: it is a symbolic link"),
        (below_a_shared_folder, "is not used: it can be written by others"),
        (readable_journal, "lets others in by its mode 0644"),
        (linked_journal, "cannot use the journal .*: too many levels of symbolic links"),
        (journal_is_a_pipe, "is no regular file"),
        (workspace_is_gone, "workspace is gone, and with it what the job had made"),
        (workspace_is_a_link, "is not used: it is a symbolic link"),
    ],
)
def test_a_folder_that_others_could_change(
    change: Callable[[Path], None], complaint: str, state: Path
) -> None:
    begin(state)
    change(state)
    with pytest.raises((UsageError, ArtifactError), match=complaint):
        resume(state)


def test_another_artifact(state: Path) -> None:
    begin(state)
    with pytest.raises(UsageError) as caught:
        play(settings_of(resume=str(state)), version="0.2.0")
    assert "is of another artifact: it began with case compiled by gxo 0.1.0 (" in str(caught.value)
    assert "this is case compiled by gxo 0.2.0 (" in str(caught.value)


@pytest.mark.parametrize(
    ("then", "now", "complaint"),
    [
        ({"level": 2}, {"level": 3}, "'level' has another value"),
        ({"level": 2}, {}, "'level' was given a value"),
        ({}, {"level": 2}, "'level' was not given"),
    ],
)
def test_other_inputs(
    then: dict[str, Any], now: dict[str, Any], complaint: str, state: Path
) -> None:
    for kind in ("inputs", "vars"):
        folder = state.with_name(kind)
        begin(folder, **{kind: dict(then)})
        with pytest.raises(UsageError, match=complaint):
            resume(folder, **{kind: dict(now)})
        resume(folder, **{kind: dict(then)})


def test_secret_inputs_are_not_compared_and_not_there(state: Path) -> None:
    """The provider may well have changed a password since."""

    def play_with(password: str, **given: str) -> Played:
        stage = Stage()
        job = Job("case", inputs={"password": Input(secret=True), "who": Input()})

        @job.workload("a")
        async def a(ctx: object) -> dict[str, Any]:
            raise RuntimeError("broken")

        settings = settings_of(inputs={"password": password, "who": "you"}, **given)
        settings.secret_inputs = {"password": password}
        return play_journaled(job, stage, FakeBundle(job), settings=settings)

    play_with("hunter22-old", journal=str(state))
    play_with("hunter22-new", resume=str(state))
    assert "hunter22" not in (state / "journal").read_text()


def test_a_format_of_the_future(state: Path) -> None:
    begin(state)
    head = json.loads((state / "journal").read_text().splitlines()[0].partition(" ")[2])
    (state / "journal").unlink()
    descriptor = os.open(state, os.O_RDONLY)
    Lines.create(descriptor, "journal", head | {"format": 2, "gxo": "9.0"}).close()
    os.close(descriptor)
    with pytest.raises(UsageError, match="has a format that this job does not know") as caught:
        resume(state)
    assert caught.value.hint == "it was written by gxo 9.0; resume with that artifact"


def test_a_job_without_a_manifest(state: Path) -> None:
    stage = Stage()
    job = build(CASE, stage)
    with pytest.raises(UsageError, match="only a compiled job can have a journal"):
        play_journaled(job, stage, None, settings=settings_of(journal=str(state)))
    assert not state.exists()


# A disk that is full


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Let writing the line that holds this text fail when its first byte is written."""
    write = os.write

    def fill(text: bytes) -> None:
        def fail(descriptor: int, data: bytes) -> int:
            if text in data:
                write(descriptor, data[:1])
                raise OSError(28, os.strerror(28))
            return write(descriptor, data)

        monkeypatch.setattr(os, "write", fail)

    yield fill


@pytest.mark.parametrize(
    ("line", "trace", "statuses"),
    [
        (b'"ready"', [], {"a": "Pending", "b": "Pending"}),
        (b'"started", "workload": "a"', [], {"a": "Cancelled", "b": "Pending"}),
        (b'"ended", "workload": "a"', ["a begins", "a ends"], {"a": "Completed", "b": "Pending"}),
    ],
)
def test_a_full_disk(
    full_disk: Any, line: bytes, trace: list[str], statuses: dict[str, str], state: Path
) -> None:
    """The job stops: what is not recorded must not be built upon. Nothing that is not recorded as
    started has run, so that going on, once there is room, does nothing twice."""
    full_disk(line)
    played = begin(state)
    assert played.code == 1
    assert [what.partition(" ")[2] for what in played.trace] == trace
    assert played.statuses == statuses
    assert f"cannot write the journal {state}/journal: no space left on device" in played.log
    assert (state / "workspace").exists()
    full_disk(b"there is room again")
    if "a ends" in trace:
        with pytest.raises(UsageError, match="'a' was running when the job was killed"):
            resume(state)
    else:
        assert [what.partition(" ")[2] for what in resume(state).trace][:2] == [
            "a begins",
            "a ends",
        ]


def test_a_full_disk_at_the_end(full_disk: Any, state: Path) -> None:
    """All is done, and only that is not recorded: the workspace stays, and the job says so."""
    completed = {"workloads": {"a": {"do": []}}}

    def run(**given: str) -> Played:
        stage = Stage()
        job = build(completed, stage)
        return play_journaled(job, stage, FakeBundle(job), settings=settings_of(**given))

    full_disk(b'"completed"')
    assert run(journal=str(state)).code == 1
    assert (state / "workspace").exists()
    full_disk(b"there is room again")
    played = run(resume=str(state))
    assert (played.code, played.trace) == (0, [])
    assert not (state / "workspace").exists()


def test_a_full_disk_before_the_job(full_disk: Any, state: Path) -> None:
    full_disk(b'"job"')
    with pytest.raises(UsageError, match=r"cannot use the journal .*: no space left on device"):
        begin(state)
    full_disk(b"there is room again")
    begin(state)
    full_disk(b'"resumed"')
    with pytest.raises(UsageError, match=r"cannot use the journal .*: no space left on device"):
        resume(state)


def test_a_second_kill(state: Path) -> None:
    """A resumed run is resumed as well; what it was told to run again is told once."""
    begin(state)
    cut_after(state, "started a")
    with pytest.raises(UsageError, match="'a' was running"):
        resume(state)
    resume(state, rerun=["a"])
    text = (state / "journal").read_text()
    assert '"again": ["a"]' in text
    cut_after(state, "resumed")
    assert [what.partition(" ")[2] for what in resume(state).trace][:2] == ["a begins", "a ends"]


def test_a_var_that_the_caller_gives_is_a_hash_only(state: Path) -> None:
    stage = Stage()
    job = build({"vars": {"moment": "=ctx.now()"}, "workloads": {"a": {"do": []}}}, stage)
    settings = settings_of(journal=str(state), vars={"moment": "half past nine"})
    assert play_journaled(job, stage, FakeBundle(job), settings=settings).code == 0
    assert "half past nine" not in (state / "journal").read_text()
