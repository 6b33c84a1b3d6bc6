"""The watcher: what it kills when the job is gone, and what happens without it. With real processes.

No test sleeps: every command holds a FIFO open, whose end is met when the last one has gone.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gxo.runtime.host.watcher import CommandWatcher

RUNTIME = Path(__file__).parents[3] / "runtime"

JOB = """
import os, signal, sys
from gxo.runtime.host.watcher import CommandWatcher

moment, command = sys.argv[1], ["sh", "-c", sys.argv[2]]
told = 0

class Killed(CommandWatcher):
    def _tell(self, *line):
        global told
        die(f"before {told}")
        super()._tell(*line)
        die(f"after {told}")
        told += 1

def die(now):
    if now == moment:
        os.kill(os.getpid(), signal.SIGKILL)

watcher = Killed(print)
child = watcher.start(command)
child.stdout.read(1)
die("later")
watcher.forget(child.pid)
child.wait() if moment == "reaped" else child.kill()
die("reaped")
"""

COMMAND = 'exec 3> "$ALIVE"; echo; sleep 1000 & wait'

Start = Callable[..., "subprocess.Popen[bytes]"]


class Alive:
    """A FIFO that commands hold open as long as they live."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        # A reader that never meets an end before the first command has opened it.
        self.reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_end(self) -> None:
        """Wait until nobody holds it open any more."""
        poll = select.poll()
        poll.register(self.reading, select.POLLHUP)
        assert poll.poll(15_000), "a command is left"

    def was_opened(self) -> bool:
        poll = select.poll()
        poll.register(self.reading, select.POLLHUP)
        return bool(poll.poll(0))


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[Alive]:
    made = Alive(tmp_path / "alive")
    yield made
    os.close(made.reading)


def run(moment: str, alive: Alive, command: str = COMMAND) -> int:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(RUNTIME),
        "PYTHONWARNINGS": "error",
        "ALIVE": str(alive.path),
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", JOB, moment, command], env=environment, check=False
    )
    return done.returncode


@pytest.mark.parametrize("moment", ["before 1", "after 1", "later", "before 2"])
def test_at_whatever_moment_the_job_is_killed_its_command_dies(alive: Alive, moment: str) -> None:
    """Before 1: the command runs, and the watcher has not been told its number yet."""
    held = os.open(alive.path, os.O_WRONLY | os.O_NONBLOCK)
    assert run(moment, alive) == -signal.SIGKILL
    os.close(held)
    alive.wait_end()


@pytest.mark.parametrize("moment", ["before 0", "after 0"])
def test_a_job_that_is_killed_before_its_command_starts_has_none(alive: Alive, moment: str) -> None:
    assert run(moment, alive) == -signal.SIGKILL
    assert not alive.was_opened()


def test_what_a_command_leaves_behind_when_it_has_ended_is_its_own(alive: Alive) -> None:
    command = 'exec 3> "$ALIVE"; sleep 1000 > /dev/null & echo $! >&3; echo'
    assert run("reaped", alive, command) == -signal.SIGKILL
    pid = int(os.read(alive.reading, 100))
    os.kill(pid, 0)
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    alive.wait_end()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watcher(said: list[str]) -> Iterator[CommandWatcher]:
    before = sorted(os.listdir("/proc/self/fd"))
    made = CommandWatcher(said.append)
    yield made
    made.close()
    made.close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def reap(child: "subprocess.Popen[bytes]") -> int:
    assert child.stdout is not None
    child.stdout.close()
    return child.wait()


def test_closing_kills_what_runs_and_nothing_else(watcher: CommandWatcher, said: list[str]) -> None:
    ended = watcher.start(["true"])
    watcher.forget(ended.pid)
    watcher.forget(ended.pid)
    running = watcher.start(["sleep", "1000"])
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
        watcher.close()
        assert (reap(ended), reap(running)) == (0, -signal.SIGKILL)
        assert stranger.poll() is None
    assert said == []


def test_it_has_nothing_of_the_job(
    watcher: CommandWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor but its pipe, no environment, another session, the root as its folder."""
    monkeypatch.setenv("CANARY", "a secret of the job")
    child = watcher.start(["sh", "-c", "read x"], stdin=subprocess.PIPE)
    assert watcher._process is not None
    proc = f"/proc/{watcher._process.pid}"
    assert os.readlink(f"{proc}/cwd") == "/"
    assert Path(f"{proc}/environ").read_bytes() == b""
    assert os.getsid(watcher._process.pid) == watcher._process.pid
    open_files = {name: os.readlink(f"{proc}/fd/{name}") for name in ("0", "1", "2")}
    assert open_files["0"] == os.readlink(f"/proc/self/fd/{watcher._writing}")
    assert open_files["1"] == open_files["2"] == "/dev/null"
    watcher.close()
    child.stdin.close()  # type: ignore[union-attr]
    reap(child)


def ignores(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)


def test_signals_that_end_a_job_do_not_end_it(watcher: CommandWatcher) -> None:
    child = watcher.start(["cat"], stdin=subprocess.PIPE)
    assert watcher._process is not None
    pid = watcher._process.pid
    while not ignores(pid, signal.SIGTERM):  # the last one that it ignores as it starts
        assert watcher._process.poll() is None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    assert watcher._process.poll() is None
    watcher.close()
    child.stdin.close()  # type: ignore[union-attr]
    reap(child)


MESSAGE = "nobody watches over the job's commands, and some may go on if it is killed: "


def test_a_watcher_that_cannot_start_is_told_once(
    watcher: CommandWatcher, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    for _ in range(3):
        child = watcher.start(["true"])
        watcher.forget(child.pid)
        assert reap(child) == 0
    assert said == [MESSAGE + "No such file or directory"]


def test_a_watcher_that_is_killed_is_told_once(watcher: CommandWatcher, said: list[str]) -> None:
    first = watcher.start(["cat"], stdin=subprocess.PIPE)
    assert watcher._process is not None
    watcher._process.kill()
    os.waitid(os.P_PID, watcher._process.pid, os.WEXITED | os.WNOWAIT)
    for _ in range(3):
        child = watcher.start(["true"])
        watcher.forget(child.pid)
        assert reap(child) == 0
    assert said == [MESSAGE + "Broken pipe"]
    assert first.poll() is None, "it was killed with the watcher"
    watcher.close()
    first.stdin.close()  # type: ignore[union-attr]
    assert reap(first) == -signal.SIGKILL


def test_a_watcher_that_is_stopped_holds_nothing_up(
    watcher: CommandWatcher, said: list[str]
) -> None:
    first = watcher.start(["cat"], stdin=subprocess.PIPE)
    assert watcher._process is not None
    watcher._process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, watcher._process.pid, os.WSTOPPED | os.WNOWAIT)
    for _ in range(10_000):
        watcher._tell(1, 0)
        watcher._tell(1, -1)
    assert said == [MESSAGE + "Resource temporarily unavailable"]
    assert first.poll() is None, "it was killed with the watcher"
    watcher.close()
    first.stdin.close()  # type: ignore[union-attr]
    reap(first)


@pytest.mark.parametrize("command", [["/no/such/program"], ["/"], ["true", "\0"]])
def test_a_command_that_does_not_start_is_forgotten(
    watcher: CommandWatcher, command: list[str]
) -> None:
    with pytest.raises((OSError, ValueError)):
        watcher.start(command)
    assert watcher._pipes == {}
