"""Record streams between workloads: bounded, batched, one pipe for each producer and consumer.

    source = Source("fetch", Channel(100, "block"))     the producer's side, made by the scheduler
    pipe = source.connect("active")                     one pipe a consumer: each sees every record
    records = Records([pipe])                           the consumer's side; several pipes merge

    async def fetch(ctx, out): await out.send(batch)                  # out = source.port()
    async def active(ctx, records): async for batch in records: ...

A batch is a list of records and moves as one object: one wake-up a batch, nothing copied, nothing
awaited for each record. The list and its records belong to the stream once sent; neither side
changes them any more. Batches form by what is there: a reader gets all that waits, never less and
never later. `buffer_size` counts the records that wait; a sender whose batch does not fit into that
is parked until the reader has taken it, so memory is bounded by the buffer and one batch a sender.

How a stream ends (language, section 5):

    producer done     source.finish(); readers get what is left, then the end; source.drained()
    producer failed   source.fail(error); readers get what was sent, then UpstreamFailed
    reader done       records.close(); the producer goes on for its other readers
    all readers done  the producer's next or parked send raises ConsumersClosed; it is Completed
    reader skipped    records.discard(); its records go nowhere, it does not count as a reader
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Literal

from gxo.runtime.errors import StreamError, UpstreamFailed, WorkloadError
from gxo.runtime.spec import Record

Batch = list[Record]
Overflow = Literal["block", "drop_new", "drop_oldest", "error"]
State = Literal["open", "ended", "closed", "discarding"]

# A sender that never has to wait gives the loop a turn after this many records, so that time-outs
# and readers get theirs also when records are dropped, discarded, or the buffer is huge.
RECORDS_A_TURN = 1000


class ConsumersClosed(BaseException):
    """All started readers have closed the stream: the producer ends early and is Completed.

    A control signal, not an error, and so not an `Exception`: a module that catches its own
    failures lets it pass, and the scheduler takes it for a normal end.
    """


class WouldBlock(Exception):  # noqa: N818 - the field's name for it, and not an error
    """A `*_nowait` call would have had to wait."""


class Channel:
    """How the pipes of a producer are bounded.

    buffer_size: records that may wait in each; with 0 a send ends when the reader has the batch.
    overflow: what happens to records that find no room.
    """

    __slots__ = ("buffer_size", "overflow")

    def __init__(self, buffer_size: int = 100, overflow: Overflow = "block") -> None:
        self.buffer_size = buffer_size
        self.overflow = overflow


class PipeStatistics:
    """A snapshot of one pipe; counts are records."""

    __slots__ = ("buffer_size", "buffered", "consumer", "dropped", "passed", "producer", "state")

    def __init__(self, pipe: "Pipe") -> None:
        self.producer = pipe.producer
        self.consumer = pipe.consumer
        self.buffer_size = pipe.limit
        self.buffered = pipe.buffered
        self.passed = pipe.passed
        self.dropped = pipe.dropped
        self.state = pipe.state


class Pipe:
    """What waits between one producer and one consumer. Made by `Source.connect`, read by Records.

    passed: records that the reader has taken; dropped: records lost to `drop_new` or `drop_oldest`.
    """

    __slots__ = (
        "_batches",
        "_finished",
        "_full",
        "_handed",
        "_reader",
        "_source",
        "buffered",
        "consumer",
        "dropped",
        "failure",
        "limit",
        "passed",
        "producer",
        "queued",
        "state",
    )

    def __init__(self, source: "Source", consumer: str) -> None:
        self.producer = source.name
        self.consumer = consumer
        self.limit = source.channel.buffer_size
        self.buffered = 0
        self.passed = 0
        self.dropped = 0
        self.state: State = "open"
        self.failure: UpstreamFailed | None = None
        self._source = source
        self._reader: Records | None = None
        self._batches: deque[Batch] = deque()
        self._handed: Batch | None = None  # given to a waiting reader: does not count as buffered
        self._full = False  # the source counts its full pipes
        self.queued = False  # stands in its reader's queue
        self._finished = False

    def statistics(self) -> PipeStatistics:
        """What has passed this pipe, and what waits in it."""
        return PipeStatistics(self)

    def close(self) -> None:
        """The reader needs no more. What still waits is thrown away. Harmless when repeated."""
        self._leave("closed")

    def discard(self) -> None:
        """There is no reader (it was skipped): all records go nowhere."""
        self._leave("discarding")

    # --- the source's side -------------------------------------------------------------------

    def fits(self, count: int) -> bool:
        """Whether a batch of `count` records would go through without waiting or dropping."""
        return self._reader_waits() or self.buffered + count <= self.limit

    def put_blocking(self, batch: Batch) -> None:
        """Take the whole batch; what exceeds the buffer is the parked sender's."""
        if self._hand_over(batch):
            return
        self._batches.append(batch)
        self.buffered += len(batch)
        if self.buffered > self.limit and not self._full:
            self._full = True
            self._source.full_pipes += 1
        self._announce()

    def put_dropping_new(self, batch: Batch) -> int:
        """Take what fits, and return how many records were dropped from the end of the batch."""
        if self._hand_over(batch):
            return 0
        room = self.limit - self.buffered
        lost = max(len(batch) - room, 0)
        if room > 0:
            self._batches.append(batch[:room] if lost else batch)
            self.buffered += len(batch) - lost
            self._announce()
        self.dropped += lost
        return lost

    def put_dropping_oldest(self, batch: Batch) -> int:
        """Take the batch, and return how many of the oldest waiting records made room for it."""
        if self._hand_over(batch):
            return 0
        self._batches.append(batch)
        self.buffered += len(batch)
        lost = excess = max(self.buffered - self.limit, 0)
        while excess:
            oldest = self._batches.popleft()
            if len(oldest) > excess:
                self._batches.appendleft(oldest[excess:])
            excess -= min(len(oldest), excess)
        self.buffered -= lost
        self.dropped += lost
        if self._batches:
            self._announce()
        return lost

    def finish(self, failure: UpstreamFailed | None) -> None:
        """No more records will come; with a failure, the reader gets it after what was sent."""
        self._finished = True
        self.failure = failure
        self._announce()

    # --- the reader's side -------------------------------------------------------------------

    def attach(self, reader: "Records") -> None:
        """Tell `reader` from now on, and of what is there already."""
        self._reader = reader
        if self._batches or self._finished:
            self._announce()

    def has_records(self) -> bool:
        """Whether a record waits."""
        return self._handed is not None or bool(self._batches)

    def take(self) -> Batch:
        """All that waits, as one batch; there must be something."""
        batches = self._batches
        if self._handed is None:
            batch = batches.popleft() if len(batches) == 1 else list(chain.from_iterable(batches))
        elif batches:
            batch = list(chain(self._handed, chain.from_iterable(batches)))
        else:
            batch = self._handed
        self._empty()
        self.passed += len(batch)
        if self._finished:
            self._announce()  # the reader meets the end when it comes back
        return batch

    def end(self) -> None:
        """The reader has met the end: the pipe is drained."""
        self._leave("ended")

    # -----------------------------------------------------------------------------------------

    def _reader_waits(self) -> bool:
        return self._reader is not None and self._handed is None and self._reader.is_waiting()

    def _hand_over(self, batch: Batch) -> bool:
        if not self._reader_waits():
            return False
        self._handed = batch
        self._announce()
        return True

    def _announce(self) -> None:
        if self._reader is not None and self.state == "open":
            if not self.queued:
                self.queued = True
                self._reader.queue.append(self)
            self._reader.wake()

    def _empty(self) -> None:
        self._handed = None
        self._batches.clear()
        self.buffered = 0
        if self._full:
            self._full = False
            self._source.made_room()

    def _leave(self, state: State) -> None:
        if self.state != "open":
            return
        self.state = state
        self._source.left(self)
        self._empty()
        if self._reader is not None:
            self._reader.wake()


