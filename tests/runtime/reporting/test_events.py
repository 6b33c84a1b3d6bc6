"""`--events`: where they go, and what becomes of them when nobody reads them, or too slowly."""

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Job
from gxo.runtime.errors import UsageError
from gxo.runtime.kernel.run import Limits, Run
from gxo.runtime.main import main
from gxo.runtime.reporting.events import EventLog
from gxo.runtime.reporting.lines import LineWriter, open_target
from gxo.runtime.settings import Settings
from tests.runtime.kernel.harness import FakeClock, FakeLoop
from tests.runtime.reporting.jobs import SECRET, simple, talkative


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", SECRET)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for longer than 0.1 s."""
    monkeypatch.setattr(Limits.__init__, "__defaults__", (0.1, 0.1, 30.0))


def read(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_events_in_order(tmp_path: Path) -> None:
    assert main(talkative(), None, ["--events", "events"]) == 1
    events = read((tmp_path / "events").read_bytes())
    assert [(event["event"], event.get("workload")) for event in events] == [
        ("PlaybookStart", None),
        ("WorkloadStatusChanged", "told"),
        ("WorkloadStart", "told"),
        ("ModuleExecutionStart", "told"),
        ("SecretAccessed", "told"),
        ("ModuleExecutionEnd", "told"),
        ("WorkloadStatusChanged", "told"),
        ("WorkloadEnd", "told"),
        ("WorkloadStatusChanged", "off"),
        ("WorkloadEnd", "off"),
        ("WorkloadStatusChanged", "bad"),
        ("WorkloadStart", "bad"),
        ("ModuleExecutionStart", "bad"),
        ("ModuleExecutionEnd", "bad"),
        ("FatalErrorOccurred", None),
        ("WorkloadStatusChanged", "bad"),
        ("WorkloadEnd", "bad"),
        ("PlaybookEnd", None),
    ]
    assert events[-2]["error"] == "refused: [REDACTED_SECRET]"
    assert (tmp_path / "events").stat().st_mode & 0o777 == 0o600


def test_a_secret_is_told_by_its_key_once_a_workload(tmp_path: Path) -> None:
    assert main(talkative(), None, ["--events", "events"]) == 1
    text = (tmp_path / "events").read_text()
    read_keys = [one for one in read(text.encode()) if one["event"] == "SecretAccessed"]
    assert [(one["workload"], one["key"]) for one in read_keys] == [("told", "TOKEN")]
    assert SECRET not in text


def test_a_var_that_reads_a_secret_is_no_workload(tmp_path: Path) -> None:
    job = simple()
    job.secrets = ["TOKEN"]
    job.vars = {"w0": lambda ctx: ctx.secret("TOKEN")}
    assert main(job, None, ["--events", "events"]) == 0
    read_keys = [e for e in read(Path("events").read_bytes()) if e["event"] == "SecretAccessed"]
    assert [(one["workload"], one["key"]) for one in read_keys] == [(None, "TOKEN")]


def test_an_old_file_is_cut(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("x" * 100_000)
    assert main(simple(), None, ["--events", "events"]) == 0
    assert read((tmp_path / "events").read_bytes())[0]["event"] == "PlaybookStart"


def test_events_go_to_a_descriptor_which_stays_the_callers() -> None:
    reading, writing = os.pipe()
    assert main(simple(), None, ["--events", f"fd:{writing}"]) == 0
    os.write(writing, b"{}\n")
    os.close(writing)
    with open(reading, "rb") as file:
        assert read(file.read())[-2]["event"] == "PlaybookEnd"


def test_many_events_all_arrive(tmp_path: Path) -> None:
    assert main(simple(5000), None, ["--events", "events", "--log-level", "error"]) == 0
    events = read((tmp_path / "events").read_bytes())
    assert [event["sequence"] for event in events] == [*range(1, 5000 * 6 + 3)]
    assert events[-1]["events_dropped"] == 0


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("missing/events", "No such file or directory"),
        (".", "Is a directory"),
        ("fd:987", "Bad file descriptor"),
        ("fd:-1", "Bad file descriptor"),
        ("fd:x", "it is no descriptor"),
        ("fd:", "it is no descriptor"),
        ("fd:99999999999", "it is no descriptor"),
    ],
)
def test_what_cannot_be_written_to(target: str, reason: str) -> None:
    with pytest.raises(UsageError, match=f"cannot write events to {target}: {reason}"):
        open_target(target)


def test_a_descriptor_that_is_only_for_reading() -> None:
    reading, writing = os.pipe()
    with pytest.raises(UsageError, match="it is not open for writing"):
        open_target(f"fd:{reading}")
    os.close(reading)
    os.close(writing)


def test_a_socket_is_no_pipe(tmp_path: Path) -> None:
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    with pytest.raises(UsageError, match="cannot write events to socket"):
        open_target("socket")


