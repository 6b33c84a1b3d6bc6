"""The progress line on a terminal, in virtual time; and that there is none anywhere else."""

import contextlib
import errno
import io
import os
import pty
import re
import signal
import subprocess
import sys
import tty
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.watching import Watching
from tests.reports import read_report
from tests.runtime.kernel.harness import Played, Stage, build, play
from tests.runtime.reporting.terminal import paints, screen, terminal, widest

JOBS = Path(__file__).parents[1] / "kernel" / "jobs.py"
RUNTIME = Path(__file__).parents[3] / "runtime"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")


def watched(
    case: "dict[str, Any] | Job", width: int = 80, *, level: str = "info", form: str = "text"
) -> tuple[str, Played]:
    """What a run of the case writes to a terminal."""
    with terminal(width) as shown:  # whose thread is none of the job's
        stage = Stage()
        job = case if isinstance(case, Job) else build(case, stage)

        def look_on(run: Run) -> None:
            run.log = Log(run, level, form, shown.stream)
            made.append(Watching(run))
            made[0].attend(stage.loop)

        made: list[Watching] = []
        played = play(job, stage, meanwhile=look_on)
        made[0].end()
        return shown.close(), played


CASE = {
    "workloads": {
        "login": {"do": ["sleep 2"]},
        "fetch": {"after": ["login"], "out": True, "do": ["send 1", "sleep 62", "send 1200"]},
        "parse": {"records": ["fetch"], "do": ["read", "sleep 1"]},
        "other": {"do": ["sleep 3600"]},
    }
}


def test_it_shows_time_workloads_and_records() -> None:
    written, _ = watched(CASE)
    assert paints(written) == [
        "0:02  0 of 4  login, other",
        "1:04  1 of 4  other, fetch 1 record, parse 1 record",
        "1:05  2 of 4  other, parse 1,201 records",
        "1:00:00  3 of 4  other",
    ]


def test_the_log_is_left_as_it_was_without() -> None:
    written, played = watched(CASE)
    lines = screen(written)
    assert [re.sub(r"^\S+ ", "", line) for line in lines] == [
        "info     login: completed in 2.0 s",
        "info     fetch: completed in 62.0 s, 1201 records out",
        "info     parse: completed in 63.0 s, 1201 records in",
        "info     other: completed in 3600.0 s",
        "",
    ]
    assert played.code == 0


def test_it_is_painted_ten_times_a_second_at_most() -> None:
    case = {"workloads": {"a": {"loop": [1] * 1000, "do": ["sleep 0.01"]}}}
    written, _ = watched(case)
    assert 80 <= len(paints(written)) <= 95  # ten seconds, but the first half


def test_a_short_run_has_none() -> None:
    written, _ = watched({"workloads": {"a": {"do": ["sleep 0.4"]}}})
    assert "\r" not in written


@pytest.mark.parametrize("width", [1, 2, 10, 20, 30, 40])
def test_it_fits_the_terminal(width: int) -> None:
    case = {"workloads": {f"workload-{number}": {"do": ["sleep 2"]} for number in range(30)}}
    written, _ = watched(case, width)
    assert widest(written) < width
    if width >= 10:
        assert paints(written)[0].startswith("0:02  0")
        assert paints(written)[0].endswith("…")


def test_wide_characters_are_two_columns() -> None:
    job = Job("case")

    async def wait(ctx: Context) -> None:
        await ctx.clock.sleep(2)

    for name in ("注文を読む", "顧客を読む", "保存する"):
        job.workload(name)(wait)
    for width in range(20, 50):
        written, _ = watched(job, width)
        assert width - 3 < widest(written) < width or "保存する" in paints(written)[0]


def test_a_resized_terminal() -> None:
    job = Job("case")
    with terminal(80) as shown:
        stage = Stage()

        @job.workload("a-name-that-is-rather-long")
        async def a(ctx: Context) -> None:
            await ctx.clock.sleep(1)
            shown.resize(20)
            await ctx.clock.sleep(1)

        def look_on(run: Run) -> None:
            run.log = Log(run, "info", "text", shown.stream)
            Watching(run).attend(stage.loop)

        play(job, stage, meanwhile=look_on)
        first, second = paints(shown.close())
    assert first == "0:01  0 of 1  a-name-that-is-rather-long"
    assert second == "0:02  0 of 1  a-na…"


