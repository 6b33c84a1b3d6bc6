"""Writes lines for a reader that may be slow, or gone, without ever waiting for it.

writer = LineWriter(open_target("fd:3"))
writer.put(line)          False when the buffer is full: the line is dropped
writer.close(5.0)         what waits is written; returns how many lines were not
"""

import errno
import fcntl
import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable

from gxo.runtime.errors import UsageError

MOST_WAITING = 8 << 20
"""Bytes of lines that may wait to be written: some 40,000 events."""

PIECE = 1 << 16
"""Bytes written at once. Many lines together: each write waits for Python's lock afterwards."""

_FLAGS = os.O_WRONLY | os.O_CLOEXEC


class LineWriter:
    """A buffer, and the thread that empties it. failure: why nothing can be written any more."""

    def __init__(self, open_it: Callable[[], int], most_waiting: int = MOST_WAITING) -> None:
        """open_it: gives the descriptor to write to; called in the thread, as it may block."""
        self.failure: str | None = None
        self._open = open_it
        self._most = most_waiting
        self._lines: deque[bytes] = deque()
        self._waiting = 0  # bytes in them
        self._writing = 0  # lines that have left them and are being written
        self._closed = False
        self._ready = threading.Condition()
        self.thread = threading.Thread(target=self._write, name="gxo-events", daemon=True)
        self.thread.start()

    def put(self, line: bytes, always: bool = False) -> bool:
        """Let the line be written; whether it will be. always: however much waits."""
        with self._ready:
            is_full = self._waiting + len(line) > self._most
            if self.failure is not None or (is_full and not always):
                return False
            self._lines.append(line)
            self._waiting += len(line)
            self._ready.notify()
            return True

    def close(self, grace: float) -> int:
        """Write what waits, for at most `grace` seconds; returns how many lines are lost."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self.thread.join(grace)
        with self._ready:
            lost = len(self._lines) + self._writing
            self._lines.clear()
            return lost

    def _write(self) -> None:
        """The thread: write until the writer is closed, or nobody reads any more."""
        try:
            descriptor = self._open()
            try:
                while piece := self._next():
                    _write_all(descriptor, piece)
            finally:
                os.close(descriptor)
        except OSError as error:
            with self._ready:
                self.failure = error.strerror or str(error)

    def _next(self) -> bytes:
        """Lines to write at once: a piece full, or one long line. Empty at the end."""
        piece = bytearray()
        with self._ready:
            self._writing = 0
            while not self._lines and not self._closed:
                self._ready.wait()
            while self._lines and (not piece or len(piece) + len(self._lines[0]) <= PIECE):
                piece += self._lines.popleft()
                self._writing += 1
            self._waiting -= len(piece)
        return bytes(piece)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # whoever gave us the descriptor wants it so
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()


def open_target(target: str) -> Callable[[], int]:
    """What gives the descriptor of `FILE` or `fd:N`; UsageError when that cannot be written to.

    It is open already, unless it is a named pipe that nobody reads yet: opening that one blocks.
    """
    if target == "-":
        raise UsageError("cannot write events to -", hint="fd:1 is standard output")
    try:
        if target.startswith("fd:"):
            copy = _own_copy(int(target.removeprefix("fd:")))
            return lambda: copy
        descriptor = os.open(target, _FLAGS | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o600)
        os.set_blocking(descriptor, True)
        return lambda: descriptor
    except OSError as error:
        if error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(target).st_mode):
            return lambda: os.open(target, _FLAGS)
        raise UsageError(f"cannot write events to {target}: {error.strerror}") from error
    except (ValueError, OverflowError) as error:
        raise UsageError(f"cannot write events to {target}: it is no descriptor") from error


def _own_copy(number: int) -> int:
    """A copy of a descriptor that the caller has opened. OSError when it is not for writing."""
    descriptor = os.dup(number)
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        os.close(descriptor)
        raise OSError(errno.EBADF, "it is not open for writing")
    return descriptor
