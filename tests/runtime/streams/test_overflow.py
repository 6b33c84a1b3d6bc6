"""`buffer_size` counts records, whatever batches they come in: each policy against a list.

What waits in the model is a plain list of at most `buffer_size` numbers, to which records come one by
one. What is sent and read, and when, is drawn; so are the batches, which must not matter.
"""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.errors import StreamError
from gxo.runtime.streams.pipes import Channel, Overflow
from gxo.runtime.streams.ports import Records, WouldBlock
from gxo.runtime.streams.source import Source
from tests.runtime.streams.conformance import batch, numbers, read_all, run, settle

READ = 0
STEPS = st.lists(st.integers(READ, 9), max_size=20)
"""How many records are sent, in one batch; or READ."""
SIZES = st.integers(0, 7)
LOSSY: list[Overflow] = ["drop_new", "drop_oldest", "error"]


@dataclass
class Model:
    """A buffer of records, one by one. failed: one more came than it has room for."""

    size: int
    overflow: Overflow
    waiting: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    dropped: int = 0
    failed: bool = False

    def send(self, number: int) -> None:
        if self.failed:
            return
        if len(self.waiting) < self.size:
            self.waiting.append(number)
        elif self.overflow == "error":
            self.failed = True
        else:
            self.dropped += 1
            if self.overflow == "drop_oldest" and self.waiting:
                self.waiting = [*self.waiting[1:], number]

    def take(self) -> None:
        self.read += self.waiting
        self.waiting = []


@given(STEPS, SIZES, st.sampled_from(LOSSY))
def test_what_overflows_is_what_would_record_by_record(
    steps: list[int], size: int, overflow: Overflow
) -> None:
    model = Model(size, overflow)
    source = Source("a", Channel(size, overflow))
    pipe = source.connect("b")
    records = Records([pipe])

    async def check() -> None:
        sent = 0
        read: list[int] = []
        for step in steps:
            if step == READ:
                model.take()
                try:
                    read += numbers(records.receive_nowait())
                except WouldBlock:
                    pass
            else:
                for number in range(sent, sent + step):
                    model.send(number)
                try:
                    await source.port().send(batch(*range(sent, sent + step)))
                except StreamError:
                    assert model.failed
                    break
                sent += step
            assert (pipe.buffered, pipe.dropped) == (len(model.waiting), model.dropped)
            assert not model.failed
        model.take()
        source.finish()
        assert read + await read_all(records) == model.read
        assert source.records_out == len(model.read) + model.dropped

    run(check())


@given(st.lists(st.integers(1, 9), max_size=9), SIZES, st.sampled_from(LOSSY), st.booleans())
def test_nothing_overflows_before_it_is_known_whether_a_reader_runs(
    batches: list[int], size: int, overflow: Overflow, runs: bool
) -> None:
    model = Model(size, overflow)
    source = Source("a", Channel(size, overflow))
    pipe = source.connect("b", undecided=True)
    records = Records([pipe])
    total = sum(batches)

    async def send() -> None:
        sent = 0
        for count in batches:
            await source.port().send(batch(*range(sent, sent + count)))
            sent += count

    async def check() -> None:
        sending = asyncio.ensure_future(send())
        await settle()
        assert sending.done() == (total <= size)
        assert (pipe.buffered, pipe.dropped) == (source.records_out, 0)
        if not sending.done():
            with pytest.raises(WouldBlock):
                source.port().send_nowait(batch(*range(size + 1)))
        if runs:
            records.begin()
            for number in range(total):
                model.send(number)
        else:
            records.discard()
        await asyncio.wait([sending])
        assert (sending.exception() is not None) == model.failed
        assert (pipe.buffered, pipe.dropped) == (len(model.waiting), model.dropped)
        source.finish()
        model.take()
        assert await read_all(records) == model.read

    run(check())


@given(STEPS, SIZES)
def test_a_sender_that_blocks_waits_for_room_for_its_records(steps: list[int], size: int) -> None:
    source = Source("a", Channel(size))
    pipe = source.connect("b")
    records = Records([pipe])

    async def check() -> None:
        sent = 0
        read: list[int] = []
        sending: asyncio.Task[None] | None = None
        for step in [*steps, READ]:
            if step == READ:
                if pipe.buffered:
                    read += numbers(records.receive_nowait())
            elif sending is None or sending.done():
                some = batch(*range(sent, sent + step))
                sending = asyncio.ensure_future(source.port().send(some))
                sent += step
            await settle()
            assert sending is None or sending.done() == (pipe.buffered <= size)
        assert read == list(range(sent))
        assert sending is None or sending.done()

    run(check())


@given(st.lists(st.integers(1, 9), max_size=20), st.integers(1, 7), st.sampled_from(LOSSY))
def test_nothing_is_lost_while_the_reader_waits(
    batches: list[int], size: int, overflow: Overflow
) -> None:
    """One that is done with what it has, each time it gets its turn, never takes more than wait."""
    source = Source("a", Channel(size, overflow))
    records = Records([source.connect("b")])

    async def check() -> None:
        lengths: list[int] = []

        async def read() -> list[int]:
            got: list[int] = []
            async for some in records:
                lengths.append(len(some))
                got += numbers(some)
            return got

        reading = asyncio.ensure_future(read())
        await settle()
        sent = 0
        for count in batches:
            await source.port().send(batch(*range(sent, sent + count)))
            sent += count
        source.finish()
        assert await reading == list(range(sent))
        assert source.dropped == 0
        assert all(length <= size for length in lengths)

    run(check())