class SourceStatistics:
    """A snapshot of a producer's side; counts are records, but for the parked senders."""

    __slots__ = ("dropped", "parked_senders", "pipes", "records_out")

    def __init__(self, source: "Source", parked: int) -> None:
        self.records_out = source.records_out
        self.dropped = source.dropped
        self.parked_senders = parked
        self.pipes = [pipe.statistics() for pipe in source.pipes]


class Source:
    """A producer's stream: fans out to the pipes of its consumers. One a workload, and one more
    for its `.errors`; the instances of a loop share it, each through its own `port()`.

    records_out: records sent (once, however many consumers). dropped: sum over the pipes.
    abandoned: all started readers have closed.
    """

    def __init__(
        self,
        name: str,
        channel: Channel,
        *,
        side: bool = False,
        when_abandoned: Callable[[], None] | None = None,
        when_dropped: Callable[[Pipe, int], None] | None = None,
    ) -> None:
        """side: an `.errors` stream, whose producer does not end when its readers have closed.

        when_abandoned is called once, as the last reader closes: a producer that does not send
        just then can be ended too. when_dropped is called with the pipe and the number of records.
        """
        self.name = name
        self.channel = channel
        self.pipes: list[Pipe] = []
        self.records_out = 0
        self.full_pipes = 0
        self.abandoned = False
        self.finished = False
        self._side = side
        self._when_abandoned = when_abandoned
        self._when_dropped = when_dropped
        self._open: list[Pipe] = []
        self._senders: deque[asyncio.Future[None]] = deque()
        self._drain: asyncio.Future[None] | None = None
        self._unbroken = 0  # records sent since a sender last gave up its turn

    @property
    def dropped(self) -> int:
        """Records that overflowing pipes have dropped."""
        return sum(pipe.dropped for pipe in self.pipes)

    def statistics(self) -> SourceStatistics:
        """What was sent, and who waits for whom: parked senders for the readers of full pipes."""
        return SourceStatistics(self, len(self._senders))

    def connect(self, consumer: str) -> Pipe:
        """A new pipe to the workload `consumer`. All pipes are made before the first send."""
        pipe = Pipe(self, consumer)
        self.pipes.append(pipe)
        self._open.append(pipe)
        return pipe

    def port(self) -> "Out":
        """The end that a module instance sends into."""
        return Out(self)

    def finish(self) -> None:
        """The producer is done (or was skipped: an empty stream). Harmless when repeated."""
        self._finish(None)

    def fail(self, error: BaseException) -> None:
        """The producer failed or was cancelled: its readers fail too, after the records sent.

        An UpstreamFailed is passed on as it is, so that all descendants name the first failure.
        """
        first = isinstance(error, UpstreamFailed)
        self._finish(error, str(error) if first else f"upstream '{self.name}' failed")

    async def drained(self) -> None:
        """Wait until every started reader has met the end or closed. Call after `finish`."""
        if self._open:
            self._drain = asyncio.get_running_loop().create_future()
            await self._drain

    def put(self, batch: Batch) -> None:
        """Give the batch to all pipes, without waiting; `wait_room` tells when it has fitted in.

        Raises ConsumersClosed, and StreamError when the strategy is `error` and a pipe is full:
        then no pipe has got any of the batch.
        """
        if self.abandoned:
            raise ConsumersClosed
        if self.finished:
            raise RuntimeError(f"the stream of '{self.name}' has ended")
        overflow = self.channel.overflow
        if overflow == "block":
            for pipe in self._open:
                pipe.put_blocking(batch)
        elif overflow == "error":
            self._put_or_fail(batch)
        else:
            self._put_dropping(batch, overflow == "drop_oldest")
        self.records_out += len(batch)
        self._unbroken += len(batch)

    def fits(self, count: int) -> bool:
        """Whether `count` records would go to all pipes at once."""
        return self.channel.overflow != "block" or all(pipe.fits(count) for pipe in self._open)

    async def wait_room(self) -> None:
        """Wait until no pipe holds more than its buffer. ConsumersClosed if all close meanwhile.

        What was put stays sent when this wait is cancelled.
        """
        if self.full_pipes:
            self._unbroken = 0
            waiter = asyncio.get_running_loop().create_future()
            self._senders.append(waiter)
            try:
                await waiter
            finally:
                self._senders.remove(waiter)
            if self.abandoned:
                raise ConsumersClosed
        elif self._unbroken >= RECORDS_A_TURN:
            self._unbroken = 0
            await asyncio.sleep(0)

    def made_room(self) -> None:
        """One full pipe less; the last one wakes the senders."""
        self.full_pipes -= 1
        if not self.full_pipes:
            for waiter in self._senders:
                if not waiter.done():
                    waiter.set_result(None)

    def left(self, pipe: Pipe) -> None:
        """A pipe is no longer open."""
        # A new list: `put` may be walking the old one when a callback closes a pipe.
        self._open = [other for other in self._open if other is not pipe]
        started = [other for other in self.pipes if other.state != "discarding"]
        if started and not self._side and all(other.state == "closed" for other in started):
            self.abandoned = True
            if self._when_abandoned is not None:
                self._when_abandoned()
        if not self._open and self._drain is not None and not self._drain.done():
            self._drain.set_result(None)

    def _finish(self, error: BaseException | None, message: str = "") -> None:
        if self.finished:
            return
        self.finished = True
        for pipe in self._open:
            # One exception a reader: an exception object carries the traceback of its raise.
            failure = None if error is None else UpstreamFailed(message)
            if failure is not None:
                failure.__cause__ = error
            pipe.finish(failure)

    def _put_or_fail(self, batch: Batch) -> None:
        for pipe in self._open:
            if not pipe.fits(len(batch)):
                raise StreamError(
                    f"the stream from '{self.name}' to '{pipe.consumer}' overflowed: "
                    f"{pipe.buffered} records wait and its buffer_size is {pipe.limit}",
                    hint="raise channel_policy.buffer_size, or use overflow_strategy: block",
                )
        for pipe in self._open:
            pipe.put_blocking(batch)

    def _put_dropping(self, batch: Batch, oldest: bool) -> None:
        for pipe in self._open:
            put = pipe.put_dropping_oldest if oldest else pipe.put_dropping_new
            lost = put(batch)
            if lost and self._when_dropped is not None:
                self._when_dropped(pipe, lost)


