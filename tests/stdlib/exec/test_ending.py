"""How commands end: by themselves, with their whole group when cancelled, and what is left (nothing).

Nothing here waits for time to pass: commands say through a FIFO how far they are.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError
from gxo.runtime.host.process import wait_readable
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import ConsumersClosed, Source
from gxo.stdlib.exec import exec_
from tests.stdlib.harness import Bench, bench, run

Play = Callable[[Bench, "Signals"], Awaitable[None]]


class Signals:
    """Two FIFOs: lines that commands `echo > $S` are read here, and `read x < $H` waits for `go`."""

    def __init__(self, folder: Path) -> None:
        self.paths = {"S": str(folder / "signals"), "H": str(folder / "hold")}
        for path in self.paths.values():
            os.mkfifo(path)
        # Open for both, nobody waits for the other end and no writer's closing is taken for the end.
        self._fd = os.open(self.paths["S"], os.O_RDWR | os.O_NONBLOCK)
        self._hold = os.open(self.paths["H"], os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""

    def go(self) -> None:
        os.write(self._hold, b"go\n")

    async def line(self) -> str:
        while b"\n" not in self._rest:
            await wait_readable(self._fd)
            self._rest += os.read(self._fd, 4096)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    async def pids(self) -> list[int]:
        return [int(word) for word in (await self.line()).split()]

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._hold)


def play(folder: Path, scene: Play) -> None:
    async def perform() -> None:
        signals = Signals(folder)
        try:
            async with bench(folder, held_clock=True) as workbench:
                workbench.environment.update(signals.paths)
                await scene(workbench, signals)
        finally:
            signals.close()

    run(perform())


def start(workbench: Bench, line: str, **params: object) -> "asyncio.Task[object]":
    call = exec_(workbench.context, command=line, shell=True, **params)  # type: ignore[arg-type]
    return asyncio.ensure_future(call)


async def cancelled(task: "asyncio.Task[object]") -> None:
    with pytest.raises(asyncio.CancelledError):
        await task


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie (nobody may reap orphans in a container)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def test_cancelling_ends_the_whole_group(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "sh -c 'sleep 1000' & sleep 1000 & echo $$ $! > $S; wait")
        pids = await signals.pids()
        assert all(map(runs, pids))
        task.cancel()
        await cancelled(task)
        assert not any(map(runs, pids))

    play(tmp_path, scene)


def test_a_command_may_clean_up(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "trap 'echo bye; echo done > f; exit' TERM; echo > $S; read x < $H")
        await signals.line()
        task.cancel()
        await cancelled(task)
        assert (tmp_path / "f").read_text() == "done\n"

    play(tmp_path, scene)


def test_cleaning_up_with_much_output_is_not_held_up(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        line = "trap 'head -c 300000 /dev/zero; echo done > f; exit' TERM; echo > $S; read x < $H"
        task = start(workbench, line)
        await signals.line()
        task.cancel()
        await cancelled(task)
        assert (tmp_path / "f").exists()

    play(tmp_path, scene)


def test_who_ignores_term_is_killed_after_five_seconds(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        clock = workbench.clock
        task = start(workbench, "trap '' TERM; echo $$ > $S; while :; do sleep 1000; done")
        [pid] = await signals.pids()
        task.cancel()
        await clock.asked.wait()
        assert clock.held == [5.0]
        assert runs(pid) and not task.done()
        clock.advance()
        await cancelled(task)
        assert not runs(pid)

    play(tmp_path, scene)


def test_a_quiet_child_of_a_command_gets_its_time_too(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        clock = workbench.clock
        child = "trap '' TERM; echo $$ > $S; while :; do sleep 1000; done"
        task = start(workbench, f'sh -c "{child}" >/dev/null 2>&1 & wait'.replace("$$", "\\$\\$"))
        [pid] = await signals.pids()
        task.cancel()
        await clock.asked.wait()
        assert runs(pid) and not task.done()
        clock.advance()
        await cancelled(task)
        assert not runs(pid)

    play(tmp_path, scene)


def test_a_child_that_left_the_group_holds_up_nothing(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "setsid sh -c 'echo $$ > $S; sleep 1000' & wait")
        [pid] = await signals.pids()
        try:
            task.cancel()
            await cancelled(task)
            assert runs(pid)
        finally:
            os.killpg(os.getpgid(pid), signal.SIGKILL)

    play(tmp_path, scene)


def test_a_second_cancelling_kills_at_once(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "trap '' TERM; echo $$ > $S; while :; do sleep 1000; done")
        [pid] = await signals.pids()
        task.cancel()
        await workbench.clock.asked.wait()
        task.cancel()
        await cancelled(task)
        assert not runs(pid)

    play(tmp_path, scene)


def test_cancelling_while_input_is_not_read(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "echo $$ > $S; read x < $H", stdin="x" * 1_000_000)
        [pid] = await signals.pids()
        task.cancel()
        await cancelled(task)
        assert not runs(pid)

    play(tmp_path, scene)


def test_cancelling_while_output_is_not_read(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        source = Source("command", Channel(buffer_size=1))
        reader = Records([source.connect("reader")])
        task = start(workbench, "echo $$ > $S; yes", stdout_to="lines", out=source.port())
        [pid] = await signals.pids()
        assert (await anext(reader))[0] == {"line": "y", "number": 1}
        task.cancel()
        await cancelled(task)
        assert not runs(pid)

    play(tmp_path, scene)


def test_it_ends_when_nobody_reads_any_more(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        source = Source("command", Channel())
        reader = Records([source.connect("reader")])
        task = start(workbench, "echo $$ > $S; yes", stdout_to="lines", out=source.port())
        [pid] = await signals.pids()
        await anext(reader)
        reader.close()
        with pytest.raises(ConsumersClosed):
            await task
        assert not runs(pid)

    play(tmp_path, scene)


def test_a_producer_is_let_go_when_the_command_stops_reading(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        source = Source("producer", Channel(buffer_size=1))
        records = Records([source.connect("command")])
        line = "read x; exec 0<&-; echo $$ > $S; read x < $H"
        task = start(workbench, line, stdin_from="stream", records=records)
        port = source.port()
        await port.send([{"n": 1}])
        await signals.line()
        with pytest.raises(ConsumersClosed):
            while True:
                await port.send([{"n": 2}])
        signals.go()
        await task

    play(tmp_path, scene)


def test_a_timeout_ends_it(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                task = start(workbench, "echo $$ > $S; read x < $H")
                [pid] = await signals.pids()
                limit.reschedule(0)
                await task
        assert not runs(pid)

    play(tmp_path, scene)


def test_it_lasts_until_its_output_is_closed(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "(echo $$ > $S; read x < $H; echo late) & exit 0")
        await signals.line()
        signals.go()
        assert (await task)["stdout"] == "late\n"  # type: ignore[index]

    play(tmp_path, scene)


def test_a_daemon_that_closed_its_output_stays(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        await start(workbench, "sh -c 'echo $$ > $S; sleep 1000' >/dev/null 2>&1 &")
        [pid] = await signals.pids()
        try:
            assert runs(pid)
        finally:
            os.killpg(os.getpgid(pid), signal.SIGKILL)

    play(tmp_path, scene)


def test_it_leads_a_session_of_its_own(tmp_path: Path) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        result = await start(workbench, "echo $$; cut -d ' ' -f 5,6 /proc/$$/stat")
        pid, group_and_session = result["stdout"].splitlines()  # type: ignore[index]
        assert group_and_session == f"{pid} {pid}"

    play(tmp_path, scene)


def test_it_inherits_nothing(tmp_path: Path) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        result = await exec_(workbench.context, command="ls", args=["/proc/self/fd"])
        assert result["stdout"].split() == ["0", "1", "2", "3"]  # 3 is the folder that is listed

    play(tmp_path, scene)


def test_no_thread_is_started_for_it(tmp_path: Path) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        before = threading.active_count()
        task = start(workbench, "echo > $S; read x < $H")
        await signals.line()
        assert threading.active_count() == before
        task.cancel()
        await cancelled(task)

    play(tmp_path, scene)


@pytest.mark.parametrize("how", ["ended", "cancelled"])
def test_a_system_without_pidfd(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")

    async def scene(workbench: Bench, signals: Signals) -> None:
        task = start(workbench, "echo $$ > $S; read x < $H; exit 3", check=False)
        [pid] = await signals.pids()
        if how == "cancelled":
            task.cancel()
            await cancelled(task)
        else:
            signals.go()
            assert (await task)["exit_code"] == 3  # type: ignore[index]
        assert not runs(pid)

    play(tmp_path, scene)


def test_large_input_comes_back(tmp_path: Path) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        text = "0123456789abcde\n" * 655_360
        result = await exec_(workbench.context, command="cat", stdin=text)
        assert result["stdout"] == text

    play(tmp_path, scene)


def test_large_input_that_nobody_reads(tmp_path: Path) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        result = await exec_(workbench.context, command="true", stdin="x" * 10_000_000)
        assert result["exit_code"] == 0

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("/bin/cat x; echo $1", "for shell syntax set `shell: true`"),
        ("/etc/passwd/x|y", "for shell syntax set `shell: true`"),
        ("./nothing", None),
    ],
)
def test_a_line_for_a_shell_that_is_taken_for_a_program(
    tmp_path: Path, command: str, hint: str | None
) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        with pytest.raises(Exception, match="does not exist") as caught:
            await exec_(workbench.context, command=command, args=["x"], shell=False)
        assert caught.value.hint == hint

    play(tmp_path, scene)


def test_an_argument_that_is_too_long(tmp_path: Path) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        with pytest.raises(Exception, match="arguments and environment are too long") as caught:
            await exec_(workbench.context, command="true", args=["x" * 10_000_000])
        assert caught.value.hint == "pass large values by `stdin` or by a file"

    play(tmp_path, scene)


def test_many_at_once(tmp_path: Path) -> None:
    async def scene(workbench: Bench, _: Signals) -> None:
        calls = [exec_(workbench.context, command="echo", args=[str(n)]) for n in range(50)]
        results = await asyncio.gather(*calls)
        assert [result["stdout"] for result in results] == [f"{n}\n" for n in range(50)]

    play(tmp_path, scene)


@pytest.mark.parametrize("line", ["kill -KILL $$", "sh -c 'kill -KILL $$'; exit $?"])
def test_a_command_that_was_killed_may_have_run_out_of_memory(tmp_path: Path, line: str) -> None:
    async def scene(workbench: Bench, signals: Signals) -> None:
        with pytest.raises(ModuleError, match=r"was ended by SIGKILL|exit code 137") as caught:
            await start(workbench, line)
        assert caught.value.hint is not None
        assert "needs more memory than there is" in caught.value.hint

    play(tmp_path, scene)


def test_a_command_without_memory_is_a_failure_that_says_so(tmp_path: Path) -> None:
    """Its address space is limited, so that it fails itself, and the system need not kill it."""

    async def scene(workbench: Bench, signals: Signals) -> None:
        line = f'ulimit -v 200000; exec {sys.executable} -S -c "x = bytearray(10**9)"'
        with pytest.raises(ModuleError, match=r"exit code 1: (?s:.*)MemoryError"):
            await start(workbench, line)

    play(tmp_path, scene)
