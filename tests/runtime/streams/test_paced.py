"""Parts of batches are as long as their reader's own work allows, whatever others do meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from gxo.runtime.host import turns
from gxo.runtime.host.tasks import run_all
from gxo.runtime.streams.paced import TURN, Paced
from gxo.runtime.streams.pipes import Batch

BATCH, BATCHES = 64, 20


class Thread:
    """The time of the loop's thread: what tasks say that they have worked."""

    def __init__(self) -> None:
        self.time = 0.0

    def work(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[Thread]:
    one = Thread()
    monkeypatch.setattr(turns, "thread_time", lambda: one.time)
    yield one


async def batches() -> AsyncIterator[Batch]:
    for _ in range(BATCHES):
        await asyncio.sleep(0)
        yield [{}] * BATCH


async def at_once() -> AsyncIterator[Batch]:
    for _ in range(BATCHES):
        yield [{}] * BATCH


async def read(stream: Paced, each: Callable[[int], Awaitable[None]]) -> list[int]:
    """How long the parts of the last batches were: up to twice as long as they may be, by trial."""
    lengths = []
    async for part in stream:
        lengths.append(len(part))
        await each(len(part))
    assert sum(lengths) == BATCH * BATCHES
    return lengths[-5:]


async def busy(thread: Thread, turns_had: list[float]) -> None:
    """Another task, which always has something to do."""
    while True:
        turns_had.append(thread.time)
        thread.work(5 * TURN)
        await asyncio.sleep(0)


def run(reader: Any, thread: Thread) -> tuple[list[int], list[float]]:
    async def both() -> tuple[list[int], list[float]]:
        had: list[float] = []
        other = asyncio.ensure_future(busy(thread, had))
        await asyncio.sleep(0)
        [lengths] = await run_all(reader)
        other.cancel()
        return lengths, had

    return asyncio.run(both(), debug=True)


@pytest.mark.parametrize(("cost", "length"), [(TURN / 1000, BATCH), (TURN / 8, 16), (2 * TURN, 1)])
def test_what_others_do_meanwhile_does_not_count(thread: Thread, cost: float, length: int) -> None:
    async def work(records: int) -> None:
        thread.work(records * cost / 2)
        await asyncio.sleep(0)  # the others, who take long
        thread.work(records * cost / 2)
        await asyncio.sleep(0)

    lengths, had = run(read(Paced(batches()), work), thread)
    assert length / 2 <= max(lengths) <= length
    assert len(had) > BATCHES


def test_a_part_within_a_part_counts_for_both(thread: Thread) -> None:
    async def split(records: int) -> None:
        async def inner() -> AsyncIterator[Batch]:
            yield [{}] * records

        async for part in Paced(inner(), BATCH):
            thread.work(len(part) * TURN / 8)
            await asyncio.sleep(0)

    lengths, _had = run(read(Paced(batches()), split), thread)
    assert max(lengths) <= 16


def test_others_get_their_turn_though_nothing_is_waited_for(thread: Thread) -> None:
    async def work(_records: int) -> None:
        thread.work(0.9 * TURN)  # so no part is too long

    _lengths, had = run(read(Paced(at_once()), work), thread)
    own = [later - before - 5 * TURN for before, later in pairwise(had)]
    assert own and max(own) <= 2 * TURN


def test_a_task_that_is_not_counted_has_its_pace_as_well(thread: Thread) -> None:
    async def work(records: int) -> None:
        thread.work(records * TURN / 8)

    lengths = asyncio.run(read(Paced(batches()), work), debug=True)
    assert 8 <= max(lengths) <= 16


def test_turns_pass_on_what_is_sent_thrown_and_returned() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "done"

    async def cancel() -> str:
        task = asyncio.ensure_future(turns.Turns(stubborn()))
        await asyncio.sleep(0)
        task.cancel()
        assert await turns.Turns(asyncio.sleep(0, "slept")) == "slept"
        return await task

    assert asyncio.run(cancel(), debug=True) == "done"
    turns.Turns(stubborn()).close()  # never begun, and no warning of that


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, [1, 8, 55, 64]), (TURN / 8, [1, 2, 4, 8])],
    ids=["next to nothing", "an eighth of a turn"],
)
def test_parts_of_records_that_cost_nothing_soon_are_whole_batches(
    seconds: float, expected: list[int], thread: Thread
) -> None:
    lengths = []

    async def reader() -> None:
        async for part in Paced(batches()):
            lengths.append(len(part))
            thread.work(seconds * len(part))

    asyncio.run(reader())
    assert lengths[: len(expected)] == expected
