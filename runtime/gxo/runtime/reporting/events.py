"""`--events`: what happens in a run, as lines of JSON for another program.

The bus never holds the job up: a thread writes, and when the reader is so slow that the buffer is
full, events are dropped and counted, and that is said at most once a second.
"""

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import UsageError
from gxo.runtime.host.clock import rfc3339
from gxo.runtime.jsontext import to_json
from gxo.runtime.reporting.watchers import Watcher

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

MOST_WAITING = 10_000
"""Events that may wait to be written."""


class Bus(Watcher):
    """Writes the events of one run. dropped: events that found the buffer full."""

    def __init__(self, run: "Run", descriptor: int, most_waiting: int = MOST_WAITING) -> None:
        """Takes over the descriptor of what the events are written to."""
        self.dropped = 0
        self._run = run
        self._descriptor = descriptor
        self._most = most_waiting
        self._lines: deque[bytes] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._failure: str | None = None
        self._warned = -1.0
        self.thread = threading.Thread(target=self._write, name="gxo-events", daemon=True)
        self.thread.start()

    def emit(self, event: str, **fields: Any) -> None:
        """Put one event into the buffer, redacted. Never waits."""
        if len(self._lines) >= self._most:
            self._drop()
            return
        head = {"event": event, "time": rfc3339(self._run.clock.seconds())}
        entry = {**head, "run_id": self._run.run_id, **self._run.redact(fields)}
        with self._ready:
            self._lines.append(to_json(entry).encode("utf-8", "backslashreplace") + b"\n")
            self._ready.notify()

    def module_started(self, context: "Context") -> None:
        self._module("ModuleExecutionStart", context)

    def module_ended(self, context: "Context") -> None:
        self._module("ModuleExecutionEnd", context)

    def workload_started(self, node: "Node") -> None:
        self.emit("WorkloadStatusChanged", workload=node.name, before="Pending", after=node.status)
        self.emit("WorkloadStart", workload=node.name)

    def workload_ended(self, node: "Node") -> None:
        before = "Pending" if node.started is None else "Running"
        self.emit("WorkloadStatusChanged", workload=node.name, before=before, after=node.status)
        self.emit("WorkloadEnd", workload=node.name, status=node.status, error=node.error)

    def close(self, grace: float) -> None:
        """Write what waits, for at most `grace` seconds. Blocks."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self.thread.join(grace)
        if self._failure is not None:
            self._run.log.write_clean("warning", f"events could not be written: {self._failure}")

    def _module(self, event: str, context: "Context") -> None:
        self.emit(
            event,
            workload=context.workload,
            module=context.module,
            attempt=context.attempt,
            iteration=context.iteration,
        )

    def _drop(self) -> None:
        self.dropped += 1
        now = self._run.clock.monotonic()
        if now - self._warned >= 1.0:
            self._warned = now
            self._run.log.write_clean(
                "warning", f"events are read too slowly: {self.dropped} dropped so far"
            )

    def _write(self) -> None:
        """The thread: write lines until the bus is closed, or nobody reads them any more."""
        try:
            while line := self._next():
                while line:
                    line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            self._failure = error.strerror
            self._most = 0  # the rest is dropped
            self._lines.clear()
        finally:
            os.close(self._descriptor)

    def _next(self) -> bytes:
        with self._ready:
            while not self._lines and not self._closed:
                self._ready.wait()
            return self._lines.popleft() if self._lines else b""


def open_target(target: str) -> int:
    """A descriptor for `--events FILE|fd:N`; UsageError when it cannot be written to."""
    try:
        if target.startswith("fd:"):
            return os.dup(int(target.removeprefix("fd:")))
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        return os.open(target, flags, 0o600)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no number"
        raise UsageError(f"cannot write events to {target}: {reason}") from error
