"""However a job ends, its commands end too, with all their children; and so does their watcher."""

import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.host.test_watcher import Alive
from tests.runtime.kernel.test_processes import (  # noqa: F401 - fixtures
    Process,
    end,
    environment,
    start,
    wait_line,
    workspaces,
)

Start = Callable[..., Process]


@pytest.fixture
def alive(tmp_path: Path, environment: dict[str, str]) -> Alive:  # noqa: F811
    made = Alive(tmp_path / "alive")
    environment["ALIVE"] = str(made.path)
    return made


class Commands:
    """The process groups of a job's commands, and its watcher."""

    def __init__(self, process: Process, count: int) -> None:
        lines = [wait_line(process, "runs ").split() for _ in range(count)]
        self.groups = {int(group) for _, group, _ in lines}
        [watcher] = {int(watcher) for _, _, watcher in lines}
        self.watcher = os.pidfd_open(watcher)
        self.leaders = [os.pidfd_open(group) for group in self.groups]
        assert self.running() == self.groups

    def running(self) -> set[int]:
        found = set()
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                text = Path(f"/proc/{name}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            state, _, group = text.rpartition(")")[2].split()[:3]
            if int(group) in self.groups and state not in "ZX":
                found.add(int(group))
        return found

    def check_gone(self, alive: Alive) -> None:
        """Wait for the end of all of them."""
        alive.wait_end()
        assert select.select([self.watcher], [], [], 15)[0], "the watcher is left"
        for leader in self.leaders:
            assert select.select([leader], [], [], 15)[0], "a command is left"
        for ended in (self.watcher, *self.leaders):
            os.close(ended)
        assert self.running() == set()


def test_a_job_that_is_killed(start: Start, alive: Alive) -> None:  # noqa: F811
    process = start("runs_commands")
    commands = Commands(process, 2)
    process.kill()
    commands.check_gone(alive)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_job_that_is_interrupted(start: Start, alive: Alive, number: int) -> None:  # noqa: F811
    process = start("runs_commands", grace=0.1)
    commands = Commands(process, 2)
    process.send_signal(number)
    assert end(process)[0] == 128 + number
    assert commands.running() == set(), "the job has ended before its commands"
    commands.check_gone(alive)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal(start: Start, alive: Alive, number: int) -> None:  # noqa: F811
    process = start("cleans_up_by_command")
    commands = Commands(process, 1)
    process.send_signal(signal.SIGTERM)
    wait_line(process, "")  # the handler of the first one has run when the job says why it ends
    process.send_signal(number)
    assert end(process)[0] == 128 + number
    commands.check_gone(alive)


def test_a_module_that_is_abandoned_with_its_command(start: Start, alive: Alive) -> None:  # noqa: F811
    process = start("abandons_a_command", grace=0.1)
    commands = Commands(process, 1)
    process.send_signal(signal.SIGTERM)
    code, _, err = end(process)
    assert code == 143
    assert "stubborn: the job is stopping; its module ignored that and was abandoned" in err
    commands.check_gone(alive)


def test_a_job_time_out(start: Start, alive: Alive) -> None:  # noqa: F811
    process = start("runs_commands", "--timeout", "1s", grace=0.1)
    commands = Commands(process, 2)
    assert end(process)[0] == 124
    assert commands.running() == set(), "the job has ended before its commands"
    commands.check_gone(alive)
