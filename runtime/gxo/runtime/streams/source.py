"""The producer's side of a stream, which gives each batch to the pipes of all who read it."""

import asyncio
from collections import deque
from collections.abc import Callable

from gxo.runtime.errors import StreamError, Unknown, UpstreamFailed
from gxo.runtime.streams.pipes import Channel, Pipe
from gxo.runtime.streams.ports import Out
from gxo.runtime.streams.tables import Batch

# A sender that never has to wait gives the loop a turn after this many records, so that time-outs
# and readers get theirs also when records are dropped, discarded, or the buffer is huge.
RECORDS_A_TURN = 1000


class ConsumersClosed(BaseException):
    """All started readers have closed the stream: the producer ends early and is Completed.

    A control signal, not an error, and so not an `Exception`: a module that catches its own
    failures lets it pass, and the scheduler takes it for a normal end.
    """


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
    full_pipes: those that senders wait for. undecided: those that could overflow, but whose reader
    may be skipped yet; one of the two is always 0.
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
        self.undecided = 0
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

    def connect(self, consumer: str, *, undecided: bool = False) -> Pipe:
        """A new pipe to the workload `consumer`. All pipes are made before the first send.

        undecided: the consumer may yet be skipped, until it begins to read.
        """
        undecided &= self.channel.overflow != "block"  # where nothing is lost, none of it matters
        pipe = Pipe(self, consumer, undecided=undecided)
        self.undecided += undecided
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

        An UpstreamFailed is passed on as it is, so that all descendants name the first failure, and
        so is Unknown: what a dry run does not know is no failure.
        """
        passed_on = isinstance(error, (UpstreamFailed, Unknown))
        self._finish(error, str(error) if passed_on else f"upstream '{self.name}' failed")

    async def drained(self) -> None:
        """Wait until every started reader has met the end or closed. Call after `finish`."""
        if self._open:
            self._drain = asyncio.get_running_loop().create_future()
            await self._drain

    def put(self, batch: Batch) -> None:
        """Give the batch to all pipes, without waiting; `wait_room` tells when it has fitted in.

        Raises ConsumersClosed, and StreamError when the strategy is `error` and a record finds no
        room in some pipe: then all have got those before it.
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
        self._count(batch)

    def fits(self, count: int) -> bool:
        """Whether `count` records would go to all pipes at once, or be lost at once."""
        if self.channel.overflow == "block":
            return all(pipe.fits(count) for pipe in self._open)
        return not self.undecided or self.has_room(count)

    def has_room(self, count: int) -> bool:
        """Whether `count` records would go to all pipes of a stream that may overflow."""
        return all(pipe.room() >= count for pipe in self._open)

    async def wait_overflow(self) -> None:
        """Wait until it is time that records overflow: it is known which readers run, and one that
        waits for records has had its turn.

        That comes: a `when` asks for nothing that a member of its own stream group does.
        """
        if self.undecided:
            await self._park()
        await asyncio.sleep(0)

    async def wait_room(self) -> None:
        """Wait until no pipe holds more than its buffer. ConsumersClosed if all close meanwhile.

        What was put stays sent when this wait is cancelled.
        """
        if self.full_pipes:
            await self._park()
            if self.abandoned:
                raise ConsumersClosed
        elif self._unbroken >= RECORDS_A_TURN:
            self._unbroken = 0
            await asyncio.sleep(0)

    def made_room(self) -> None:
        """One full pipe less; the last one wakes the senders."""
        self.full_pipes -= 1
        if not self.full_pipes:
            self._wake_senders()

    def decided(self) -> None:
        """Of one reader more it is known whether it runs; the last one wakes the senders."""
        self.undecided -= 1
        if not self.undecided:
            self._wake_senders()

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

    async def _park(self) -> None:
        """Wait as one of the senders that others wake."""
        self._unbroken = 0
        waiter = asyncio.get_running_loop().create_future()
        self._senders.append(waiter)
        try:
            await waiter
        finally:
            self._senders.remove(waiter)

    def _wake_senders(self) -> None:
        for waiter in self._senders:
            if not waiter.done():
                waiter.set_result(None)

    def _finish(self, error: BaseException | None, message: str = "") -> None:
        if self.finished:
            return
        self.finished = True
        for pipe in self._open:
            # One exception a reader: an exception object carries the traceback of its raise.
            failure = None
            if error is not None:
                failure = _as_a_reader_meets_it(error, message)
                failure.__cause__ = error
            pipe.finish(failure)

    def _count(self, batch: Batch) -> None:
        self.records_out += len(batch)
        self._unbroken += len(batch)

    def _put_or_fail(self, batch: Batch) -> None:
        fullest = min(self._open, key=Pipe.room, default=None)
        if fullest is None or (room := fullest.room()) >= len(batch):
            for pipe in self._open:
                pipe.put(batch)
            return
        if room:
            self._put_or_fail(batch[:room])
            self._count(batch[:room])
        raise StreamError(
            f"the stream from '{self.name}' to '{fullest.consumer}' overflowed: "
            f"its buffer_size is {fullest.limit}, and a record more came",
            hint="raise channel_policy.buffer_size, or use overflow_strategy: block",
        )

    def _put_dropping(self, batch: Batch, oldest: bool) -> None:
        for pipe in self._open:
            put = pipe.put_dropping_oldest if oldest else pipe.put_dropping_new
            lost = put(batch)
            if lost and self._when_dropped is not None:
                self._when_dropped(pipe, lost)


def _as_a_reader_meets_it(error: BaseException, message: str) -> UpstreamFailed | Unknown:
    if isinstance(error, Unknown):
        return Unknown(message)
    return UpstreamFailed(message, ignored=isinstance(error, UpstreamFailed) and error.ignored)