def test_a_reader_that_is_gone(capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert main(simple(), None, ["--events", f"fd:{writing}"]) == 0
    os.close(writing)
    err = capfd.readouterr().err
    assert "events could not be written: Broken pipe" in err
    assert "8 of 8 events were dropped" in err


def test_a_full_disk(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(simple(), None, ["--events", "/dev/full"]) == 0
    err = capfd.readouterr().err
    assert "events could not be written: No space left on device" in err
    assert "8 of 8 events were dropped" in err


@pytest.mark.usefixtures("short_grace")
def test_a_named_pipe_that_nobody_opens(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert main(simple(), None, ["--events", "pipe"]) == 0
    assert "8 of 8 events were dropped" in capfd.readouterr().err
    os.close(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK))  # lets the thread end


def test_a_named_pipe_that_is_opened_late(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    received: list[bytes] = []
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> dict[str, Any]:
        reader.start()
        return {}

    def receive() -> None:
        with open(tmp_path / "pipe", "rb") as pipe:
            received.append(pipe.read())

    reader = threading.Thread(target=receive)
    assert main(job, None, ["--events", "pipe"]) == 0
    reader.join()
    assert [event["sequence"] for event in read(received[0])] == [*range(1, 9)]


@pytest.mark.usefixtures("short_grace")
def test_a_reader_that_never_reads(capfd: pytest.CaptureFixture[str]) -> None:
    """The job goes on, and says at its end how much is lost. What was read are whole lines."""
    reading, writing = os.pipe()
    assert main(simple(2000), None, ["--events", f"fd:{writing}", "--log-level", "warning"]) == 0
    os.set_blocking(reading, False)
    received = os.read(reading, 1 << 20)
    os.close(reading)
    os.close(writing)
    (line,) = capfd.readouterr().err.splitlines()
    words = line.split()
    lost, total = int(words[2]), int(words[4])
    assert line.endswith(f"{lost} of {total} events were dropped")
    assert total == 2000 * 6 + 2
    assert 0 < lost < total
    assert read(received.rpartition(b"\n")[0])[0]["sequence"] == 1


def test_a_descriptor_that_does_not_block() -> None:
    """As a parent may hand it over: it is waited for, not taken for broken."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LineWriter(lambda: writing)
    line = b"x" * 99 + b"\n"
    for _ in range(10_000):  # more than a pipe holds
        assert writer.put(line)
    received = bytearray()

    def receive() -> None:
        while piece := os.read(reading, 1 << 16):
            received.extend(piece)

    reader = threading.Thread(target=receive)
    reader.start()
    assert writer.close(10) == 0
    reader.join()
    os.close(reading)
    assert bytes(received) == line * 10_000


class Stuck:
    """In place of a LineWriter whose buffer is full."""

    def __init__(self, failure: str | None = None) -> None:
        self.failure = failure

    def put(self, line: bytes, always: bool = False) -> bool:
        return always

    def close(self, grace: float) -> int:
        return 1  # PlaybookEnd


@pytest.mark.parametrize(
    ("failure", "why"),
    [(None, "are read too slowly"), ("Broken pipe", "can no longer be written")],
)
def test_dropped_events_are_told_once_a_second(failure: str | None, why: str) -> None:
    loop = FakeLoop()
    run = Run(Job("case"), Settings(), clock=FakeClock(loop))
    told: list[str] = []
    run.log.write_clean = lambda level, message, workload=None: told.append(message)  # type: ignore[method-assign]
    events = EventLog(run, Stuck(failure))  # type: ignore[arg-type]
    for moment in (0.0, 0.5, 0.9, 1.1, 1.2):
        loop.moment = moment
        events.job_failed("x")
    events.run_ended()
    events.job_failed("after the end nothing is told")
    events.close(0.0)
    loop.close()
    assert told == [
        f"events {why}: 1 dropped so far",
        f"events {why}: 4 dropped so far",
        *([f"events could not be written: {failure}"] if failure else []),
        "6 of 6 events were dropped",
    ]


def test_the_buffer_is_bounded_in_bytes_and_the_last_line_always_fits() -> None:
    opened = threading.Event()
    reading, writing = os.pipe()

    def open_it() -> int:
        opened.wait()
        return writing

    writer = LineWriter(open_it, most_waiting=100)
    assert [writer.put(b"x" * 39 + b"\n") for _ in range(4)] == [True, True, False, False]
    assert writer.put(b"last\n", always=True)
    opened.set()
    assert writer.close(10) == 0
    with open(reading, "rb") as file:
        assert file.read() == (b"x" * 39 + b"\n") * 2 + b"last\n"


def test_events_are_no_sign_of_progress(tmp_path: Path) -> None:
    """Their thread does not keep a job going that waits for ever."""
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        await ctx._run.loop.create_future()

    assert main(job, None, ["--events", "events"]) == 1
    events = read((tmp_path / "events").read_bytes())
    assert any(
        "can make no progress" in event.get("error", "") for event in events if event.get("error")
    )
