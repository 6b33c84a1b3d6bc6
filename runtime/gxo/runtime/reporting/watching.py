"""Starts and ends what watches a run; imported only when something may.

watching = Watching(run)     before the job's loop is made: the threads that begin here are then
watching.attend(loop)        no sign to it that the job makes progress
watching.end()               after the loop has ended
"""

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gxo.runtime.reporting.watchers import Watcher, Watchers

if TYPE_CHECKING:
    from gxo.runtime.host.eventloop import JobLoop
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.reporting.html.attempts import Attempts
    from gxo.runtime.reporting.progress import Progress


class Watching:
    """All that the run's options, its environment and its terminal ask for.

    attempts: who ran when, for the report's page.
    """

    def __init__(self, run: "Run") -> None:
        """UsageError when it is not possible; then nothing has begun."""
        self._run = run
        self.attempts = _attempts(run)
        self._progress = _progress(run)
        with ExitStack() as stack:
            if run.settings.metrics_listen is not None:
                from gxo.runtime.reporting.metrics_server import MetricsServer

                server = MetricsServer(run, *run.settings.metrics_listen)
                stack.callback(server.close)
                run.log.write_clean("info", f"metrics: {server.url}")
            found = (run.bus, self._progress, self.attempts, _events(run), _traces(run))
            watchers = [one for one in found if one is not None]
            if watchers:
                run.bus = Watchers(watchers) if len(watchers) > 1 else watchers[0]
                stack.callback(run.bus.close, run.limits.cancel)
            self._stack = stack.pop_all()

    def attend(self, loop: "JobLoop") -> None:
        """The loop is about to run."""
        if self._progress is not None:
            self._run.log.progress = self._progress
            loop.limit_waits(self._progress.paint_when_due)

    def end(self) -> None:
        """Pass on what waits, and end all."""
        self._stack.close()


def _events(run: "Run") -> Watcher | None:
    if run.settings.events is None:
        return None
    from gxo.runtime.reporting.events import EventLog
    from gxo.runtime.reporting.lines import LineWriter, open_target

    return EventLog(run, LineWriter(open_target(run.settings.events)))


def _traces(run: "Run") -> Watcher | None:
    if not any(name.startswith("OTEL_") for name in run.environment):
        return None
    from gxo.runtime.reporting.otel import start

    return start(run)


def _attempts(run: "Run") -> "Attempts | None":
    if run.settings.report_html is None:
        return None
    from gxo.runtime.reporting.html.attempts import Attempts

    return Attempts(run)


def _progress(run: "Run") -> "Progress | None":
    if not run.log.is_for_people or _shows_events(run):
        return None
    from gxo.runtime.reporting.progress import Progress

    return Progress(run, run.log.stream)


def _shows_events(run: "Run") -> bool:
    """Whether events go to a terminal, where they would be written into the line."""
    target = run.settings.events
    return target in ("fd:1", "fd:2") and os.isatty(int(target.removeprefix("fd:")))
