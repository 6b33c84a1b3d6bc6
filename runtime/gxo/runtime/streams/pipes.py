"""One pipe: what waits between one producer and one consumer, and what happens when it is full.

    producer  --send-->  Source  --put_*-->  Pipe  <--take--  Records  <--async for--  consumer

A pipe never waits. It keeps batches, counts records, tells its reader that there is something to
take, and tells its sender that it is full, or has room again; streams.py parks and wakes tasks.
"""

from collections import deque
from typing import Literal, Protocol

from gxo.runtime.errors import Unknown, UpstreamFailed
from gxo.runtime.host.eventloop import LARGE
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch, records_of, together

Overflow = Literal["block", "drop_new", "drop_oldest", "error"]
State = Literal["open", "ended", "closed", "discarding"]


DEFAULT, FEW = 100, 4
"""Records that may wait in a pipe; and that, if they are LARGE. Of 1 MB each, 100 take 300 MiB in a
chain of three workloads and are no faster than FEW (`passes/size_channels.py` has the figures).
"""


class Channel:
    """How the pipes of a producer are bounded.

    buffer_size: records that may wait in each; with 0 a send ends when the reader has the batch. If
    nobody says, DEFAULT, or only FEW where they are large and the sender can wait.
    overflow: what happens to records that find no room.
    """

    __slots__ = ("buffer_size", "overflow", "weighs")

    def __init__(self, buffer_size: int | None = None, overflow: Overflow = "block") -> None:
        self.buffer_size = DEFAULT if buffer_size is None else buffer_size
        self.overflow = overflow
        self.weighs = buffer_size is None and overflow == "block"


class Sender(Protocol):
    """What a pipe needs of the producer's side."""

    name: str
    channel: Channel
    full_pipes: int

    def made_room(self) -> None:
        """A full pipe has room again."""

    def decided(self) -> None:
        """Of one reader more it is known whether it runs."""

    def left(self, pipe: "Pipe") -> None:
        """A pipe is no longer open."""


class Reader(Protocol):
    """What a pipe needs of the consumer's side."""

    queue: "deque[Pipe]"
    tables: bool

    def wake(self) -> None:
        """There is something in the queue, or a pipe was closed."""

    def is_waiting(self) -> bool:
        """Whether the consumer waits for records."""


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
        "_undecided",
        "_weighs",
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

    def __init__(self, source: "Sender", consumer: str, *, undecided: bool = False) -> None:
        """undecided: whether the reader runs is not known until it begins, or leaves."""
        self.producer = source.name
        self.consumer = consumer
        self.limit = source.channel.buffer_size
        self.buffered = 0
        self.passed = 0
        self.dropped = 0
        self.state: State = "open"
        self.failure: UpstreamFailed | Unknown | None = None
        self._source = source
        self._undecided = undecided
        self._weighs = source.channel.weighs
        self._reader: Reader | None = None
        self._batches: deque[Batch] = deque()
        self._handed: Batch | None = None  # given to a waiting reader: does not count as buffered
        self._full = False  # the source counts its full pipes
        self.queued = False  # stands in its reader's queue
        self._finished = False

    def statistics(self) -> PipeStatistics:
        """What has passed this pipe, and what waits in it."""
        return PipeStatistics(self)

    def begin(self) -> None:
        """The reader runs: what finds no room may overflow. Harmless when repeated."""
        if self._undecided:
            self._undecided = False
            self._source.decided()

    def close(self) -> None:
        """The reader needs no more. What still waits is thrown away. Harmless when repeated."""
        self._leave("closed")

    def discard(self) -> None:
        """There is no reader (it was skipped): all records go nowhere."""
        self._leave("discarding")

    # --- the source's side -------------------------------------------------------------------

    def fits(self, count: int) -> bool:
        """Whether a batch of `count` records would go through without waiting."""
        return self._reader_waits() or self.buffered + count <= self.limit

    def room(self) -> int:
        """How many records more may wait; in a pipe without a buffer, one that is waited for."""
        return max(self.limit - self.buffered, 0) if self.limit else int(self._reader_waits())

    def put(self, batch: Batch) -> None:
        """Take the whole batch, however much room there is."""
        self._batches.append(batch)
        self.buffered += len(batch)
        self._announce()

    def put_blocking(self, batch: Batch) -> None:
        """Take the whole batch; what exceeds the buffer is the parked sender's."""
        if self._reader_waits():
            self._handed = batch
            self._announce()
            return
        if self._weighs and not self.buffered and len(batch) <= DEFAULT:
            self.limit = FEW if _is_large(batch[0]) else DEFAULT
        if self.buffered + len(batch) > self.limit and not self._full:
            self._full = True  # before the reader is told: it looks
            self._source.full_pipes += 1
        self.put(batch)

    def put_dropping_new(self, batch: Batch) -> int:
        """Take what has room, and return how many records were dropped from the batch's end."""
        lost = max(len(batch) - self.room(), 0)
        if lost < len(batch):
            self.put(batch[: len(batch) - lost] if lost else batch)
        self.dropped += lost
        return lost

    def put_dropping_oldest(self, batch: Batch) -> int:
        """Take the batch, and return how many of the oldest waiting records made room for it."""
        if not self.limit:
            return self.put_dropping_new(batch)  # none waits that could make room
        self.put(batch)
        lost = excess = max(self.buffered - self.limit, 0)
        while excess:
            oldest = self._batches.popleft()
            if len(oldest) > excess:
                self._batches.appendleft(oldest[excess:])
            excess -= min(len(oldest), excess)
        self.buffered -= lost
        self.dropped += lost
        return lost

    def finish(self, failure: UpstreamFailed | Unknown | None) -> None:
        """No more records will come; with a failure, the reader gets it after what was sent."""
        self._finished = True
        self.failure = failure
        self._announce()

    # --- the reader's side -------------------------------------------------------------------

    def attach(self, reader: "Reader") -> None:
        """Tell `reader` from now on, and of what is there already."""
        self._reader = reader
        if self._batches or self._finished:
            self._announce()

    def is_full(self) -> bool:
        """Whether its sender waits until the reader has taken records."""
        return self._full

    def has_records(self) -> bool:
        """Whether a record waits."""
        return self._handed is not None or bool(self._batches)

    def take(self) -> Batch:
        """All that waits, as one batch; there must be something."""
        batches = self._batches
        if self._handed is not None:
            batches.appendleft(self._handed)
        assert self._reader is not None
        # Before they come together: other readers, to whom they may come otherwise, share them.
        batch = together(batches if self._reader.tables else map(records_of, batches))
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
        self.begin()  # or it never would
        if self._reader is not None:
            self._reader.wake()


def _is_large(record: Record) -> bool:
    try:
        return weight(record) > LARGE
    except Unknown:  # a dry run does not know what is in it
        return False