class Out:
    """The output port of a module instance.

    records_out: records that this instance has sent.
    """

    __slots__ = ("_source", "records_out")

    def __init__(self, source: Source) -> None:
        self._source = source
        self.records_out = 0

    @property
    def wanted(self) -> bool:
        """False once all readers have closed: a source may stop and return its summary."""
        return not self._source.abandoned

    async def send(self, batch: Batch) -> None:
        """Send a batch to all consumers, and wait until their buffers have room again.

        The list must not be changed afterwards. A cancelled wait takes nothing back: the batch was
        sent. Raises ConsumersClosed (let it pass), and StreamError with the strategy `error`.
        """
        if batch:
            self._source.put(batch)
            self.records_out += len(batch)
            await self._source.wait_room()

    def send_nowait(self, batch: Batch) -> None:
        """Send a batch at once, or raise WouldBlock and send none of it."""
        if batch:
            if not self._source.fits(len(batch)):
                raise WouldBlock
            self._source.put(batch)
            self.records_out += len(batch)


class Records:
    """The input port of a module instance: the records of one or more producers, merged.

        async for batch in records:         # lists of records, never empty
            for record in batch: ...

    The order of each producer is kept; between producers it is first come, first served. One
    reader at a time. records_in: records read so far.
    """

    __slots__ = ("_failure", "_waiter", "pipes", "queue", "records_in")

    def __init__(self, pipes: Iterable[Pipe]) -> None:
        self.pipes = list(pipes)
        self.records_in = 0
        self.queue: deque[Pipe] = deque()  # pipes that have records or have ended
        self._failure: WorkloadError | None = None
        self._waiter: asyncio.Future[None] | None = None
        for pipe in self.pipes:
            pipe.attach(self)

    def __aiter__(self) -> "Records":
        return self

    async def __anext__(self) -> Batch:
        while not self.ready():
            await wait_any([self])
        if not self.queue:
            raise StopAsyncIteration
        return self._take()

    def receive_nowait(self) -> Batch:
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
            await wait_any([self])
        return bool(self.queue)

    def ready(self) -> bool:
        """Whether a read would not wait: there are records, or the end. Raises UpstreamFailed."""
        if self._failure is not None:
            raise self._failure
        while self.queue and not self.queue[0].has_records():
            self._meet_end(self.queue.popleft())
        return bool(self.queue) or all(pipe.state != "open" for pipe in self.pipes)

    def is_waiting(self) -> bool:
        """Whether the module waits for records."""
        return self._waiter is not None and not self._waiter.done()

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

    def _take(self) -> Batch:
        pipe = self.queue.popleft()
        pipe.queued = False
        batch = pipe.take()
        self.records_in += len(batch)
        return batch

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
            if any(port.queue for port in ready):
                return True
            if len(ready) == len(ports):
                return False
            await wait_any([port for port in ports if port not in ready])

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
