"""Which workload starts when, and what an end means for the others (language, section 6).

Each workload is one task. A task's last act is to tell the scheduler that it is over, and that
starts what waited for it: a count that reaches zero, never a search. The scheduler's own coroutine
only sleeps until all are over or the job has to stop.
"""

import asyncio
from collections.abc import Coroutine
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from gxo.runtime.kernel.background import Background
from gxo.runtime.kernel.graph import descendants, spread_blocks
from gxo.runtime.kernel.instance import (
    CLOSED,
    STOPPED,
    TIMED_OUT,
    UPSTREAM,
    conclude,
    perform,
)
from gxo.runtime.kernel.node import COMPLETED, FAILED, SKIPPED, Node, Unit

if TYPE_CHECKING:
    from gxo.runtime.kernel.restored import Restored
    from gxo.runtime.kernel.run import Run


class Scheduler:
    """Runs the workloads of one job.

    running: workloads that run; background: those of them that the job does not wait for, which
    `--workers` does not count. stopping: nothing new starts. failed: the workloads whose failure is
    fatal, the first one first. defect: an error of ours, which must not leave the job waiting.
    restored: of a resumed job, the workloads that are not to run.
    """

    def __init__(self, run: "Run", loop: asyncio.AbstractEventLoop) -> None:
        self.run = run
        self.loop = loop
        self.running = 0
        self.background = Background()
        self.stopping = False
        self.failed: list[Node] = []
        self.defect: BaseException | None = None
        self.restored: Restored | None = None
        self._unsettled = 0
        self._single: list[tuple[int, Unit]] = []
        self._groups: list[tuple[int, Unit]] = []
        self._wake: asyncio.Future[None] | None = None
        self._compensations: set[asyncio.Task[None]] = set()

    async def run_workloads(self) -> None:
        """Run the playbook's workloads until all are over, or until the job stops and they are."""
        for unit in self.run.units:
            self._unsettled += len(unit.members)
            if not unit.waiting:
                self._push(unit)
        if self.run.journal is not None:
            await self.run.journal.begin(self)
        self._dispatch()
        while (self._unsettled or self.running) and not self.stopping:
            if not self.running:
                self.run.stalled()
                continue
            if self.running == self.background.running and self.run.may_retire():
                self.background.retire(self)
            await self._sleep()
        if self.stopping:
            await self._wind_down()

    async def run_unit(self, unit: Unit) -> None:
        """Run one unit of a block to its end."""
        unit.finished = self.loop.create_future()
        self._start(unit)
        await unit.finished

    def ready(self, node: Node, summary: Any) -> None:
        """A background workload has ended for those that wait for it, though it runs on."""
        if node.ready or node.over or node.cause is not None:
            return
        self.background.ready(node)
        self.stop_timer(node)
        if self.run.secret_use is not None:
            summary = self.run.secret_use.clean(node, summary)
        self.run.keep(node, summary)
        node.ready = True
        self.run.log.write_clean("info", "is ready", node.name)
        if not self.stopping and not node.unit.in_block:
            self.settle(node)
            self._dispatch()
        self.rouse_if_idle()

    def stop(self) -> None:
        """Start nothing more; `run_workloads` then ends what runs."""
        self.stopping = True
        self._rouse()

    def cancel_all(self, cause: str) -> None:
        """Cancel every running workload that is not being cancelled already."""
        for node in self.run.nodes.values():
            self.cancel(node, cause)

    def cancel(self, node: Node, cause: str) -> None:
        """Cancel one workload. If it takes no notice, it is abandoned after the grace time."""
        if node.task is None or node.over or node.cause is not None:
            return
        if cause == CLOSED and node.source and (node.undecided or node.source.finished):
            return  # its `when` comes first, or its module has ended already
        node.cause = cause
        self.stop_timer(node)
        if node.entered:  # or it looks at the cause when it begins
            node.task.cancel()
        node.timer = self.loop.call_later(self.run.limits.cancel, self._abandon, node)

    def start_timer(self, node: Node) -> None:
        """From now on the workload's time-out counts."""
        if (timeout := node.spec.timeout) is not None:
            node.timer = self.loop.call_later(timeout, self._time_out, node)

    def stop_timer(self, node: Node) -> None:
        """The workload's time-out, or the grace time of its cancellation, no longer matters."""
        if node.timer is not None:
            node.timer.cancel()
            node.timer = None

    # Starting

    def _push(self, unit: Unit) -> None:
        heappush(self._groups if len(unit.members) > 1 else self._single, (unit.index, unit))

    def _dispatch(self) -> None:
        """Start what is ready, in playbook order. A group is counted, but never held back."""
        single, groups = self._single, self._groups
        while not self.stopping:
            has_room = bool(single) and self.running - self.background.running < self.run.workers
            if groups and not (has_room and single[0] < groups[0]):
                self._start(heappop(groups)[1])
            elif has_room:
                self._start(heappop(single)[1])
            else:
                return

    def _start(self, unit: Unit) -> None:
        members = [node for node in unit.members if not node.settled]
        if len(members) > 1:
            from gxo.runtime.streams.connect import connect  # start-up: only with streams

            connect(self.run, members)
        unit.running = len(members)
        self.running += len(members)
        for node in members:
            self.background.started(node)
            node.task = self._task(node)
            if node.spec.lifecycle is None:
                self.start_timer(node)

    def _task(self, node: Node) -> asyncio.Task[None]:
        """Its task; that of a reader counts its turns, by which it finds its pace."""
        execution: Coroutine[Any, Any, None] = self._execute(node)
        if node.port is not None:
            from gxo.runtime.host.turns import Turns  # start-up: only with streams

            execution = Turns(execution)
        return self.loop.create_task(execution)

    async def _execute(self, node: Node) -> None:
        node.entered = True
        await perform(self.run, node)
        if self.run.journal is not None and not node.over:
            await self.run.journal.ended(node)
        try:
            self._over(node)
        except BaseException as error:
            self.defect = error
            self._rouse()
            if node.unit.finished is not None and not node.unit.finished.done():
                node.unit.finished.set_exception(error)

    # Ending

    def _over(self, node: Node) -> None:
        """The workload has ended: tell the report, and start what waited for it."""
        if node.over:
            return  # it was abandoned before
        node.over = True
        node.task = None
        if node.timer is not None:
            self.stop_timer(node)
        self.running -= 1
        self.background.ended(node)
        self.run.ended(node)
        unit = node.unit
        unit.running -= 1
        if unit.finished is not None:
            if not unit.running:
                unit.finished.set_result(None)
        elif node.status == FAILED and not node.ignored:
            self.failed.append(node)
            self.stop()
        elif not self.stopping:
            if node.status == FAILED and node.spec.on_failure:
                self.compensate(node)
            else:
                self.settle(node)
            self._dispatch()
        self.rouse_if_idle()

    def settle(self, ended: Node) -> None:
        """It has ended for those that wait for it. What can no longer run ends with it, Pending."""
        if ended.ready and ended.settled:
            return  # when it became ready; what was restored only looks settled
        settled = [ended]
        for node in settled:
            node.settled = True
            self._unsettled -= 1
            passed = node.ready or node.status in (COMPLETED, SKIPPED)
            for follower in node.followers:
                if not passed and follower.blocked_by is None:
                    follower.blocked_by = node
                follower.unit.waiting -= 1
                self._consider(follower.unit, settled)
            for observer in node.observers:
                observer.unit.waiting -= 1
                self._consider(observer.unit, settled)

    def _consider(self, unit: Unit, settled: list[Node]) -> None:
        """Make the unit ready if it can start now; add members that never can to `settled`."""
        if self.restored is not None and unit in self.restored:
            if not unit.waiting:
                self.restored.end(unit, settled)
        elif len(unit.members) == 1:
            node = unit.members[0]
            if node.settled:
                return
            if node.blocked_by is not None:
                self._block(node, settled)
            elif not unit.waiting:
                self._push(unit)
        elif not unit.waiting and not unit.members[0].over:
            spread_blocks(unit.members, self.run.nodes)
            for node in unit.members:
                if node.blocked_by is not None:
                    self._block(node, settled)
            if any(node.blocked_by is None for node in unit.members):
                self._push(unit)

    def _block(self, node: Node, settled: list[Node]) -> None:
        cause = node.blocked_by
        assert cause is not None
        node.settled = True
        node.reason = f"workload '{cause.name}' did not complete"
        settled.append(node)

    def compensate(self, node: Node) -> None:
        """Run `on_failure` of an ignored failure; the workload has ended for others after that."""
        from gxo.runtime.kernel.blocks import on_failure  # start-up: only after a failure

        async def compensate() -> None:
            await on_failure(self.run, node)
            self.running -= 1
            self._compensations.discard(task)
            self.settle(node)
            self._dispatch()
            self.rouse_if_idle()

        self.running += 1
        task = self.loop.create_task(compensate())
        self._compensations.add(task)

    async def _wind_down(self) -> None:
        """End what runs; those that read from what has failed get the time to drain."""
        drain = None
        if self.failed and not self.run.ending.interrupted:
            draining = descendants(self.failed, self.run.nodes)
            for node in self.run.nodes.values():
                if node not in draining:
                    self.cancel(node, STOPPED)
            drain = self.loop.call_later(self.run.limits.drain, self.cancel_all, UPSTREAM)
        else:
            self.cancel_all(STOPPED)
        while self.running:
            await self._sleep()
        if drain is not None:
            drain.cancel()

    def _time_out(self, node: Node) -> None:
        """The workload has taken too long, unless it is to fail for what it reads from anyway."""
        from gxo.runtime.streams.connect import upstream_failure  # start-up: only with time-outs

        self.cancel(node, UPSTREAM if upstream_failure(node) else TIMED_OUT)

    def _abandon(self, node: Node) -> None:
        """The module has ignored its cancellation: go on without it."""
        if node.over or node.task is None:
            return
        if (left := node.patience - self.loop.time()) > 0:
            node.timer = self.loop.call_later(left, self._abandon, node)
            return
        conclude(self.run, node, asyncio.CancelledError())
        self.run.abandon(node.task, node)
        if node.port is not None or node.source is not None or node.rejects is not None:
            from gxo.runtime.streams.connect import finish  # start-up: only with streams

            finish(node)
        self._over(node)

    # Waiting

    async def _sleep(self) -> None:
        self._wake = self.loop.create_future()
        try:
            await self._wake
        finally:
            self._wake = None
        if self.defect is not None:
            raise self.defect

    def rouse_if_idle(self) -> None:
        if self.running == self.background.running:
            self._rouse()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
