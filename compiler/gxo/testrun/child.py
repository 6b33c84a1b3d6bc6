"""The process of one test: forked, listened to, and ended.

    child = Child(work)     work(descriptor) runs in the new process, and tells there
    child.read_log()        text that it prints; `read_told` lines of JSON
    child.interrupt()       the job ends in order; `kill` ends all that is left of it

It leads a session of its own, so that signals of the terminal reach only whoever started it, and it
is killed when that one dies. Commands of the job die with it (`gxo.runtime.host.watcher`).
"""

import codecs
import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

TELLING = 3
"""The descriptor on which the new process tells."""

LONGEST_LOG = 1 << 20
"""Bytes of a test's output that are kept."""

_PIECE, _MOST_PIECES = 1 << 16, 64
_MOST_DESCRIPTORS = 1 << 16
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class Child:
    """log_pipe, told_pipe: to read from, without waiting. closed: those of them that nobody writes
    to any more. status: as `os.waitpid` says, once it has ended. started: a moment of the monotonic
    clock.
    """

    def __init__(self, work: Callable[[int], int]) -> None:
        """Fork. work: is given the descriptor to tell on, returns the exit code."""
        self.log_pipe, log = os.pipe()
        self.told_pipe, telling = os.pipe()
        self.status: int | None = None
        self.closed: set[int] = set()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = b""
        self._left_out = 0
        self._logged = 0
        self.started = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become(work, log, telling, parent)
        os.close(log)
        os.close(telling)
        for pipe in (self.log_pipe, self.told_pipe):
            os.set_blocking(pipe, False)

    def read_log(self) -> str:
        """What it has printed since the last time, as far as all that stays within the limit."""
        data = self._read_all(self.log_pipe)
        kept = data[: max(0, LONGEST_LOG - self._logged)]
        self._logged += len(kept)
        self._left_out += len(data) - len(kept)
        return self._decoder.decode(kept)

    def read_told(self) -> list[dict[str, Any]]:
        """The whole lines that it has told since the last time."""
        *whole, self._rest = (self._rest + self._read_all(self.told_pipe)).split(b"\n")
        return [told for line in whole if isinstance(told := _parsed(line), dict)]

    def _read_all(self, pipe: int) -> bytes:
        """All that can be read without waiting; of one who never stops writing, a part."""
        pieces: list[bytes] = []
        try:
            while len(pieces) < _MOST_PIECES and (piece := os.read(pipe, _PIECE)):
                pieces.append(piece)
            if len(pieces) < _MOST_PIECES:
                self.closed.add(pipe)
        except BlockingIOError:
            pass
        return b"".join(pieces)

    def left_out(self) -> str:
        """A line that says how much of its output is not shown, if any."""
        return f"... and {self._left_out} bytes more\n" if self._left_out else ""

    def interrupt(self) -> None:
        """Have the job end in order."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process, and what it has started that is in its session's first group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except OSError:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def reap(self) -> bool:
        """Whether it has ended; what it leaves in its group is then killed too."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == 0:
                return False
            self.status = status
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except OSError:
                pass
        return True

    def close(self) -> None:
        """Give back the pipes."""
        os.close(self.log_pipe)
        os.close(self.told_pipe)


def _parsed(line: bytes) -> Any:
    """None for what is no JSON: a module may have written to that descriptor, too."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _become(work: Callable[[int], int], log: int, telling: int, parent: int) -> NoReturn:
    """The new process: nothing of the old one's is left in it but what it has loaded."""
    code = 70
    try:
        os.setsid()
        _die_with(parent)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _arrange_descriptors(log, telling)
        code = work(TELLING)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except Exception as error:
        from gxo.compiler.crash import report

        report(error, sys.argv[1:])
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass
        os._exit(code)


def _arrange_descriptors(log: int, telling: int) -> None:
    """0 reads nothing, 1 and 2 are the log, 3 is where it tells; there is no other."""
    log, telling = (fcntl.fcntl(one, fcntl.F_DUPFD, TELLING + 1) for one in (log, telling))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(telling, TELLING, inheritable=False)
    os.closerange(TELLING + 1, _MOST_DESCRIPTORS)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1
    )


def _die_with(parent: int) -> None:
    """Be killed when the parent dies, where the system can do that."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(128 + signal.SIGKILL)
