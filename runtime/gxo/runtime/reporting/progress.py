"""One line at the foot of a terminal that shows that the job goes on, and what it is at.

    12:00:03 info     login: completed in 120 ms
    0:12  4 of 9  fetch 1,200 records, parse 1,180 records

It is painted by the event loop just before it waits, which it then does for no longer than until
the next paint. So there is no timer that would hide a stall, and no thread that the log would have
to be locked against; and a module that blocks the loop shows as a line that stands still.
"""

import os
import select
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from gxo.runtime.reporting.logs import PLAIN, wants_colours, write_out
from gxo.runtime.reporting.text import fit
from gxo.runtime.reporting.watchers import Watcher

if TYPE_CHECKING:
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

DELAY = 0.5  # seconds that a job runs before the line appears: a short one needs none
INTERVAL = 0.1
MOST_NAMED = 100  # workloads: more fit on no terminal
ERASE = "\r\x1b[K"
DIM = "\x1b[2m"


class Progress(Watcher):
    """Paints the line of one run."""

    def __init__(self, run: "Run", stream: TextIO) -> None:
        self._run = run
        self._stream = stream
        self._dim = wants_colours(stream)
        self._running: dict[Node, None] = {}
        self._ended = 0
        self._is_shown = False
        self._began = run.clock.monotonic()
        self._due = self._began + DELAY

    def workload_started(self, node: "Node") -> None:
        self._running[node] = None

    def workload_ended(self, node: "Node") -> None:
        self._running.pop(node, None)
        self._ended += 1

    def workload_restored(self, node: "Node") -> None:  # noqa: ARG002 - only how many
        self._ended += 1

    def paint_when_due(self, timeout: float | None) -> float:
        """Paint if it is time to. Takes how long the loop would wait, returns how long it may."""
        now = self._run.clock.monotonic()
        if now >= self._due:
            self._due = now + INTERVAL
            self._paint(now)
        left = self._due - now
        return left if timeout is None or timeout > left else timeout

    def erased(self) -> str:
        """What to write before anything else: it takes the line away until the next paint."""
        if not self._is_shown:
            return ""
        self._is_shown = False
        return ERASE

    def erase_at_once(self) -> None:
        """Take the line away in a signal handler, just before the process ends.

        Past the stream, which may be in the middle of a write; and not where that would block.
        """
        descriptor = self._stream.fileno()
        if self._is_shown and select.select([], [descriptor], [], 0)[1]:
            with suppress(OSError):  # the terminal is gone
                os.write(descriptor, ERASE.encode())

    def close(self, _grace: float) -> None:
        """Take the line away for good."""
        self._due = float("inf")
        write_out(self._stream, self.erased())

    def _paint(self, now: float) -> None:
        text = fit(self._text(now - self._began), _columns(self._stream) - 1)
        encoding = self._stream.encoding or "utf-8"
        text = text.encode(encoding, "replace").decode(encoding)
        line = f"{DIM}{text}{PLAIN}" if self._dim else text
        self._is_shown = True
        if not write_out(self._stream, ERASE + line):
            self._due = float("inf")

    def _text(self, seconds: float) -> str:
        minutes, second = divmod(int(seconds), 60)
        hours, minute = divmod(minutes, 60)
        elapsed = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
        names = ", ".join(islice(self._names(), MOST_NAMED))
        return f"{elapsed}  {self._ended} of {len(self._run.nodes)}  {names}"

    def _names(self) -> Iterator[str]:
        """Yield the running workloads with the records that they have read or sent so far."""
        for node in self._running:
            sent = node.source.records_out if node.source is not None else 0
            read = node.port.records_in if node.port is not None else 0
            count = max(sent, read)
            yield f"{node.name} {count:,} record{'' if count == 1 else 's'}" if count else node.name


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80
