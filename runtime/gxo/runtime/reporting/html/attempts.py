"""Who ran when: the attempts of every workload, remembered for the page's timeline.

fetch: attempt 1 of iteration 0 from 0.1 s to 0.4 s, attempt 2 of it from 1.4 s to 1.5 s, ...
"""

from typing import TYPE_CHECKING

from gxo.runtime.reporting.watchers import Watcher

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.run import Run

MOST = 200
"""Attempts that are remembered of one workload: more could not be told apart in a bar."""


class Span:
    """One attempt. start, end: seconds of the job's monotonic clock; no end while it runs."""

    __slots__ = ("attempt", "end", "iteration", "start")

    def __init__(self, attempt: int, iteration: int | None, start: float) -> None:
        self.attempt = attempt
        self.iteration = iteration
        self.start = start
        self.end: float | None = None


class Attempts(Watcher):
    """Remembers the first `MOST` attempts of each workload. spans: by workload."""

    def __init__(self, run: "Run") -> None:
        self.spans: dict[str, list[Span]] = {}
        self._clock = run.clock

    def module_started(self, context: "Context") -> None:
        spans = self.spans.setdefault(context.workload, [])
        if len(spans) < MOST:
            spans.append(Span(context.attempt, context.iteration, self._clock.monotonic()))

    def module_ended(self, context: "Context", _error: BaseException | None) -> None:
        for span in reversed(self.spans[context.workload]):
            if (span.attempt, span.iteration) == (context.attempt, context.iteration):
                span.end = self._clock.monotonic()
                return
