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
    a limit is reached      its member returns; those before it are closed, as nobody reads them
    a member is cancelled   it ends the loop first
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from operator import length_hint
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import Unknown
from gxo.runtime.host.turns import Turns
from gxo.runtime.spec import Record
from gxo.runtime.streams.paced import Paced
from gxo.runtime.streams.ports import RECORDS_A_TURN, Inputs, Out, Records

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.job import Member
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

Batch = list[Record]
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

    is_over: it has ended, in whatever way; is_done: and all records have been through it, or as
    many as a limit takes. stopping: a member has ended before it has.
    """

    def __init__(self, run: "Run", loop: Loop, members: "Sequence[Member]") -> None:
        self.is_over = False
        self.is_done = False
        self.stopping = False
        self.stages: list[Stage] = []
        for member in members:
            before = self.stages[-1] if self.stages else None
            self.stages.append(Stage(self, run.nodes[member.workload.name], before))
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

    async def stop(self) -> None:
        """See to it that the loop has ended, or never begins."""
        if self.is_over:
            return
        self.stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            await self._loop(*self.stages)
        except BaseException as error:
            self.blame(self.stages[0], error)
        for stage in self.stages:
            with stage:
                await stage.close_batches()
        self.count()
        self.is_over = True
        self.is_done = not self.stopping and all(stage.failure is None for stage in self.stages)
        for stage in self.stages:
            stage.wake()

    def blame(self, stage: "Stage", error: BaseException) -> None:
        """The stage has failed, unless another one has before, or the loop is to stop anyway."""
        if not self.stopping and all(one.failure is None for one in self.stages):
            stage.failure = error

    def count(self) -> None:
        """Note on the streams between the stages how many records have passed."""
        for stage in self.stages[1:]:
            stage.note()


class Stage:
    """What the loop sees of one member.

    ctx: its context. dropped: records that the loop's own code has left out between this stage and
    the next. failure: the error that the member is to fail with.

    Used as a context manager, it is to blame for what is raised inside.
    """

    __slots__ = (
        "_before",
        "_behind",
        "_fused",
        "_items",
        "_kernel",
        "_most",
        "_node",
        "_open",
        "_out",
        "_over",
        "_port",
        "_sent",
        "_size",
        "_summary",
        "_taken",
        "ctx",
        "dropped",
        "failure",
    )

    ctx: "Context"

    def __init__(self, fused: Fused, node: "Node", before: "Stage | None") -> None:
        self.dropped = 0
        self.failure: BaseException | None = None
        self._fused = fused
        self._node = node
        self._before = before
        self._behind: Stage | None = None
        if before is not None:
            before._behind = self
        self._kernel: Any = None
        self._summary: Callable[[int, int, int], Any] | None = None
        self._port: Records | Inputs | None = None
        self._out: Out | None = None
        self._over = asyncio.Event()
        self._open: list[AsyncGenerator[Batch, None]] = []
        self._most = 1
        self._taken = 0  # records of the batches before
        self._size = 0
        self._items: Iterator[Record] = iter(())
        self._sent = 0

    # What the loop does

    def read(self) -> AsyncIterator[Batch]:
        """The records that come into the loop, in batches that do not hold up others for long."""
        reading = self._read()
        self._open.append(reading)
        return reading

    def each(self, batch: Batch) -> Iterator[Record]:
        """The records of a batch one by one. The stage can tell from it how far it has come."""
        self._taken += self._size
        self._size = len(batch)
        self._items = iter(batch)
        return self._items

    async def failed(self, record: Record, error: BaseException) -> None:
        """The record cannot be processed; it is left out, or fails the stage."""
        with self:
            if not isinstance(error, Exception):
                raise error
            await self.ctx.record_failed(record, error, self.received)

    def all(self, batch: Batch) -> Batch:
        """The batch as it is, of a stage that lets all records pass."""
        self._taken += len(batch)
        return batch

    def take(self, batch: Batch) -> Batch:
        """What a limit takes of the batch; then `is_full` says whether it takes no more."""
        self._taken += len(batch)
        taken: Batch = self._kernel.take(batch)
        return taken

    def split(self, batch: Batch) -> AsyncIterator[Batch]:
        """The records that the stage makes of those of a batch, in batches again."""
        self._taken += len(batch)
        splitting = self._split(batch)
        self._open.append(splitting)
        return splitting

    async def add(self, batch: Batch) -> None:
        """Let the last stage process a batch."""
        if batch:
            self._taken += len(batch)
            with self:
                await self._kernel.add(batch)

    async def send(self, batch: Batch) -> None:
        """Send a batch to those who read the last stage's stream."""
        self._sent += len(batch)
        if self._out is not None:
            with self:
                await self._out.send(batch)

    @property
    def is_full(self) -> bool:
        """Whether this is a limit that is reached."""
        return getattr(self._kernel, "is_full", False)

    # What the member does

    def begin(
        self, ctx: "Context", member: "Member", port: Records | Inputs | None, out: Out | None
    ) -> None:
        """The member is there, with its ports."""
        self.ctx = ctx
        self._port = port
        self._out = out
        self._summary = member.summary
        if member.begin is not None:
            ports = {"records": port, "inputs": port, "out": out}
            self._kernel = member.begin(ctx, *(ports[name] for name in member.ports))

    async def result(self) -> Any:
        """The member's summary, once the loop and the stream before it have ended."""
        try:
            try:
                await self._until_over()
            except asyncio.CancelledError:
                if self.failure is None:
                    raise  # else it has failed before its readers closed
            if self.failure is not None:
                raise self.failure
        except Unknown:
            if hasattr(self._kernel, "unknown"):
                self._kernel.unknown()
            raise
        if not self._fused.is_done or self._is_cut_off():
            await asyncio.get_running_loop().create_future()  # it is closed, as nobody reads it
        if self._is_tail:
            return await self._kernel.finish()
        if self._summary is None:
            return {"records": self.sent}
        return self._summary(self.received, self._node.record_errors, self.sent)

    async def close(self) -> None:
        """The member is over: give back what it holds."""
        if self._is_head:
            await self._kernel.aclose()
        elif hasattr(self._kernel, "close"):
            self._kernel.close()

    # What the loop's own task does

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, GeneratorExit):
            self._fused.blame(self, error)

    async def close_batches(self) -> None:
        """Nothing more is read."""
        for batches in self._open:
            await batches.aclose()

    def wake(self) -> None:
        """The loop has ended: let the member look."""
        self._over.set()
        if self._before is not None:
            self._stream.wake()

    def note(self) -> None:
        """Note on the stream before this stage how many records have passed."""
        assert self._before is not None and self._before._node.source is not None
        self._stream.records_in = self._before._node.source.records_out = self.received

    @property
    def received(self) -> int:
        """Records that have come to this stage, the one in hand included."""
        before = self._before
        if self._is_inline and before is not None and before._is_inline:
            return before.received - before._node.record_errors - before.dropped
        return self._taken + self._size - length_hint(self._items)

    @property
    def sent(self) -> int:
        """Records that have gone on to the next stage, or to the readers of the last one."""
        return self._sent if self._behind is None else self._behind.received

    @property
    def _is_inline(self) -> bool:
        """Whether all that it does is code of the loop."""
        return self._kernel is None

    @property
    def _is_head(self) -> bool:
        return isinstance(self._kernel, AsyncGenerator)

    @property
    def _is_tail(self) -> bool:
        return hasattr(self._kernel, "finish")

    @property
    def _stream(self) -> Records:
        """The stream between the stage before this one and this one."""
        port = self._node.port
        assert isinstance(port, Records)
        return port

    async def _read(self) -> AsyncGenerator[Batch, None]:
        batches = self._kernel if self._is_head else self._stream
        unbroken = 0
        if self._fused.is_full:
            return
        with self:
            async for batch in Paced(batches):
                yield batch
                self._fused.count()
                unbroken += len(batch)
                if unbroken >= RECORDS_A_TURN:
                    unbroken = 0
                    await asyncio.sleep(0)

    async def _split(self, batch: Batch) -> AsyncGenerator[Batch, None]:
        with self:
            parts = Paced(self._kernel.split(batch), self._most)
            async for part in parts:
                yield part
            self._most = parts.most

    async def _until_over(self) -> None:
        if self._before is None:
            await self._over.wait()
            return
        stream = self._stream
        while not (self._fused.is_over and (self.failure or self.is_full)) and not stream.ready():
            await stream.changed()

    def _is_cut_off(self) -> bool:
        """Whether a limit behind it is reached."""
        behind = self._behind
        while behind is not None:
            if behind.is_full:
                return True
            behind = behind._behind
        return False
