"""Who is told while a job runs. They look on, and none can hold the job up.

    --events        events.Bus               writes lines of JSON
    --report-html   html.attempts.Attempts   remembers who ran when
    a terminal      progress.Progress        shows who runs

Not imported when nobody looks on; `Run.bus` is None then.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.host.eventloop import JobLoop
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.reporting.events import Bus
    from gxo.runtime.reporting.html.attempts import Attempts
    from gxo.runtime.reporting.progress import Progress


class Watcher:
    """What can be watched; a watcher overrides what it wants to know."""

    def emit(self, event: str, **fields: Any) -> None:
        """Something has happened that is an event and nothing else."""

    def module_started(self, context: "Context") -> None:
        """An attempt begins."""

    def module_ended(self, context: "Context") -> None:
        """An attempt has ended."""

    def workload_started(self, node: "Node") -> None:
        """The workload's `when` holds and its module is about to be called."""

    def workload_ended(self, node: "Node") -> None:
        """The workload is over."""


class Watchers(Watcher):
    """All those that a run's settings, and where its log goes, ask for."""

    def __init__(self, run: "Run") -> None:
        """To be made before the loop is. UsageError when there is no writing to `--events`."""
        self.bus = _bus(run)
        self.attempts = _attempts(run)
        self.progress = _progress(run)
        found = (self.bus, self.attempts, self.progress)
        self._all: list[Watcher] = [one for one in found if one is not None]

    def attend(self, run: "Run", loop: "JobLoop") -> None:
        """Look on from now on."""
        run.bus = self
        if self.progress is not None:
            run.log.progress = self.progress
            loop.limit_waits(self.progress.paint_when_due)

    def leave(self, run: "Run") -> None:
        """The loop is over: show and write what is left."""
        if self.progress is not None:
            self.progress.end()
        if self.bus is not None:
            self.bus.close(run.limits.cancel)

    def emit(self, event: str, **fields: Any) -> None:
        for watcher in self._all:
            watcher.emit(event, **fields)

    def module_started(self, context: "Context") -> None:
        for watcher in self._all:
            watcher.module_started(context)

    def module_ended(self, context: "Context") -> None:
        for watcher in self._all:
            watcher.module_ended(context)

    def workload_started(self, node: "Node") -> None:
        for watcher in self._all:
            watcher.workload_started(node)

    def workload_ended(self, node: "Node") -> None:
        for watcher in self._all:
            watcher.workload_ended(node)


def _bus(run: "Run") -> "Bus | None":
    if run.settings.events is None:
        return None
    from gxo.runtime.reporting.events import Bus, open_target

    return Bus(run, open_target(run.settings.events))


def _attempts(run: "Run") -> "Attempts | None":
    if run.settings.report_html is None:
        return None
    from gxo.runtime.reporting.html.attempts import Attempts

    return Attempts(run)


def _progress(run: "Run") -> "Progress | None":
    if not run.log.is_for_people:
        return None
    from gxo.runtime.reporting.progress import Progress

    return Progress(run, run.log.stream)