def test_a_stall_is_noticed_all_the_same() -> None:
    written, played = watched({"workloads": {"a": {"do": ["sleep 2", "hang"]}}})
    assert played.code == 1
    assert "the job can make no progress: 'a' waits for something that cannot happen" in written
    assert not screen(written)[-1]


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    written, _ = watched(CASE)
    assert "\r\x1b[K\x1b[2m0:02" in written
    monkeypatch.setenv("NO_COLOR", "1")
    written, _ = watched(CASE)
    assert "\r\x1b[K0:02" in written
    assert set(re.findall(r"\x1b\[\d*[A-Za-z]", written)) == {"\x1b[K"}


@pytest.mark.parametrize(
    ("term", "level", "form"),
    [
        ("dumb", "info", "text"),
        ("", "info", "text"),
        (None, "info", "text"),
        ("xterm", "warning", "text"),
        ("xterm", "info", "json"),
    ],
)
def test_where_there_is_none(
    term: str | None, level: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERM")
    if term is not None:
        monkeypatch.setenv("TERM", term)
    written, _ = watched(CASE, level=level, form=form)
    assert "\r" not in written
    assert "\x1b[K" not in written


class Gone(io.StringIO):
    """A terminal whose far end is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptor = os.open(os.devnull, os.O_WRONLY)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_is_gone() -> None:
    stage = Stage()
    stream = Gone()

    def look_on(run: Run) -> None:
        run.log = Log(run, "info", "text", stream)
        made.append(Watching(run))
        made[0].attend(stage.loop)

    made: list[Watching] = []
    played = play(build(CASE, stage), stage, meanwhile=look_on)
    made[0].end()
    os.close(stream.descriptor)
    assert played.code == 0


def started(far_end_is_terminal: bool, *arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    """A job in a process of its own, and the end of its standard error that can be read."""
    reading, writing = pty.openpty() if far_end_is_terminal else os.pipe()
    if far_end_is_terminal:
        tty.setraw(writing)
    process = subprocess.Popen(
        [sys.executable, str(JOBS), *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(RUNTIME), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    os.close(writing)
    return process, reading


def read_until(reading: int, text: bytes) -> bytes:
    received = b""
    while text not in received:
        received += os.read(reading, 1 << 16)
    return received


def read_all(reading: int) -> bytes:
    received = b""
    with contextlib.suppress(OSError):  # a terminal's far end is closed
        while piece := os.read(reading, 1 << 16):
            received += piece
    os.close(reading)
    return received


def test_a_real_job_on_a_real_terminal() -> None:
    """It is painted while nothing happens, and the report goes to standard output alone."""
    process, reading = started(True, "waits", "--report", "-")
    written = read_until(reading, b"0:00  0 of 1  a")
    written += read_until(reading, b"0:01  0 of 1  a")
    process.send_signal(signal.SIGTERM)
    written += read_all(reading)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert read_report(out)["overall_status"] == "Cancelled"
    lines = screen(written.decode().split("\n", 1)[1])  # the first line is the job's own
    assert not any(re.match(r"\d+:\d\d  ", line) for line in lines)
    assert "cancelled in " in lines[-2] and lines[-1] == ""


def test_a_second_signal_leaves_no_line() -> None:
    process, reading = started(True, "cleans_up_for_ever")
    written = read_until(reading, b"0 of 1  a")
    process.send_signal(signal.SIGINT)
    written += read_until(reading, b"1 of 2  last")
    process.send_signal(signal.SIGINT)
    written += read_all(reading)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert screen(written.decode().split("\n", 1)[1])[-1] == ""


def test_a_real_job_stalls_on_a_real_terminal() -> None:
    process, reading = started(True, "stalls")
    written = read_all(reading).decode()
    assert process.wait(timeout=60) == 1
    process.communicate()
    assert "the job can make no progress" in written


def test_events_on_the_terminal_no_line() -> None:
    process, reading = started(True, "waits", "--timeout", "700ms", "--events", "fd:2")
    written = read_all(reading)
    process.communicate(timeout=60)
    assert b'{"event": "PlaybookEnd"' in written
    assert b"\r" not in written and b"\x1b[K" not in written


def test_no_terminal_no_line() -> None:
    process, reading = started(False, "waits", "--timeout", "700ms")
    written = read_all(reading)
    process.communicate(timeout=60)
    assert process.returncode == 124
    assert b"\r" not in written and b"\x1b" not in written
