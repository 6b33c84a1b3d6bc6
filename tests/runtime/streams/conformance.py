"""What every stream must do, whatever it is made of (in the style of trio's check_one_way_stream).

    check_stream(make)      make() gives a fresh stream whose pipes hold BUFFER records

What overflows, if it does not block, is looked at as its strategy wants it. Time plays no part:
`settle` lets every task run until all are parked.
"""

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

import pytest

from gxo.runtime.errors import ModuleError, StreamError, UpstreamFailed
from gxo.runtime.spec import Record
from gxo.runtime.streams.pipes import Pipe
from gxo.runtime.streams.ports import Out, Records, WouldBlock
from gxo.runtime.streams.source import ConsumersClosed, Source

BUFFER = 3
T = TypeVar("T")


@dataclass
class Stream:
    """One way from a producer to a consumer, and what else must move so that it does."""

    source: Source
    out: Out
    records: Records
    pipe: Pipe
    aside: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    side: bool = False

    @property
    def failed(self) -> str:
        return f"upstream '{self.source.name}' failed"


def run(coroutine: Coroutine[object, object, T]) -> T:
    """Run in a fresh loop, in asyncio's debug mode."""
    return asyncio.run(coroutine, debug=True)


async def settle() -> None:
    """Let every other task run until it waits for something that this one must do."""
    for _ in range(30):
        await asyncio.sleep(0)


def batch(*numbers: int) -> list[Record]:
    return [{"n": number} for number in numbers]


def numbers(records: list[Record]) -> list[int]:
    return [record["n"] for record in records]


async def read_all(records: Records) -> list[int]:
    return [record["n"] async for each in records for record in each]


Check = Callable[[Stream], Awaitable[None]]


def check_stream(make: Callable[[], Stream]) -> None:
    """Run every check that fits its way to overflow on a fresh stream."""
    for check in [*CHECKS, *chain.from_iterable(BY_OVERFLOW.values())]:
        run(_checked(check, make))


async def _checked(check: Check, make: Callable[[], Stream]) -> None:
    stream = make()
    if check not in CHECKS and check not in BY_OVERFLOW[stream.source.channel.overflow]:
        return
    others = [asyncio.ensure_future(start()) for start in stream.aside]
    try:
        await check(stream)
    finally:
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def keeps_order_and_ends(stream: Stream) -> None:
    async def produce() -> None:
        for start in range(0, 40, 4):
            await stream.out.send(batch(*range(start, start + 4)))
        stream.source.finish()
        await stream.source.drained()

    producer = asyncio.ensure_future(produce())
    assert await read_all(stream.records) == list(range(40))
    await producer
    assert stream.records.records_in == stream.out.records_out == 40
    assert stream.source.records_out == 40
    assert await read_all(stream.records) == []
    assert stream.records.receive_nowait() == []
    assert stream.pipe.state == "ended"


async def ends_without_records(stream: Stream) -> None:
    stream.source.finish()
    stream.source.finish()
    assert await read_all(stream.records) == []
    await stream.source.drained()


async def sends_nothing_for_an_empty_batch(stream: Stream) -> None:
    await stream.out.send([])
    stream.out.send_nowait([])
    with pytest.raises(WouldBlock):
        stream.records.receive_nowait()
    assert stream.out.records_out == 0


async def gives_all_that_waits_as_one_batch(stream: Stream) -> None:
    stream.out.send_nowait(batch(1))
    stream.out.send_nowait(batch(2, 3))
    assert numbers(stream.records.receive_nowait()) == [1, 2, 3]
    with pytest.raises(WouldBlock):
        stream.records.receive_nowait()


async def refuses_without_waiting_what_does_not_fit(stream: Stream) -> None:
    stream.out.send_nowait(batch(1, 2))
    with pytest.raises(WouldBlock):
        stream.out.send_nowait(batch(3, 4))
    assert stream.out.records_out == 2
    stream.out.send_nowait(batch(3))
    assert stream.pipe.statistics().buffered == 3
    assert numbers(stream.records.receive_nowait()) == [1, 2, 3]


async def parks_a_sender_until_its_batch_is_taken(stream: Stream) -> None:
    stream.out.send_nowait(batch(1, 2, 3))
    sender = asyncio.ensure_future(stream.out.send(batch(4)))
    await settle()
    assert not sender.done()
    assert stream.source.statistics().parked_senders == 1
    assert numbers(stream.records.receive_nowait()) == [1, 2, 3, 4]
    await settle()
    assert sender.done()
    assert stream.source.statistics().parked_senders == 0


async def wakes_a_parked_reader(stream: Stream) -> None:
    reader = asyncio.ensure_future(anext(stream.records))
    await settle()
    assert not reader.done()
    await stream.out.send(batch(*range(BUFFER)))
    assert numbers(await reader) == list(range(BUFFER))


async def gives_a_parked_reader_all_of_a_batch(stream: Stream) -> None:
    reader = asyncio.ensure_future(anext(stream.records))
    await settle()
    await stream.out.send(batch(*range(10)))  # more than the buffer: the rest is the sender's
    assert numbers(await reader) == list(range(10))


