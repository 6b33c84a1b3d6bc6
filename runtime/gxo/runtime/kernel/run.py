"""One run of a job: what its workloads share, and its course from the first to the last act.

    prepare      secret inputs, vars, assets
    workloads    the scheduler's part
    on_failure   of what failed
    finally      in every ending
    close        connections, outputs, workspace

What few jobs need is imported where it is used, so that the others start faster.
"""

import os
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import GxoError, UsageError
from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.job import Job, Workload
from gxo.runtime.kernel.ending import Ending
from gxo.runtime.kernel.graph import link
from gxo.runtime.kernel.instance import STOPPED, WHEN_FAILED
from gxo.runtime.kernel.node import FAILED, RUNNING, Failure, Node
from gxo.runtime.kernel.scheduler import Scheduler
from gxo.runtime.kernel.state import State
from gxo.runtime.kernel.vars import Vars
from gxo.runtime.reporting.logs import Log, workload_ended, workload_failed

if TYPE_CHECKING:
    import asyncio

    from gxo.runtime.bundle import Bundle
    from gxo.runtime.dryrun.forecast import Forecast
    from gxo.runtime.journal.journal import Journal
    from gxo.runtime.kernel.shared import Shared
    from gxo.runtime.lifecycles import Signals
    from gxo.runtime.reporting.watchers import Watcher
    from gxo.runtime.secrets.redact import Redactor
    from gxo.runtime.secrets.use import SecretUse
    from gxo.runtime.settings import Settings
    from gxo.runtime.streams.fused import Fused
    from gxo.runtime.testing.session import Session
    from gxo.runtime.workspace.workspace import Workspace


class Limits:
    """Seconds of grace, as the language page sets them; tests set others.

    cancel: what a module has to end once it is cancelled, unless it says that it needs longer.
    """

    __slots__ = ("cancel", "cleanup", "drain")

    def __init__(self, drain: float = 5.0, cancel: float = 5.0, cleanup: float = 30.0) -> None:
        self.drain = drain
        self.cancel = cancel
        self.cleanup = cleanup


