"""How a job's process ends: signals, exit codes, what it leaves behind. With real processes.

No test sleeps: a job says by a line on standard error where it is.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports import read_report

JOBS = Path(__file__).parent / "jobs.py"
RUNTIME = Path(__file__).parents[3] / "runtime"

Process = subprocess.Popen[bytes]


@pytest.fixture
def workspaces(tmp_path: Path) -> Path:
    folder = tmp_path / "workspaces"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def environment(workspaces: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(RUNTIME),
        "PYTHONWARNINGS": "error",
        "PYTHONASYNCIODEBUG": "1",
        "GXO_WORKSPACES": str(workspaces),
    }


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[object]:
    started: list[Process] = []

    def start(name: str, *options: str, grace: float | None = None, **keywords: object) -> Process:
        more = {} if grace is None else {"GXO_TEST_GRACE": str(grace)}
        arguments = [sys.executable, str(JOBS), name, *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **keywords}
        process = subprocess.Popen(arguments, env=environment | more, **pipes)  # type: ignore[call-overload]
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_line(process: Process, start: str) -> str:
    """Read standard error up to the line that begins so."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.decode().startswith(start):
            return line.decode().rstrip()
    raise AssertionError(f"no line begins with {start!r}")


def end(process: Process) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    assert b"Traceback" not in err, err.decode()
    assert b"Warning" not in err, err.decode()
    return process.returncode, (out or b"").decode(), err.decode()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_job_in_order(start, workspaces: Path, number: int, code: int) -> None:
    process = start("waits", "--report", "-")
    workspace = wait_line(process, "in ").removeprefix("in ")
    assert os.path.isdir(workspace)
    process.send_signal(number)
    returned, out, err = end(process)
    assert returned == code
    assert "last: last sees Cancelled" in err
    report = read_report(out)
    assert report["overall_status"] == "Cancelled"
    assert report["workload_results"]["a"]["status"] == "Cancelled"
    assert os.listdir(workspaces) == []


def test_a_second_signal_ends_at_once(start) -> None:
    process = start("cleans_up_for_ever")
    wait_line(process, "ready")
    process.send_signal(signal.SIGINT)
    wait_line(process, "cleaning")
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 143


def test_a_second_signal_ends_a_job_whose_loop_is_blocked(start) -> None:
    process = start("blocks_the_loop")
    wait_line(process, "ready")
    process.send_signal(signal.SIGINT)
    wait_line(process, "interrupted")  # two signals that Python has not handled yet are one
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130


def test_a_terminal_that_is_closed_ends_the_job_in_order(
    environment: dict[str, str], workspaces: Path, tmp_path: Path
) -> None:
    ours, theirs = os.openpty()
    # A session's leader gets the first terminal that it opens as its own.
    command = f'exec 0<>"{os.ttyname(theirs)}" 1>&0; exec "{sys.executable}" "{JOBS}" waits "$@"'
    process = subprocess.Popen(
        ["sh", "-c", command, "sh", "--report", str(tmp_path / "report")],
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(theirs)
    wait_line(process, "in ")
    os.close(ours)
    assert end(process)[0] == 129
    assert read_report(tmp_path / "report")["overall_status"] == "Cancelled"
    assert os.listdir(workspaces) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored(environment: dict[str, str], number: int) -> None:
    """As `nohup` and a shell's `&` start it."""
    text = (
        f"import os, signal, sys; signal.signal({number:d}, signal.SIG_IGN); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    arguments = [sys.executable, "-c", text, sys.executable, str(JOBS), "waits"]
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_line(process, "in ")
    process.send_signal(number)
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 143


def test_a_signal_from_inside(start) -> None:
    assert end(start("kills_itself"))[0] == 130


def test_the_job_time_out(start) -> None:
    code, _, err = end(start("waits", "--timeout", "100ms"))
    assert code == 124
    assert "the job took longer than its --timeout of 0.1 s" in err
    assert "last: last sees Failed" in err


@pytest.mark.parametrize("name", ["ignores_cancellation", "hangs_in_a_thread"])
def test_a_module_that_does_not_end_cannot_keep_the_process(start, name: str) -> None:
    code, _, err = end(start(name, grace=0.1))
    assert code == 1
    assert "stubborn: the job is stopping; its module ignored that and was abandoned" in err


def test_a_task_that_is_left_behind_gets_a_line(start) -> None:
    code, _, err = end(start("leaves_a_task"))
    assert code == 0
    assert "in the background: " in err


def test_a_defect_of_gxo_has_its_own_exit_code(start) -> None:
    code, _, err = end(start("breaks"))
    assert code == 70
    assert err.splitlines()[-2:] == [
        "error: a defect of gxo itself: RuntimeError: a broken part of gxo",
        "hint: please report it, with what --traceback shows",
    ]


def test_nobody_reads_standard_output(start) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("prints_a_lot", "--report", "-", stdout=writing)
    os.close(writing)
    assert end(process)[0] == 0


@pytest.mark.parametrize("option", ["--describe", "--help", "--version"])
def test_nobody_reads_what_is_printed(start, option: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("empty", option, stdout=writing)
    os.close(writing)
    assert end(process) == (0, "", "")


def test_nobody_reads_standard_error(start) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("empty", "--report", "-", stderr=writing)
    os.close(writing)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert read_report(out)["overall_status"] == "Completed"


def test_without_standard_streams(environment: dict[str, str]) -> None:
    command = f'exec "{sys.executable}" "{JOBS}" empty <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], env=environment, check=False).returncode == 0


def test_nothing_is_needed_but_python_itself(environment: dict[str, str]) -> None:
    """No site-packages, no environment: only Python's own library and the runtime."""
    text = f"import sys; sys.path.insert(0, {str(RUNTIME)!r}); sys.argv = ['jobs.py', 'empty']\n"
    text += JOBS.read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_small_job_imports_little(environment: dict[str, str]) -> None:
    """What costs start-up time is imported only by jobs that need it."""
    code = (
        "import asyncio, sys; before = set(sys.modules)\n"
        f"sys.argv = ['jobs.py', 'empty']; text = open({str(JOBS)!r}).read()\n"
        "try: exec(compile(text, 'jobs.py', 'exec'))\n"
        "finally: print(*sorted(set(sys.modules) - before - set(sys.builtin_module_names)))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(RUNTIME)!r})\n" + code,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = {name for name in done.stdout.split() if name != "gxo" and name != "__main__"}
    assert loaded == {
        "gxo.runtime",
        *(
            f"gxo.runtime.{name}"
            for name in (
                "context",
                "errors",
                "host",
                "host.clock",
                "host.eventloop",
                "job",
                "kernel",
                "kernel.background",
                "kernel.ending",
                "kernel.graph",
                "kernel.instance",
                "kernel.node",
                "kernel.retry",
                "kernel.run",
                "kernel.scheduler",
                "kernel.state",
                "kernel.vars",
                "main",
                "reporting",
                "reporting.logs",
                "settings",
            )
        ),
    }