async def loses_nothing_while_its_reader_waits(stream: Stream) -> None:
    reader = asyncio.ensure_future(read_all(stream.records))
    await settle()
    await stream.out.send(batch(*range(10)))
    stream.source.finish()
    assert await reader == list(range(10))
    assert stream.source.dropped == 0


async def gives_a_parked_reader_no_more_than_may_wait(stream: Stream) -> None:
    reader = asyncio.ensure_future(anext(stream.records))
    await settle()
    with suppress(StreamError):
        await stream.out.send(batch(*range(10)))
    first = numbers(await reader)
    assert first == list(range(BUFFER))
    assert stream.pipe.statistics().buffered == BUFFER


async def wakes_a_parked_reader_at_the_end(stream: Stream) -> None:
    reader = asyncio.ensure_future(read_all(stream.records))
    await settle()
    stream.source.finish()
    assert await reader == []


async def loses_nothing_when_a_reader_is_cancelled(stream: Stream) -> None:
    reader = asyncio.ensure_future(anext(stream.records))
    await settle()
    stream.out.send_nowait(batch(1, 2))
    reader.cancel()  # it was woken, but has not run
    await settle()
    assert reader.cancelled()
    stream.out.send_nowait(batch(3))
    stream.source.finish()
    assert await read_all(stream.records) == [1, 2, 3]


async def sends_once_when_a_sender_is_cancelled(stream: Stream) -> None:
    sender = asyncio.ensure_future(stream.out.send(batch(1, 2, 3, 4)))
    await settle()
    sender.cancel()
    await settle()
    assert sender.cancelled()
    assert stream.source.statistics().parked_senders == 0
    assert stream.out.records_out == 4
    stream.source.finish()
    assert await read_all(stream.records) == [1, 2, 3, 4]


async def fails_after_what_was_sent(stream: Stream) -> None:
    stream.out.send_nowait(batch(1, 2))
    cause = ModuleError("no route to host")
    stream.source.fail(cause)
    stream.source.finish()  # too late to make it a success
    seen = []
    with pytest.raises(UpstreamFailed) as caught:
        async for each in stream.records:
            seen += numbers(each)
    assert seen == [1, 2]
    assert caught.value.message == stream.failed
    assert caught.value.__cause__ is cause
    with pytest.raises(UpstreamFailed):
        stream.records.receive_nowait()
    with pytest.raises(UpstreamFailed):
        await stream.records.wait_records()
    await stream.source.drained()


async def passes_the_first_failure_on(stream: Stream) -> None:
    stream.source.fail(UpstreamFailed("upstream 'first' failed"))
    with pytest.raises(UpstreamFailed, match=r"^upstream 'first' failed$"):
        await anext(stream.records)


async def wakes_a_parked_reader_with_a_failure(stream: Stream) -> None:
    reader = asyncio.ensure_future(read_all(stream.records))
    await settle()
    stream.source.fail(ModuleError("gone"))
    with pytest.raises(UpstreamFailed):
        await reader


async def ends_a_parked_sender_when_its_readers_close(stream: Stream) -> None:
    sender = asyncio.ensure_future(stream.out.send(batch(1, 2, 3, 4)))
    await settle()
    stream.records.close()
    stream.records.close()
    if stream.side:
        await sender
        await stream.out.send(batch(5))
        assert stream.out.wanted
    else:
        with pytest.raises(ConsumersClosed):
            await sender
        with pytest.raises(ConsumersClosed):
            await stream.out.send(batch(5))
        with pytest.raises(ConsumersClosed):
            stream.out.send_nowait(batch(5))
        assert not stream.out.wanted
    stream.source.finish()
    await stream.source.drained()
    assert await read_all(stream.records) == []


async def discards_for_a_skipped_reader(stream: Stream) -> None:
    sender = asyncio.ensure_future(stream.out.send(batch(1, 2, 3, 4)))
    await settle()
    stream.records.discard()
    await sender
    for start in range(100):
        await stream.out.send(batch(start))
    assert stream.out.wanted
    stream.source.finish()
    await stream.source.drained()
    assert stream.source.dropped == 0


async def is_drained_when_the_reader_has_met_the_end(stream: Stream) -> None:
    stream.out.send_nowait(batch(1))
    stream.source.finish()
    drained = asyncio.ensure_future(stream.source.drained())
    await settle()
    assert numbers(await anext(stream.records)) == [1]
    await settle()
    assert not drained.done()  # the reader may still be at work on its last batch
    assert await read_all(stream.records) == []
    await drained


async def is_drained_when_the_reader_closes(stream: Stream) -> None:
    stream.out.send_nowait(batch(1))
    stream.source.finish()
    drained = asyncio.ensure_future(stream.source.drained())
    await settle()
    stream.records.close()
    await drained


async def looks_for_records_without_taking_them(stream: Stream) -> None:
    looking = asyncio.ensure_future(stream.records.wait_records())
    await settle()
    assert not looking.done()
    stream.out.send_nowait(batch(1))
    assert await looking
    assert stream.records.records_in == 0
    stream.source.finish()
    assert await stream.records.wait_records()
    assert await read_all(stream.records) == [1]
    assert not await stream.records.wait_records()
    await stream.source.drained()


