"""Child processes: each leads a session of its own, is read without blocking, and ends as a group.

asyncio's own child processes cost a thread each (Python 3.11), and they reap a child as soon as it
ends; from then on the number of its process group may belong to somebody else. Here a child stays
unreaped until its group has been dealt with, so that a signal can reach nobody else. When the job
is killed, its watcher kills the groups (watcher.py).
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Mapping, Sequence
from typing import IO

from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.host.watcher import CommandWatcher

GRACE = 5.0
"""Seconds between TERM and KILL (modules, "System", `exec`)."""

_POLL = 0.02
_PIECE = 65536


async def wait_readable(fd: int) -> None:
    """Wait until reading from a descriptor would not block."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(fd, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


async def wait_writable(fd: int) -> None:
    """Wait until writing to a descriptor would not block."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(fd, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_writer(fd)


def _resolve(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


class Output:
    """The end of a pipe that the child writes to."""

    __slots__ = ("_file",)

    def __init__(self, file: IO[bytes]) -> None:
        os.set_blocking(file.fileno(), False)
        self._file = file

    async def read(self) -> bytes:
        """The next piece, at most 64 KiB; empty at the end."""
        fd = self._file.fileno()
        while True:
            # Waiting even when there is something keeps a busy child from holding up the loop.
            await wait_readable(fd)
            try:
                return os.read(fd, _PIECE)
            except BlockingIOError:
                continue

    async def capture(self, limit: int) -> tuple[bytes, bool]:
        """Read to the end; the first `limit` bytes, and whether there were more."""
        kept = bytearray()
        truncated = False
        while piece := await self.read():
            room = limit - len(kept)
            kept += piece[:room]
            truncated = truncated or len(piece) > room
        return bytes(kept), truncated

    async def discard(self) -> None:
        """Read to the end."""
        while await self.read():
            pass

    def close(self) -> None:
        self._file.close()


class Input:
    """The end of a pipe that the child reads from."""

    __slots__ = ("_file",)

    def __init__(self, file: IO[bytes]) -> None:
        os.set_blocking(file.fileno(), False)
        self._file = file

    async def write(self, data: bytes) -> bool:
        """Write everything; False when the child has closed its end and reads no more."""
        fd = self._file.fileno()
        rest = memoryview(data)
        while rest:
            await wait_writable(fd)
            try:
                rest = rest[os.write(fd, rest[:_PIECE]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return False
        return True

    def close(self) -> None:
        self._file.close()


class Child:
    """A running command, the leader of its process group."""

    __slots__ = ("_pidfd", "_popen", "_watcher", "stderr", "stdin", "stdout")

    def __init__(self, popen: subprocess.Popen[bytes], watcher: CommandWatcher) -> None:
        assert popen.stdout is not None and popen.stderr is not None
        self._popen = popen
        self._watcher = watcher
        self._pidfd = _open_pidfd(popen.pid)
        self.stdin = Input(popen.stdin) if popen.stdin is not None else None
        self.stdout = Output(popen.stdout)
        self.stderr = Output(popen.stderr)

    @property
    def pid(self) -> int:
        return self._popen.pid

    async def wait(self) -> None:
        """Wait until the leader has ended. It is not reaped yet."""
        if self._pidfd is not None:
            await wait_readable(self._pidfd)
        else:
            while not _has_ended(self._popen.pid):  # noqa: ASYNC110 - nothing announces its end here
                await asyncio.sleep(_POLL)

    def close(self) -> int:
        """Give back everything the ended child holds; its exit status, negative for a signal."""
        self._release()
        return self._popen.wait()

    def _release(self) -> None:
        self._watcher.forget(self._popen.pid)
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    async def end(self, clock: Clock, grace: float | None = None) -> None:
        """End the whole process group: TERM, and KILL for what is left after `grace` seconds
        (by default `GRACE`).

        Output is read and thrown away meanwhile, so that nobody is held up in ending. When this is
        cancelled it waits no longer and kills at once.
        """
        gone = asyncio.ensure_future(self._wait_gone(clock))
        quiet = asyncio.gather(self.stdout.discard(), self.stderr.discard())
        try:
            self._signal_group(signal.SIGTERM)
            await _wait_at_most(GRACE if grace is None else grace, gone, clock)
        finally:
            try:
                if not gone.done():
                    self._signal_group(signal.SIGKILL)
                    # The kernel may hold on to it (a network disk that is gone): not for ever.
                    # How long that takes is no matter of the job's own clock.
                    await asyncio.wait((gone,), timeout=GRACE)
            finally:
                gone.cancel()
                quiet.cancel()
                await asyncio.wait((gone, quiet))
                self._release()
                self._popen.poll()

    async def _wait_gone(self, clock: Clock) -> None:
        """Wait until the leader has ended and its group is empty."""
        await self.wait()
        # The others of the group are not this process's children: there is nothing to wait on.
        while self._signal_group(0) and _has_running_members(self._popen.pid):
            await clock.sleep(_POLL)

    def _signal_group(self, number: int) -> bool:
        """Whether anybody was there to get it."""
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # a member changed its user: it is there, and not ours to end
            return False
        return True


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _has_running_members(group: int) -> bool:
    """Whether a process group has more than zombies, such as its leader, and others' processes."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return True
    return any(_is_running_member(name, group) for name in names if name.isdigit())


def _is_running_member(pid: str, group: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:  # it has just ended
        return False
    # "pid (command) state parent group ...", where the command may hold anything.
    state, _, its_group = text.rpartition(b")")[2].split()[:3]
    return int(its_group) == group and state not in b"ZX" and _may_signal(int(pid))


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _open_pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # another system, an old kernel, a sandbox
        return None


async def _wait_at_most(seconds: float, task: "asyncio.Future[None]", clock: Clock) -> None:
    sleep: Awaitable[None] = clock.sleep(seconds)
    timer = asyncio.ensure_future(sleep)
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        await asyncio.wait([timer])


def spawn(argv: Sequence[str], *, cwd: str, environment: Mapping[str, str], stdin: bool) -> Child:
    """Start a command, on a job's loop. Raises OSError and ValueError as `subprocess.Popen` does.

    Without `stdin` the child reads from /dev/null. In a test the program is what the test has for
    it; SecurityError when that is nothing.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JobLoop)
    watcher = loop.watcher
    options = {
        "bufsize": 0,
        "cwd": cwd,
        "env": environment,
        "stdin": subprocess.PIPE if stdin else subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
    }
    if loop.testing is None:
        return Child(watcher.start(argv, **options), watcher)
    words, options["env"] = loop.testing.commands.prepared(argv, cwd, environment)
    return Child(loop.testing.commands.start(watcher, words, **options), watcher)