class Run:
    """What one run's workloads share. Templates see it as `_gxo.playbook`: name and run_id.

    nodes: workloads by name, those of blocks once their block has started. units: of the others,
    what starts together. fused: the loops that workloads share. cleaning: `finally` is running.
    last_loss: when it was last told that a stream drops records. testing: of a test, and of what it
    includes, what both share. may_retire: when only its servers are left, whether these may end.
    """

    def __init__(
        self,
        job: Job,
        settings: "Settings",
        bundle: "Bundle | None" = None,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        environment: Mapping[str, str] = os.environ,
        testing: "Session | None" = None,
    ) -> None:
        self.job = job
        self.name = job.name
        self.settings = settings
        self.bundle = bundle
        self.limits = limits or Limits()
        self.environment = environment
        self.testing = testing
        if testing is None and job.test is not None:
            self.testing = job.test.session()
        self.clock = clock or (self.testing.clock if self.testing else Clock())
        if self.testing is not None:
            self.testing.adopt(job)
        self.run_id = os.urandom(8).hex()
        self.strict = settings.strict or job.test is not None  # a test that skips checks passes
        self.workers = settings.workers or max(32, os.cpu_count() or 1)
        self.log = Log(self, settings.log_level, settings.log_format)
        self.bus: Watcher | None = None
        self.journal: Journal | None = None
        self.nodes: dict[str, Node] = {}
        self.add_nodes(job.workloads.values())
        self.fused: dict[object, Fused] = {}
        self.units = link(job.workloads.values(), self.nodes, Failure())
        self.inputs = settings.inputs
        self.vars = Vars(self, job.vars, settings.vars)
        self.state = State(self.nodes)
        self.forecast: Forecast | None = None
        if settings.dry_run:
            from gxo.runtime.dryrun import forecast

            self.forecast = forecast.Forecast(self)
            self.state = self.forecast.state
        self.secret_use: SecretUse | None = None
        self.ending = Ending()
        self.cleaning = False
        self.abandoned: list[asyncio.Task[Any]] = []
        self.started = self.ended_at = self.clock.seconds()
        self.loop: JobLoop
        self.scheduler: Scheduler
        self._origin = self.clock.monotonic()
        self.last_loss = -1.0
        self.source_map: dict[str, Any] | None = None
        self._redactor: Redactor | None = None
        self._workspace: Workspace | None = None
        self._shared: Shared | None = None
        self.signals: Signals | None = None
        self.may_retire: Callable[[], bool] = lambda: True
        self._modules: dict[str, str] | None = None

    # The course

    async def execute(self, loop: JobLoop) -> int:
        """Run the job from start to end and return its exit code.

        UsageError when its folder or its assets cannot be used; then nothing has run.
        """
        self.loop = loop
        self.scheduler = Scheduler(self, loop)
        loop.watch_for_stalls(self.stalled)
        loop.set_exception_handler(self.unhandled)
        if self.bus is not None:
            self.bus.run_started()
        timer = None
        if self.settings.timeout is not None:
            timer = loop.look_on(self.settings.timeout, self._time_out)
        if self.testing is not None:
            self.testing.begin(self)
        try:
            await self._run_workloads()
            if timer is not None:
                timer.cancel()
            if self.job.cleanups:
                from gxo.runtime.kernel.blocks import cleanup

                self.cleaning = True
                loop.watch_for_stalls(self.stalled)  # once more
                await cleanup(self)
        finally:
            await self._close()
        if self.testing is not None:
            self.testing.judge(self)
        if self.journal is not None:
            await self.loop.threads.call(self.journal.finish)
        self.ended_at = self.wall(self.clock.monotonic())
        if self.bus is not None:
            self.bus.run_ended()
        return self.ending.exit_code

    async def _run_workloads(self) -> None:
        scheduler = self.scheduler
        try:
            await self._prepare()
        except UsageError:
            raise
        except GxoError as error:
            self.fail(self.explain(error), error.hint)
            scheduler.stop()
        if not scheduler.stopping:
            await scheduler.run_workloads()
        for node in scheduler.failed:
            if node.spec.on_failure and not self.ending.is_cut_short:
                from gxo.runtime.kernel.blocks import on_failure

                await on_failure(self, node)

    async def _prepare(self) -> None:
        """Everything that is needed before the first workload."""
        if self.job.secrets or self.settings.secret_inputs:
            await self.secrets.prepare(self.vars.resolve)
        else:
            self.vars.resolve()
        if self.job.assets or self.settings.workspace:
            await self.loop.threads.call(self._make_workspace)

    async def _close(self) -> None:
        """Give back what the job holds."""
        if self._shared is not None:
            await self._shared.close()
        if self._workspace is not None or self.job.outputs:
            from gxo.runtime.workspace.layout import leave_workspace

            await self.loop.threads.call(leave_workspace, self, self._workspace)

    # How it ends

    def interrupt(self, number: int) -> None:
        """End the job because of a signal: `finally` still runs, or goes on."""
        self.ending.interrupted = number
        self.cut_short(f"interrupted by {signal.Signals(number).name}")

    def cut_short(self, error: str) -> None:
        """End the job in order, because of what is no workload's failure."""
        self.fail(error)
        self.scheduler.stop()
        if not self.cleaning:
            self.scheduler.cancel_all(STOPPED)

    def stalled(self) -> None:
        """End the job because nothing can ever happen again."""
        from gxo.runtime.kernel.stall import who_waits

        if self.scheduler.stopping and not self.scheduler.running:
            self.loop.stop()  # a defect of ours: there is nothing left to cancel
            return
        self.fail("the job can make no progress: " + "; ".join(who_waits(self.nodes)))
        self.scheduler.stop()
        self.scheduler.cancel_all(STOPPED)

    def fail(self, error: str, hint: str | None = None, *, logged: bool = False) -> None:
        """Keep why the job failed. The text is redacted already. logged: and it has been told."""
        if not logged:
            self.log.write_clean("error", error + (f"\nhint: {hint}" if hint else ""))
        self.ending.errors.append(error)
        if self.bus is not None:
            self.bus.job_failed(error)

    def abandon(self, task: "asyncio.Task[Any]", node: Node) -> None:
        """Leave a task behind that ignores its cancellation."""
        self.abandoned.append(task)
        node.reason = f"{node.cause or STOPPED}; its module ignored that and was abandoned"
        self.log.write_clean("warning", node.reason, node.name)

    def unhandled(self, _loop: object, context: dict[str, Any]) -> None:
        """A task that a module has started and forgotten has failed: that is worth a line."""
        error = context.get("exception")
        text = self.redact(context["message"]) if error is None else self.explain(error)
        self.log.write_clean("warning", f"in the background: {text}")

    def _time_out(self) -> None:
        self.ending.timed_out = True
        self.cut_short(f"the job took longer than its --timeout of {self.settings.timeout:g} s")

    # Workloads

    def add_nodes(self, specs: Iterable[Workload]) -> list[Node]:
        """Add workloads to the run."""
        added = [Node(spec, place) for place, spec in enumerate(specs, len(self.nodes))]
        for node in added:
            self.nodes[node.name] = node
        return added

    def begin(self, node: Node) -> None:
        """The workload's module is about to be called."""
        node.status = RUNNING
        node.started = self.clock.monotonic()
        if self.bus is not None:
            self.bus.workload_started(node)

    def ended(self, node: Node) -> None:
        """The workload is over: log it, and tell those who watch."""
        node.ended = self.clock.monotonic()
        if self.forecast is not None:
            self.forecast.ended(node)
        if node.status == FAILED:
            level = "warning" if node.ignored else "error"
            item = node.failed_item and node.failed_item[0]
            self.log.write_clean(level, workload_failed(self, node), node.name, item)
            if not node.ignored and not node.unit.in_block:
                self.fail(f"workload '{node.name}' failed: {node.error}", logged=True)
            node.drop_failure()  # its traceback holds on to all that the module had in hand
        else:
            level = "warning" if (node.reason or "").startswith(WHEN_FAILED) else "info"
            if self.log.shows(level):
                text = workload_ended(node) if self.forecast is None else self.forecast.told(node)
                self.log.write_clean(level, text, node.name)
        if self.bus is not None:
            self.bus.workload_ended(node)

    def keep(self, node: Node, summary: Any) -> None:
        """Put what the workload returns, and holds no secret that it has read, into the state."""
        if self.forecast is not None:
            summary = self.forecast.kept(node, summary)
        node.summary = summary
        if node.spec.register is not None:
            self.state[node.spec.register] = summary

    def explain(self, error: BaseException) -> str:
        """One redacted sentence for people, with the place in the playbook when it is known."""
        from gxo.runtime.reporting.trace import explain

        return explain(self, error)

    def module_of(self, workload: str) -> str:
        """The name of a workload's module, from the manifest."""
        if self._modules is None:
            from gxo.runtime.bundle import manifest

            workloads = manifest(self.bundle).get("workloads", [])
            self._modules = {entry["name"]: entry["module"] for entry in workloads}
        return self._modules.get(workload, "")

    # Values

    def wall(self, moment: float) -> float:
        """Seconds since 1970 for a moment of the monotonic clock."""
        return self.started + (moment - self._origin)

    def conceal(self, value: Any) -> Any:
        """Data without the secrets of the job, and nothing else changed."""
        return value if self.secret_use is None else self.secret_use.redactor.value(value)

    def redact(self, value: Any) -> Any:
        """A text or nested data as logs and errors may show it."""
        redactor = self._redactor
        if redactor is None:
            from gxo.runtime.secrets.redact import Redactor

            redactor = self._redactor = Redactor()
        return redactor.log_text(value) if isinstance(value, str) else redactor.log_value(value)

    @property
    def secrets(self) -> "SecretUse":
        """Who has read which secret; made when the first one is needed."""
        if self.secret_use is None:
            from gxo.runtime.secrets.use import SecretUse

            self.secret_use = SecretUse(self)
            self._redactor = self.secret_use.redactor
        return self.secret_use

    @property
    def shared(self) -> "Shared":
        """What is opened once a job."""
        if self._shared is None:
            from gxo.runtime.kernel.shared import Shared

            self._shared = Shared(self)
        return self._shared

    @property
    def workspace(self) -> "Workspace":
        """The job's folder; made when it is first asked for."""
        if self._workspace is None:
            self._make_workspace()
        assert self._workspace is not None
        return self._workspace

    def _make_workspace(self) -> None:
        from gxo.runtime.workspace.layout import make_workspace

        self._workspace = make_workspace(self)
