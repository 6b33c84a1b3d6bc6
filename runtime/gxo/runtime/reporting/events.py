"""`--events`: what happens in a run, as lines of JSON for another program.

    {"event": "WorkloadStart", "time": "2026-01-31T12:00:03.120Z", "run_id": "4c0f9e17",
     "sequence": 7, "workload": "fetch", "module": "http:request"}

Writing never holds the job up: a thread does it, and when the reader is so slow that the buffer is
full, events are dropped and counted, and that is said at most once a second. Lines are made in the
job's own thread, for some microseconds each: the one that writes shares Python's lock with it, so
it could not keep up with many short workloads, and would have to drop what a disk can take.
"""

import json
from typing import TYPE_CHECKING, Any

from gxo.runtime.host.clock import rfc3339
from gxo.runtime.kernel.node import PENDING, RUNNING
from gxo.runtime.reporting.lines import LineWriter
from gxo.runtime.reporting.watchers import Watcher, outcome

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

_encode = json.JSONEncoder(ensure_ascii=False).encode


class EventLog(Watcher):
    """Writes the events of one run. dropped: events that are lost, as far as is known.

    docs/events.schema.json says what each event and each of its fields is.
    """

    def __init__(self, run: "Run", writer: LineWriter) -> None:
        self.dropped = 0
        self._run = run
        self._writer = writer
        self._sequence = 0
        self._told = -1.0
        self._over = False

    def run_started(self) -> None:
        run = self._run
        self._put(
            "PlaybookStart",
            playbook=run.name,
            workloads=len(run.job.workloads),
            dry_run=run.settings.dry_run,
        )

    def run_ended(self) -> None:
        run = self._run
        for node in run.nodes.values():
            if node.status == PENDING:
                self._workload_over(node)
        self._put(
            "PlaybookEnd",
            playbook=run.name,
            status=run.ending.status,
            error=self._redacted(run.ending.error),
            duration_ms=_milliseconds(run.ended_at - run.started),
            events_dropped=self.dropped,
        )

    def workload_started(self, node: "Node") -> None:
        self._status_changed(node, PENDING)
        module = self._run.module_of(node.name)
        self._put("WorkloadStart", workload=node.name, module=module)

    def workload_ended(self, node: "Node") -> None:
        self._status_changed(node, PENDING if node.started is None else RUNNING)
        self._workload_over(node)

    def workload_restored(self, node: "Node") -> None:
        self._status_changed(node, PENDING)
        self._workload_over(node)

    def module_started(self, context: "Context") -> None:
        self._module("ModuleExecutionStart", context)

    def module_ended(self, context: "Context", error: BaseException | None) -> None:
        status, text = outcome(self._run, error)
        self._module("ModuleExecutionEnd", context, status=status, error=text)

    def record_failed(self, node: "Node", number: int, error: str) -> None:
        self._put("RecordErrorOccurred", workload=node.name, number=number, error=error)

    def job_failed(self, error: str) -> None:
        self._put("FatalErrorOccurred", error=self._redacted(error))

    def secret_read(self, node: "Node", key: str) -> None:
        is_workload = self._run.nodes.get(node.name) is node
        self._put("SecretAccessed", workload=node.name if is_workload else None, key=key)

    def events_dropped(self) -> int:
        return self.dropped

    def close(self, grace: float) -> None:
        self.dropped += self._writer.close(grace)
        if self._writer.failure is not None:
            self._warn(f"events could not be written: {self._writer.failure}")
        if self.dropped:
            self._warn(f"{self.dropped} of {self._sequence} events were dropped")

    def _status_changed(self, node: "Node", before: str) -> None:
        self._put("WorkloadStatusChanged", workload=node.name, before=before, after=node.status)

    def _workload_over(self, node: "Node") -> None:
        duration = None
        if node.started is not None and node.ended is not None:
            duration = _milliseconds(node.ended - node.started)
        self._put(
            "WorkloadEnd",
            workload=node.name,
            status=node.status,
            reason=self._redacted(node.reason),
            error=self._redacted(node.error),
            ignored=node.ignored,
            attempts=node.attempts,
            iterations=node.iterations,
            duration_ms=duration,
            records_in=node.records_in,
            records_out=node.records_out,
            record_errors=node.record_errors,
            records_dropped=node.records_dropped,
        )

    def _module(self, event: str, context: "Context", **more: Any) -> None:
        self._put(
            event,
            workload=context.workload,
            module=context.module,
            attempt=context.attempt,
            iteration=context.iteration,
            **more,
        )

    def _redacted(self, text: str | None) -> str | None:
        """Once more: the job may know more secrets than when the text was made."""
        return None if text is None else self._run.redact(text)

    def _put(self, event: str, **fields: Any) -> None:
        """Put one event into the buffer, or drop it. The last one of all always fits."""
        if self._over:
            return
        self._over = event == "PlaybookEnd"
        self._sequence += 1
        time, run_id = rfc3339(self._run.clock.seconds()), self._run.run_id
        head = f'{{"event": "{event}", "time": "{time}", "run_id": "{run_id}"'
        line = f'{head}, "sequence": {self._sequence}, {_encode(fields)[1:]}\n'
        if not self._writer.put(line.encode("utf-8", "backslashreplace"), always=self._over):
            self._drop()

    def _drop(self) -> None:
        """Count it, and say so at most once a second."""
        self.dropped += 1
        now = self._run.clock.monotonic()
        if self._told < 0 or now - self._told >= 1.0:
            self._told = now
            why = "can no longer be written" if self._writer.failure else "are read too slowly"
            self._warn(f"events {why}: {self.dropped} dropped so far")

    def _warn(self, message: str) -> None:
        self._run.log.write_clean("warning", message)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
