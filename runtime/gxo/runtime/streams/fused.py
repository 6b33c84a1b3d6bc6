"""Workloads whose streams are fused: one loop takes each record through all of them.

    @job.pipeline(
        job.member("parse", lambda ctx: batches(ctx, path="rows.jsonl", format_="jsonl")),
        job.member("active", summary=filtered),
        job.member("totals", lambda ctx, out: Totals(ctx, out, aggregate_fields=[...])),
    )
    async def parse_to_totals(parse: Stage, active: Stage, totals: Stage) -> None:
        async for batch in parse.read():
            passed: list[Record] = []
            for record in active.each(batch):
                ...
            await totals.add(passed)

Each member stays a workload like any other: its task, time-out, failure and result are its own, and
between two of them there is a stream. Only no record goes through it: the loop, a task of its own,
begins once all members are there, and counts on these streams what it takes from one stage to the
next. So an end means what it always means:

    the loop is done        each member returns its summary once the stream before it has ended
    a stage fails           its member does; those behind it meet the failure on their streams
    a limit is reached      its member returns; those before it do if they had no more to give, and
                            else are closed, as nobody reads them
    a member is cancelled   it ends the loop first
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gxo.runtime.host.turns import Turns
from gxo.runtime.streams.ports import Inputs, Out, Records
from gxo.runtime.streams.stages import Stage

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.job import Member
    from gxo.runtime.kernel.run import Run

Loop = Callable[..., Any]


async def take_part(
    ctx: "Context",
    loop: Loop,
    members: "Sequence[Member]",
    place: int,
    port: Records | Inputs | None,
    out: Out | None,
) -> Any:
    """The call of the member at that place: its summary, once the loop has done its part."""
    member = members[place]
    if member.module is None or not ctx.dry_run:
        return await _part(ctx, loop, members, place, port, out)
    from gxo.runtime.dryrun.calls import foresee_part  # start-up: only in a dry run

    return await foresee_part(member.module, ctx, _part(ctx, loop, members, place, port, out))


async def _part(
    ctx: "Context",
    loop: Loop,
    members: "Sequence[Member]",
    place: int,
    port: Records | Inputs | None,
    out: Out | None,
) -> Any:
    run = ctx.playbook
    fused = run.fused.get(loop)
    if fused is None:
        fused = run.fused[loop] = Fused(run, loop, members)
    stage = fused.stages[place]
    try:
        stage.begin(ctx, members[place], port, out)
        fused.arrived()
        return await stage.result()
    finally:
        await fused.stop()
        await stage.close()
        if fused.left():
            del run.fused[loop]  # and all that the stages hold: texts, lists, groups


class Fused:
    """The loop of one pipeline in one run.

    is_over: it has ended, in whatever way. stopping: a member has ended before it has. at: the
    stage that the loop has come to.
    """

    def __init__(self, run: "Run", loop: Loop, members: "Sequence[Member]") -> None:
        self.is_over = False
        self.stopping = False
        self.stages: list[Stage] = []
        for member in members:
            before = self.stages[-1] if self.stages else None
            self.stages.append(Stage(self, run.nodes[member.workload.name], before))
        self.at = self.stages[0]
        self._loop = loop
        self._missing = len(members)
        self._staying = len(members)
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether a limit is reached, so that nothing more is to be read."""
        return any(stage.is_full for stage in self.stages)

    def arrived(self) -> None:
        """A member is there; once all are, the loop begins."""
        self._missing -= 1
        if not self._missing and not self.stopping:
            self._task = asyncio.get_running_loop().create_task(Turns(self._run()))

    def left(self) -> bool:
        """A member has ended. Returns whether it was the last one."""
        self._staying -= 1
        return not self._staying

    def count(self) -> None:
        """Note on the streams between the stages how many records have passed."""
        for stage in self.stages[1:]:
            stage.note()

    async def stop(self) -> None:
        """See to it that the loop has ended, or never begins."""
        if self.is_over:
            return
        self.stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        """The loop's task. Whatever happens in it, the members learn that it is over."""
        try:
            try:
                await self._loop(*self.stages)
            except BaseException as error:
                self._blame(self.at, error)
            for stage in self.stages:
                try:
                    await stage.close_batches()
                    await stage.settle()
                except BaseException as error:
                    self._blame(stage, error)
        finally:
            self.count()
            self.is_over = True
            for stage in self.stages:
                stage.wake()

    def _blame(self, stage: Stage, error: BaseException) -> None:
        """The stage has failed, unless another one has before, or the loop is to stop anyway."""
        if not self.stopping and all(one.failure is None for one in self.stages):
            stage.failure = error