async def has_one_reader_at_a_time(stream: Stream) -> None:
    reader = asyncio.ensure_future(anext(stream.records))
    await settle()
    with pytest.raises(RuntimeError, match="already being read"):
        await anext(stream.records)
    stream.out.send_nowait(batch(1))
    assert numbers(await reader) == [1]


async def takes_nothing_after_its_end(stream: Stream) -> None:
    stream.source.finish()
    with pytest.raises(RuntimeError, match="has ended"):
        await stream.out.send(batch(1))


async def gives_others_a_turn(stream: Stream) -> None:
    stream.records.discard()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(count())
    for _ in range(20):
        await stream.out.send(batch(*range(500)))
    other.cancel()
    assert turns >= 5


@types.coroutine
def _counted(
    coroutine: Coroutine[object, object, T], waits: list[None]
) -> Generator[object, object, T]:
    """Run it, and note each time that it waits."""
    while True:
        try:
            awaited = coroutine.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        waits.append(None)
        yield awaited


async def wakes_its_reader_once_a_batch(stream: Stream) -> None:
    waits: list[None] = []

    async def read() -> list[int]:
        return await _counted(read_all(stream.records), waits)

    reader = asyncio.ensure_future(read())
    await settle()
    for start in range(5):
        await stream.out.send(batch(start, start, start))
        await settle()
    stream.source.finish()
    assert len(await reader) == 15
    assert len(waits) == 6  # for each batch, and for the end


async def counts_all_that_passes(stream: Stream) -> None:
    stream.out.send_nowait(batch(1, 2))
    statistics = stream.pipe.statistics()
    assert (statistics.buffered, statistics.passed, statistics.dropped) == (2, 0, 0)
    assert statistics.buffer_size == BUFFER
    stream.records.receive_nowait()
    stream.out.send_nowait(batch(3))
    statistics = stream.pipe.statistics()
    assert (statistics.buffered, statistics.passed, statistics.dropped) == (1, 2, 0)
    assert stream.source.statistics().records_out == 3


async def drops_the_new_ones(stream: Stream) -> None:
    await _drops(stream, [1, 2, 3])


async def drops_the_oldest_ones(stream: Stream) -> None:
    await _drops(stream, [3, 4, 5])


async def _drops(stream: Stream, left: list[int]) -> None:
    await stream.out.send(batch(1, 2))
    await stream.out.send(batch(3, 4, 5))
    assert stream.pipe.statistics().buffered == BUFFER
    assert numbers(stream.records.receive_nowait()) == left
    assert stream.source.records_out == stream.pipe.passed + stream.pipe.dropped == 5
    await stream.out.send(batch(6))
    stream.source.finish()
    assert await read_all(stream.records) == [6]
    assert stream.source.dropped == 2


async def refuses_what_overflows(stream: Stream) -> None:
    await stream.out.send(batch(1, 2))
    with pytest.raises(StreamError, match="overflowed"):
        await stream.out.send(batch(3, 4))
    assert stream.out.records_out == stream.source.records_out == 3
    assert numbers(stream.records.receive_nowait()) == [1, 2, 3]


async def ends_a_sender_when_its_readers_have_closed(stream: Stream) -> None:
    stream.records.close()
    assert stream.out.wanted == stream.side
    if not stream.side:
        with pytest.raises(ConsumersClosed):
            await stream.out.send(batch(1))
    stream.source.finish()
    await stream.source.drained()


CHECKS: list[Check] = [
    ends_without_records,
    sends_nothing_for_an_empty_batch,
    gives_all_that_waits_as_one_batch,
    wakes_a_parked_reader,
    wakes_a_parked_reader_at_the_end,
    loses_nothing_when_a_reader_is_cancelled,
    fails_after_what_was_sent,
    passes_the_first_failure_on,
    wakes_a_parked_reader_with_a_failure,
    is_drained_when_the_reader_has_met_the_end,
    is_drained_when_the_reader_closes,
    looks_for_records_without_taking_them,
    has_one_reader_at_a_time,
    takes_nothing_after_its_end,
    gives_others_a_turn,
    wakes_its_reader_once_a_batch,
    counts_all_that_passes,
    ends_a_sender_when_its_readers_have_closed,
]

EXACTLY: list[Check] = [
    loses_nothing_while_its_reader_waits,
    gives_a_parked_reader_no_more_than_may_wait,
]

BY_OVERFLOW: dict[str, list[Check]] = {
    "block": [
        keeps_order_and_ends,
        gives_a_parked_reader_all_of_a_batch,
        refuses_without_waiting_what_does_not_fit,
        parks_a_sender_until_its_batch_is_taken,
        sends_once_when_a_sender_is_cancelled,
        ends_a_parked_sender_when_its_readers_close,
        discards_for_a_skipped_reader,
    ],
    "drop_new": [drops_the_new_ones, *EXACTLY],
    "drop_oldest": [drops_the_oldest_ones, *EXACTLY],
    "error": [refuses_what_overflows, *EXACTLY],
}
