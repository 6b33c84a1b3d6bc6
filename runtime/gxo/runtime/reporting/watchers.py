"""Who is told while a job runs: each of them looks on, and none can hold it up.

    --events        events.EventLog          writes lines of JSON
    OTEL_* is set   otel.Traces              makes spans
    --report-html   html.attempts.Attempts   remembers who ran when
    a terminal      progress.Progress        shows who runs
    `gxo test`      testing.outcome.Outcome  tells what a test does

`Run.bus` is None when nobody looks on, else one of these, or all of them behind one `Watchers`.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from gxo.runtime.kernel.node import CANCELLED, COMPLETED, FAILED

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.pipelines.steps import Step

T = TypeVar("T")


class Watcher:
    """What can be watched. A watcher overrides what it wants to know; it never waits or raises.

    All texts that it is given are redacted. A task that was left behind may still be heard after
    `run_ended`.
    """

    def included(self, run: "Run") -> "Watcher | None":  # noqa: ARG002 - for the one that does
        """Who looks on as the playbook that a test includes runs."""
        return None

    async def calling(self, context: "Context", call: Awaitable[T]) -> T:
        """Wait for a module's call, one attempt, and tell of its start and end."""
        self.module_started(context)
        error: BaseException | None = None
        try:
            return await call
        except BaseException as raised:
            error = raised
            raise
        finally:
            if not context.is_over:
                self.module_ended(context, error)
            error = None  # or it would hold on to itself, through its traceback

    def run_started(self) -> None:
        """Nothing has run yet."""

    def run_ended(self) -> None:
        """All is over, `finally` too."""

    def workload_started(self, node: "Node") -> None:
        """The workload's `when` holds and its module is about to be called."""

    def workload_ended(self, node: "Node") -> None:
        """The workload has its final status; without a start when it was skipped, say."""

    def workload_restored(self, node: "Node") -> None:
        """The workload has ended in the job that is resumed."""

    def module_started(self, context: "Context") -> None:
        """An attempt begins."""

    def module_ended(self, context: "Context", error: BaseException | None) -> None:
        """An attempt has ended, by this error if any. Not told of one that was abandoned."""

    def watched(
        self,
        node: "Node",  # noqa: ARG002 - for the one that watches them
        steps: "Mapping[str, Step]",
    ) -> "Mapping[str, Step]":
        """The steps of a pipeline as they are to be run, which may tell what is decided of them."""
        return steps

    def record_failed(self, node: "Node", number: int, error: str) -> None:
        """A record could not be processed."""

    def job_failed(self, error: str) -> None:
        """The job has failed, or failed once more, because of this."""

    def secret_read(self, node: "Node", key: str) -> None:
        """A workload, or a var, reads the secret of that name for the first time."""

    def span_ids(
        self,
        workload: str | None,  # noqa: ARG002 - for the one that has spans
        iteration: int | None,  # noqa: ARG002
        attempt: int | None,  # noqa: ARG002
    ) -> dict[str, str]:
        """`trace_id` and `span_id` for a log line about this; empty without traces."""
        return {}

    def for_children(self, context: "Context") -> dict[str, str]:  # noqa: ARG002
        """The environment variables that make what a command does part of the attempt."""
        return {}

    def events_dropped(self) -> int:
        """Events that were not passed on, so far."""
        return 0

    def close(self, grace: float) -> None:
        """The loop has ended. Pass on what waits, for at most `grace` seconds."""


class Watchers(Watcher):
    """Passes everything on to several."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._all = watchers

    def included(self, run: "Run") -> Watcher | None:
        found = [one for watcher in self._all if (one := watcher.included(run)) is not None]
        return Watchers(found) if found else None

    def run_started(self) -> None:
        for watcher in self._all:
            watcher.run_started()

    def run_ended(self) -> None:
        for watcher in self._all:
            watcher.run_ended()

    def workload_started(self, node: "Node") -> None:
        for watcher in self._all:
            watcher.workload_started(node)

    def workload_ended(self, node: "Node") -> None:
        for watcher in self._all:
            watcher.workload_ended(node)

    def workload_restored(self, node: "Node") -> None:
        for watcher in self._all:
            watcher.workload_restored(node)

    def module_started(self, context: "Context") -> None:
        for watcher in self._all:
            watcher.module_started(context)

    def module_ended(self, context: "Context", error: BaseException | None) -> None:
        for watcher in self._all:
            watcher.module_ended(context, error)

    def watched(self, node: "Node", steps: "Mapping[str, Step]") -> "Mapping[str, Step]":
        for watcher in self._all:
            steps = watcher.watched(node, steps)
        return steps

    def record_failed(self, node: "Node", number: int, error: str) -> None:
        for watcher in self._all:
            watcher.record_failed(node, number, error)

    def job_failed(self, error: str) -> None:
        for watcher in self._all:
            watcher.job_failed(error)

    def secret_read(self, node: "Node", key: str) -> None:
        for watcher in self._all:
            watcher.secret_read(node, key)

    def span_ids(
        self, workload: str | None, iteration: int | None, attempt: int | None
    ) -> dict[str, str]:
        found = (watcher.span_ids(workload, iteration, attempt) for watcher in self._all)
        return next(filter(None, found), {})

    def for_children(self, context: "Context") -> dict[str, str]:
        found = (watcher.for_children(context) for watcher in self._all)
        return next(filter(None, found), {})

    def events_dropped(self) -> int:
        return sum(watcher.events_dropped() for watcher in self._all)

    def close(self, grace: float) -> None:
        for watcher in self._all:
            watcher.close(grace)


def outcome(run: "Run", error: BaseException | None) -> tuple[str, str | None]:
    """An attempt's status, and what its error says when it has failed."""
    if isinstance(error, asyncio.CancelledError):
        return CANCELLED, None
    if isinstance(error, (Exception, SystemExit, KeyboardInterrupt)):
        return FAILED, run.explain(error)
    return COMPLETED, None  # also when its consumers have closed
