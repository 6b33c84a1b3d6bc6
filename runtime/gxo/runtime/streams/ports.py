"""Record streams between workloads: bounded, batched, one pipe for each producer and consumer.

    source = Source("fetch", Channel(100, "block"))     the producer's side, made by the scheduler
    pipe = source.connect("active")                     one pipe a consumer: each sees every record
    records = Records([pipe])                           the consumer's side; several pipes merge

    async def fetch(ctx, out): await out.send(batch)                  # out = source.port()
    async def active(ctx, records): async for batch in records: ...

A batch is a list of records, or a `Table`, and moves as one object: one wake-up a batch, nothing
copied, nothing awaited for each record. The batch and its records belong to the stream once sent;
neither side changes them any more. Batches form by what is there: a reader gets all that waits,
never less and never later. `buffer_size` counts the records that wait; a sender whose batch does
not fit into that is parked until the reader has taken it, so memory is bounded by the buffer and
one batch a sender. Where records may get lost, exactly those do that find `buffer_size` others
waiting, however they came in batches; and none is lost, nor an overflow an error, before it is
known of each reader whether its `when` lets it run.

How a stream ends (language, section 5):

    producer done     source.finish(); readers get what is left, then the end; source.drained()
    producer failed   source.fail(error); readers get what was sent, then UpstreamFailed
    reader done       records.close(); the producer goes on for its other readers
    all readers done  the producer's next or parked send raises ConsumersClosed; it is Completed
    reader skipped    records.discard(); its records go nowhere, it does not count as a reader
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from gxo.runtime.errors import Unknown, UpstreamFailed
from gxo.runtime.kernel.state import deep_copy
from gxo.runtime.spec import Record
from gxo.runtime.streams.pipes import Pipe
from gxo.runtime.streams.tables import Batch

if TYPE_CHECKING:
    from gxo.runtime.streams.source import Source


class WouldBlock(Exception):  # noqa: N818 - the field's name for it, and not an error
    """A `*_nowait` call would have had to wait."""


class Out:
    """The output port of a module instance.

    records_out: records that this instance has sent.
    """

    __slots__ = ("_source", "records_out")

    def __init__(self, source: "Source") -> None:
        self._source = source
        self.records_out = 0

    @property
    def wanted(self) -> bool:
        """False once all readers have closed: a source may stop and return its summary."""
        return not self._source.abandoned

    async def send(self, batch: Batch) -> None:
        """Send a batch to all consumers, and wait until their buffers have room again.

        The batch must not be changed afterwards. A cancelled wait takes nothing back: the batch was
        sent; of one that may overflow, perhaps only a part. Raises ConsumersClosed (let it pass),
        and StreamError with the strategy `error`.
        """
        if not batch:
            return
        if self._source.channel.overflow == "block":
            self._put(batch)
        else:
            await self._put_in_parts(batch)
        await self._source.wait_room()

    def send_nowait(self, batch: Batch) -> None:
        """Send a batch at once, or raise WouldBlock and send none of it."""
        if batch:
            if not self._source.fits(len(batch)):
                raise WouldBlock
            self._put(batch)

    def _put(self, batch: Batch) -> None:
        sent = self._source.records_out
        try:
            self._source.put(batch)
        finally:
            self.records_out += self._source.records_out - sent

    async def _put_in_parts(self, batch: Batch) -> None:
        """What finds no room overflows, once it is time for that."""
        most = max(self._source.channel.buffer_size, 1)
        for at in range(0, len(batch), most):
            part = batch[at : at + most]
            if not self._source.has_room(len(part)):
                await self._source.wait_overflow()
            self._put(part)


class Records:
    """The input port of a module instance: the records of one or more producers, merged.

        async for batch in records:         # lists of records, never empty
            for record in batch: ...

    The order of each producer is kept; between producers it is first come, first served. One
    reader at a time. records_in: records read so far. copied: whether it gives copies of them.
    tables: whether its reader takes tables too.
    """

    __slots__ = ("_failure", "_waiter", "copied", "pipes", "queue", "records_in", "tables")

    def __init__(self, pipes: Iterable[Pipe]) -> None:
        self.pipes = list(pipes)
        self.records_in = 0
        self.copied = False
        self.tables = False
        self.queue: deque[Pipe] = deque()  # pipes that have records or have ended
        self._failure: UpstreamFailed | Unknown | None = None
        self._waiter: asyncio.Future[None] | None = None
        for pipe in self.pipes:
            pipe.attach(self)

    def __aiter__(self) -> "Records":
        return self

    async def __anext__(self) -> list[Record]:
        while not self.ready():
            await self.changed()
        if not self.queue:
            raise StopAsyncIteration
        return self._take()

    def batches(self) -> AsyncIterator[Batch]:
        """The same records, but those that are sent as tables come as such from now on."""
        self.tables = True
        return self

    def receive_nowait(self) -> list[Record]:
        """All that waits from one producer; an empty list at the end of all.

        Raises WouldBlock when nothing waits, UpstreamFailed when a producer failed and its records
        are read.
        """
        if not self.ready():
            raise WouldBlock
        return self._take() if self.queue else []

    async def wait_records(self) -> bool:
        """Wait for a first record without taking it; False when all producers end without one.

        Raises UpstreamFailed when one fails instead.
        """
        while not self.ready():
            await self.changed()
        return self.has_records()

    def ready(self) -> bool:
        """Whether a read would not wait: there are records, or the end. Raises UpstreamFailed."""
        if self._failure is not None:
            raise self._failure
        while self.queue and not self.queue[0].has_records():
            self._meet_end(self.queue.popleft())
        return bool(self.queue) or all(pipe.state != "open" for pipe in self.pipes)

    def has_records(self) -> bool:
        """Whether a read would get records; only to be asked when it would not wait."""
        return bool(self.queue)

    def has_ended(self) -> bool:
        """Whether all is read, and no producer has failed."""
        try:
            return self.ready() and not self.has_records()
        except (UpstreamFailed, Unknown):
            return False

    async def changed(self) -> None:
        """Wait until there may be something to read."""
        await wait_any([self])

    def is_waiting(self) -> bool:
        """Whether the module waits for records."""
        return self._waiter is not None and not self._waiter.done()

    def begin(self) -> None:
        """The workload's `when` lets it run: from now on what it does not read may overflow."""
        for pipe in self.pipes:
            pipe.begin()

    def close(self) -> None:
        """The module has ended, or needs no more: producers need not send any further."""
        for pipe in self.pipes:
            pipe.close()

    def discard(self) -> None:
        """The workload was skipped: what it would have read goes nowhere."""
        for pipe in self.pipes:
            pipe.discard()

    def wake(self) -> None:
        """Something changed in a pipe: let a waiting reader look."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def await_with(self, waiter: "asyncio.Future[None] | None") -> None:
        """Let `wake` complete this future; None when the wait is over."""
        if waiter is not None and self._waiter is not None:
            raise RuntimeError("these records are already being read by another task")
        self._waiter = waiter

    def _take(self) -> list[Record]:
        batch = self._pull()
        self.records_in += len(batch)
        # Each record by itself: one that came by two ways stands twice in the batch.
        return [deep_copy(record) for record in batch] if self.copied else batch

    def _pull(self) -> list[Record]:
        """All that waits from the first producer in the queue."""
        pipe = self.queue.popleft()
        pipe.queued = False
        return cast("list[Record]", pipe.take())  # a table only for a reader of `batches`

    def _meet_end(self, pipe: Pipe) -> None:
        """A pipe without records stood in the queue: it has ended, or was closed since."""
        pipe.queued = False
        pipe.end()
        if pipe.failure is not None and pipe.state == "ended":
            self._failure = pipe.failure
            raise self._failure


class Inputs(Mapping[str, Records]):
    """The input ports of a module instance, one a producer, in declared order."""

    __slots__ = ("_ports",)

    def __init__(self, ports: Mapping[str, Records]) -> None:
        self._ports = dict(ports)

    @property
    def names(self) -> list[str]:
        """The producers' names, in declared order."""
        return list(self._ports)

    @property
    def records_in(self) -> int:
        """Records read so far, from all producers."""
        return sum(records.records_in for records in self._ports.values())

    def __getitem__(self, name: str) -> Records:
        return self._ports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)

    async def wait_records(self) -> bool:
        """Wait for a first record on any port without taking it; False when all end without one.

        Raises UpstreamFailed when a producer fails instead.
        """
        ports = list(self._ports.values())
        while True:
            ready = [port for port in ports if port.ready()]
            if any(port.has_records() for port in ready):
                return True
            if len(ready) == len(ports):
                return False
            await wait_any([port for port in ports if port not in ready])

    def begin(self) -> None:
        """The workload's `when` lets it run."""
        for records in self._ports.values():
            records.begin()

    def close(self) -> None:
        """The module has ended, or needs no more of any port."""
        for records in self._ports.values():
            records.close()

    def discard(self) -> None:
        """The workload was skipped: what it would have read goes nowhere."""
        for records in self._ports.values():
            records.discard()


async def wait_any(ports: Iterable[Records]) -> None:
    """Wait until something changes on one of the ports; RuntimeError if another task reads one."""
    waiter = asyncio.get_running_loop().create_future()
    waiting: list[Records] = []
    try:
        for port in ports:
            port.await_with(waiter)
            waiting.append(port)
        await waiter
    finally:
        for port in waiting:
            port.await_with(None)
