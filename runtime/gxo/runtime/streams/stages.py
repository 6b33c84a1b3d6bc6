"""One member of a fused loop: what the loop sees of it, and how its own task meets the loop's end.

    head     job.member("parse", lambda ctx: batches(ctx, ...))     parse.read()
    code     job.member("active")                                   active.each(batch), .failed(...)
             job.member("first", lambda ctx: Limit(ctx, ...))       first.take(batch)
             job.member("parts", lambda ctx: Flattening(ctx, ...))  parts.split(batch)
    tail     job.member("totals", lambda ctx, out: Totals(...))     totals.add(batch)

What a stage is, its kernel says (streams.kernels); one that is code of the loop has none.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from operator import length_hint
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import Unknown
from gxo.runtime.spec import Record
from gxo.runtime.streams.kernels import Kernel, Limiter, Splitter, Tail
from gxo.runtime.streams.paced import Paced
from gxo.runtime.streams.ports import Inputs, Out, Records
from gxo.runtime.streams.source import RECORDS_A_TURN
from gxo.runtime.streams.tables import Batch, records_of

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.job import Member
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.streams.fused import Fused


class Stage:
    """What the loop sees of one member.

    ctx: its context. dropped: records that the loop's own code has left out between this stage and
    the next; a number of the loop's own would be no faster, and would have to be told before every
    error. failure: the error that the member is to fail with. has_ended: all that it reads has
    come, and it has done its part, whatever has become of the stages behind it.
    """

    __slots__ = (
        "_before",
        "_behind",
        "_fused",
        "_items",
        "_kernel",
        "_most",
        "_node",
        "_out",
        "_over",
        "_port",
        "_reading",
        "_sent",
        "_size",
        "_source",
        "_splits",
        "_splitting",
        "_summary",
        "_taken",
        "ctx",
        "dropped",
        "failure",
        "has_ended",
    )

    ctx: "Context"

    def __init__(self, fused: "Fused", node: "Node", before: "Stage | None") -> None:
        self.dropped = 0
        self.failure: BaseException | None = None
        self.has_ended = False
        self._fused = fused
        self._node = node
        self._before = before
        self._behind: Stage | None = None
        if before is not None:
            before._behind = self
        self._kernel: Kernel | None = None
        self._source: _Source | None = None
        self._summary: Callable[[int, int, int], Any] | None = None
        self._port: Records | Inputs | None = None
        self._out: Out | None = None
        self._over = asyncio.Event()
        self._reading: AsyncGenerator[Batch, None] | None = None
        self._splitting: AsyncGenerator[Batch, None] | None = None  # of the last batch
        self._most = 1
        self._taken = 0  # records of the batches before
        self._size = 0
        self._items: Iterator[Record] = iter(())
        self._splits = False
        self._sent = 0

    # What the loop does

    def read(self) -> AsyncIterator[Batch]:
        """The records that come into the loop, in batches that do not hold up others for long."""
        self._reading = self._read()
        return self._reading

    def each(self, batch: Batch) -> Iterator[Record]:
        """The records of a batch one by one. The stage can tell from it how far it has come."""
        self._fused.at = self
        self._taken += self._size
        self._size = len(batch)
        self._items = iter(records_of(batch))
        return self._items

    async def failed(self, record: Record, error: BaseException) -> None:
        """The record cannot be processed; it is left out, or fails the stage."""
        self._fused.at = self
        if not isinstance(error, Exception):
            raise error
        await self.ctx.record_failed(record, error, self.received)

    def all(self, batch: Batch) -> Batch:
        """The batch as it is, of a stage that lets all records pass."""
        self._taken += len(batch)
        return batch

    def take(self, batch: Batch) -> Batch:
        """What a limit takes of the batch; then `is_full` says whether it takes no more."""
        assert isinstance(self._kernel, Limiter)
        self._fused.at = self
        self._taken += len(batch)
        return self._kernel.take(batch)

    def split(self, batch: Batch) -> AsyncIterator[Batch]:
        """The records that the stage makes of those of a batch, in batches again."""
        self._taken += len(batch)
        self._splitting = self._split(batch)
        return self._splitting

    async def add(self, batch: Batch) -> None:
        """Let the last stage process a batch."""
        assert isinstance(self._kernel, Tail)
        if batch:
            self._fused.at = self
            self._taken += len(batch)
            await self._kernel.add(batch)

    async def send(self, batch: Batch) -> None:
        """Send a batch to those who read the last stage's stream."""
        self._fused.at = self
        self._sent += len(batch)
        if self._out is not None:
            await self._out.send(batch)

    @property
    def is_full(self) -> bool:
        """Whether this is a limit that is reached."""
        return isinstance(self._kernel, Limiter) and self._kernel.is_full

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
            if isinstance(self._kernel, AsyncGenerator):
                self._source = _Source(self._kernel)

    async def result(self) -> Any:
        """The member's summary, once the loop and the stream before it have ended."""
        try:
            await self._until_over()
            if self.failure is not None:
                raise self.failure
        except Unknown:
            if isinstance(self._kernel, Tail):
                self._kernel.unknown()
            raise
        if isinstance(self._kernel, Tail):
            return await self._kernel.finish()
        if self._summary is None:
            return {"records": self.sent}
        return self._summary(self.received, self._node.record_errors, self.sent)

    async def close(self) -> None:
        """The member is over: give back what it holds."""
        if self._source is not None:
            await self._source.close()
        elif isinstance(self._kernel, Tail):
            self._kernel.close()

    # What the loop's own task does

    async def close_batches(self) -> None:
        """Nothing more is read."""
        for batches in (self._reading, self._splitting):
            if batches is not None:
                await batches.aclose()

    async def settle(self) -> None:
        """The loop has ended, early or not: find out whether this stage has done its part."""
        if self._fused.stopping:
            return
        before = self._before
        if self._source is not None:
            node = self._node
            errors, lost = node.record_errors, node.records_lost
            try:
                self.has_ended = await self._source.has_ended()
            except Exception:  # past what is wanted of it, where it would not have come to that
                node.record_errors, node.records_lost = errors, lost
        elif before is None:
            stream = self._stream
            self.has_ended = stream.has_ended() and self.received == stream.records_in
        else:
            reads_all = before.has_ended or before.is_full
            self.has_ended = reads_all and self.received == before.sent and not self._splits
        self.has_ended = self.has_ended and self.failure is None

    def wake(self) -> None:
        """The loop has ended: let the member look."""
        self._over.set()
        if self._before is not None:
            self._stream.wake()

    def note(self) -> None:
        """Note on the stream before this stage how many records have passed."""
        assert self._before is not None and self._before._node.source is not None
        self._stream.records_in = self._before._node.source.records_out = self._before.sent

    @property
    def received(self) -> int:
        """Records that have come to this stage, the one in hand included."""
        before = self._before
        if self._is_code and before is not None and before._is_code:
            return before.received - before._node.record_errors - before.dropped
        return self._taken + self._size - length_hint(self._items)

    @property
    def sent(self) -> int:
        """Records that have gone on to the next stage, or to the readers of the last one."""
        if self._source is not None:
            return self._source.records
        return self._sent if self._behind is None else self._behind.received

    @property
    def _is_code(self) -> bool:
        """Whether all that it does is code of the loop."""
        return self._kernel is None

    @property
    def _stream(self) -> Records:
        """The stream between the stage before this one and this one."""
        port = self._node.port
        assert isinstance(port, Records)
        return port

    async def _read(self) -> AsyncGenerator[Batch, None]:
        unbroken = 0
        self._fused.at = self
        if self._fused.is_full:
            return
        async for batch in Paced(self._source or self._stream):
            yield batch
            self._fused.at = self
            self._fused.count()
            unbroken += len(batch)
            if unbroken >= RECORDS_A_TURN:
                unbroken = 0
                await asyncio.sleep(0)

    async def _split(self, batch: Batch) -> AsyncGenerator[Batch, None]:
        assert isinstance(self._kernel, Splitter)
        self._fused.at = self
        self._splits = True
        async with aclosing(self._kernel.split(batch)) as batches:
            parts = Paced(batches, self._most)
            async for part in parts:
                yield part
                self._fused.at = self
            self._most = parts.most
        self._splits = False

    async def _until_over(self) -> None:
        """Wait until the member has nothing more to do but to make its summary.

        That one has failed, or has done its part, stays so when its readers close just then. One
        that is cut off by those behind it waits until it is closed, as nobody reads it.
        """
        try:
            await self._until_told()
        except asyncio.CancelledError:
            if self.failure is None and (not self.has_ended or isinstance(self._kernel, Tail)):
                raise
        if not (self.failure or self.has_ended or self.is_full):
            await asyncio.get_running_loop().create_future()

    async def _until_told(self) -> None:
        if self._before is None:
            await self._over.wait()
            return
        stream = self._stream
        while not (self._fused.is_over and (self.failure or self.is_full)) and not stream.ready():
            await stream.changed()


class _Source:
    """The batches of a head. records: how many it has made."""

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        self.records = 0
        self._batches = batches
        self._has_ended = False
        self._looking: asyncio.Task[Batch | None] | None = None

    def __aiter__(self) -> "_Source":
        return self

    async def __anext__(self) -> Batch:
        try:
            batch = await anext(self._batches)
        except StopAsyncIteration:
            self._has_ended = True
            raise
        self.records += len(batch)
        return batch

    async def has_ended(self) -> bool:
        """Whether no batch follows. One that would have to wait for the next has not ended.

        Raises what the next batch would have raised.
        """
        if not self._has_ended:
            self._looking = looking = asyncio.ensure_future(self._look())
            await asyncio.sleep(0)
            looking.cancel()
            await asyncio.wait([looking])
            self._has_ended = not looking.cancelled() and looking.result() is None
        return self._has_ended

    async def close(self) -> None:
        """Nothing more is read. What looks ahead may be in a thread, which cannot be stopped."""
        if self._looking is not None and not self._looking.done():
            await asyncio.wait([self._looking])
        await self._batches.aclose()

    async def _look(self) -> Batch | None:
        return await anext(self._batches, None)
