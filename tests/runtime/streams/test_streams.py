"""What one pipe cannot show: fan-out, fan-in, overflow, several ports, and how all of it ends."""

import asyncio

import pytest

from gxo.runtime.errors import ModuleError, StreamError, UpstreamFailed
from gxo.runtime.streams.copies import copies_of
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Inputs, Records, WouldBlock
from gxo.runtime.streams.source import ConsumersClosed, Source
from tests.runtime.streams.conformance import batch, numbers, read_all, run, settle


def readers(source: Source, *names: str) -> list[Records]:
    return [Records([source.connect(name)]) for name in names]


def test_every_reader_sees_every_record_and_the_same_objects():
    async def check():
        source = Source("a", Channel(10))
        b, c = readers(source, "b", "c")
        sent = batch(1, 2, 3)
        await source.port().send(sent)
        source.finish()
        seen = [record for each in (b, c) for record in each.receive_nowait()]
        assert numbers(seen) == [1, 2, 3, 1, 2, 3]
        assert all(one is other for one, other in zip(seen, sent * 2, strict=True))
        assert source.records_out == 3

    run(check())


def test_the_slowest_reader_holds_the_producer():
    async def check():
        source = Source("a", Channel(2))
        slow, fast = readers(source, "slow", "fast")
        sender = asyncio.ensure_future(source.port().send(batch(1, 2, 3)))
        await settle()
        assert numbers(fast.receive_nowait()) == [1, 2, 3]
        await settle()
        assert not sender.done()
        assert numbers(slow.receive_nowait()) == [1, 2, 3]
        await sender

    run(check())


def test_a_reader_that_closes_frees_the_producer_for_the_others():
    async def check():
        source = Source("a", Channel(2))
        first, second = readers(source, "first", "second")
        out = source.port()
        sender = asyncio.ensure_future(out.send(batch(1, 2, 3)))
        await settle()
        assert numbers(second.receive_nowait()) == [1, 2, 3]
        first.close()
        await sender
        await out.send(batch(4))
        source.finish()
        assert await read_all(second) == [4]
        await source.drained()
        assert [pipe.state for pipe in source.pipes] == ["closed", "ended"]

    run(check())


def test_a_producer_ends_when_its_started_readers_have_closed():
    called = []

    async def check():
        source = Source("a", Channel(2), when_abandoned=lambda: called.append(1))
        closing, skipped = readers(source, "closing", "skipped")
        skipped.discard()
        assert not called
        closing.close()
        assert called == [1]
        with pytest.raises(ConsumersClosed):
            await source.port().send(batch(1))
        assert source.records_out == 0

    run(check())


def test_a_late_skip_leaves_only_closed_readers():
    async def check():
        source = Source("a", Channel(2))
        closing, skipped = readers(source, "closing", "skipped")
        closing.close()
        assert source.port().wanted
        skipped.discard()
        assert not source.port().wanted

    run(check())


def test_ConsumersClosed_passes_through_a_module_that_handles_its_failures():
    async def module(out):
        try:
            await out.send(batch(1))
        except Exception as error:
            raise AssertionError from error

    async def check():
        source = Source("a", Channel(2))
        readers(source, "b")[0].close()
        with pytest.raises(ConsumersClosed):
            await module(source.port())

    run(check())


def test_merged_producers_take_turns():
    async def check():
        sources = [Source(name, Channel(2)) for name in "ab"]
        merged = Records([source.connect("c") for source in sources])
        for start in (0, 10):
            for source in sources:
                source.port().send_nowait(batch(start))
            assert len(merged.receive_nowait()) == 1
            assert len(merged.receive_nowait()) == 1
            with pytest.raises(WouldBlock):
                merged.receive_nowait()
        sources[0].finish()
        with pytest.raises(WouldBlock):
            merged.receive_nowait()
        sources[1].finish()
        assert merged.receive_nowait() == []

    run(check())


def test_one_failed_producer_fails_the_reader_after_all_that_was_sent():
    async def check():
        good, bad = Source("good", Channel(9)), Source("bad", Channel(9))
        merged = Records([good.connect("c"), bad.connect("c")])
        good.port().send_nowait(batch(1))
        bad.port().send_nowait(batch(2))
        bad.fail(ModuleError("broken"))
        seen = []
        with pytest.raises(UpstreamFailed, match="upstream 'bad' failed"):
            async for each in merged:
                seen += numbers(each)
        assert sorted(seen) == [1, 2]

    run(check())


def test_each_reader_gets_a_failure_of_its_own():
    async def check():
        source = Source("a", Channel(9))
        ports = readers(source, "b", "c")
        source.fail(ModuleError("broken"))
        caught = []
        for port in ports:
            with pytest.raises(UpstreamFailed) as one:
                await anext(port)
            caught.append(one.value)
        assert caught[0] is not caught[1]

    run(check())


OVERFLOW = [
    # buffer_size, overflow, sent in batches, read by the end, dropped
    (3, "drop_new", [[1, 2], [3, 4], [5]], [1, 2, 3], 2),
    (3, "drop_new", [[1, 2, 3, 4, 5]], [1, 2, 3], 2),
    (3, "drop_oldest", [[1, 2], [3, 4], [5]], [3, 4, 5], 2),
    (3, "drop_oldest", [[1, 2, 3, 4, 5]], [3, 4, 5], 2),
    (3, "drop_oldest", [[1], [2, 3, 4, 5, 6, 7]], [5, 6, 7], 4),
    (0, "drop_new", [[1], [2]], [], 2),
    (0, "drop_oldest", [[1], [2]], [], 2),
    (9, "drop_new", [[1], [2]], [1, 2], 0),
    (9, "drop_oldest", [[1], [2]], [1, 2], 0),
]


@pytest.mark.parametrize(("size", "overflow", "sent", "read", "dropped"), OVERFLOW)
def test_overflow_drops_and_counts(size, overflow, sent, read, dropped):
    told = []

    async def check():
        source = Source(
            "a", Channel(size, overflow), when_dropped=lambda pipe, n: told.append((pipe, n))
        )
        (reader,) = readers(source, "b")
        out = source.port()
        for each in sent:
            await out.send(batch(*each))
        source.finish()
        assert await read_all(reader) == read
        assert source.dropped == source.statistics().dropped == dropped
        assert sum(count for _pipe, count in told) == dropped
        assert all(pipe is source.pipes[0] for pipe, _count in told)
        assert source.records_out == reader.records_in + dropped

    run(check())


@pytest.mark.parametrize("overflow", ["drop_new", "drop_oldest"])
def test_without_a_buffer_a_waiting_reader_gets_one_record(overflow):
    async def check():
        source = Source("a", Channel(0, overflow))
        (reader,) = readers(source, "b")
        reading = asyncio.ensure_future(anext(reader))
        await settle()
        await source.port().send(batch(1, 2))
        assert numbers(await reading) == [1]
        assert source.dropped == 1

    run(check())


def test_overflow_error_fails_the_producer_after_what_had_room():
    async def check():
        source = Source("a", Channel(3, "error"))
        b, c = readers(source, "b", "c")
        out = source.port()
        await out.send(batch(1))
        b.receive_nowait()
        with pytest.raises(
            StreamError, match="from 'a' to 'c' overflowed: its buffer_size is 3, and a record more"
        ) as caught:
            await out.send(batch(2, 3, 4))
        assert "buffer_size" in caught.value.hint
        source.fail(caught.value)
        for port, left in ((b, [2, 3]), (c, [1, 2, 3])):
            assert numbers(port.receive_nowait()) == left
            with pytest.raises(UpstreamFailed):
                port.receive_nowait()
        assert source.records_out == out.records_out == 3

    run(check())


def test_a_rendezvous_ends_the_send_when_the_reader_has_the_batch():
    async def check():
        source = Source("a", Channel(0))
        (reader,) = readers(source, "b")
        out = source.port()
        sender = asyncio.ensure_future(out.send(batch(1, 2)))
        await settle()
        assert not sender.done()
        with pytest.raises(WouldBlock):
            out.send_nowait(batch(3))
        assert numbers(await anext(reader)) == [1, 2]
        await sender

    run(check())


def test_instances_of_a_loop_share_the_stream_and_count_for_themselves():
    async def check():
        source = Source("a", Channel(2))
        (reader,) = readers(source, "b")
        ports = [source.port() for _ in range(3)]
        senders = [
            asyncio.ensure_future(port.send(batch(number, number + 10)))
            for number, port in enumerate(ports)
        ]
        await settle()
        assert source.statistics().parked_senders == 2
        assert numbers(await anext(reader)) == [0, 10, 1, 11, 2, 12]
        await asyncio.gather(*senders)
        assert [port.records_out for port in ports] == [2, 2, 2]
        assert source.records_out == 6

    run(check())


def test_inputs_are_a_mapping_in_declared_order():
    async def check():
        left, right = Source("left", Channel(9)), Source("right.errors", Channel(9), side=True)
        (right_records,), (left_records,) = readers(right, "j"), readers(left, "j")
        inputs = Inputs({"right.errors": right_records, "left": left_records})
        assert inputs.names == list(inputs) == ["right.errors", "left"]
        assert len(inputs) == 2
        assert inputs["left"] is left_records
        left.port().send_nowait(batch(1))
        left_records.receive_nowait()
        assert inputs.records_in == 1
        inputs.close()
        assert [source.pipes[0].state for source in (left, right)] == ["closed", "closed"]

    run(check())


@pytest.mark.parametrize("which", [0, 1])
def test_inputs_wait_for_a_record_on_any_port(which):
    async def check():
        sources = [Source(name, Channel(9)) for name in "ab"]
        inputs = Inputs({source.name: readers(source, "j")[0] for source in sources})
        looking = asyncio.ensure_future(inputs.wait_records())
        await settle()
        sources[1 - which].finish()
        await settle()
        assert not looking.done()
        sources[which].port().send_nowait(batch(1))
        assert await looking
        inputs.discard()

    run(check())


def test_inputs_that_end_without_a_record():
    async def check():
        sources = [Source(name, Channel(9)) for name in "ab"]
        inputs = Inputs({source.name: readers(source, "j")[0] for source in sources})
        looking = asyncio.ensure_future(inputs.wait_records())
        await settle()
        for source in sources:
            source.finish()
        assert await looking is False
        for source in sources:
            await source.drained()

    run(check())


def test_inputs_wait_tells_of_a_failure():
    async def check():
        source, other = Source("a", Channel(9)), Source("b", Channel(9))
        inputs = Inputs({"a": readers(source, "j")[0], "b": readers(other, "j")[0]})
        looking = asyncio.ensure_future(inputs.wait_records())
        await settle()
        source.fail(ModuleError("x"))
        with pytest.raises(UpstreamFailed):
            await looking

    run(check())


def test_statistics_say_who_waits_for_whom():
    async def check():
        source = Source("a", Channel(2))
        b, _c = readers(source, "b", "c")
        sender = asyncio.ensure_future(source.port().send(batch(1, 2, 3)))
        await settle()
        b.receive_nowait()
        statistics = source.statistics()
        assert statistics.parked_senders == 1
        assert statistics.records_out == 3
        assert [
            (pipe.producer, pipe.consumer, pipe.buffered, pipe.passed, pipe.state)
            for pipe in statistics.pipes
        ] == [("a", "b", 0, 3, "open"), ("a", "c", 3, 0, "open")]
        assert statistics.pipes[0].buffer_size == 2
        sender.cancel()
        await settle()

    run(check())


def test_memory_is_bounded_by_buffer_and_batch_however_long_the_stream():
    most = 0

    async def check():
        nonlocal most
        source = Source("a", Channel(10))
        (reader,) = readers(source, "b")

        async def produce():
            for start in range(0, 10_000, 5):
                await source.port().send(batch(*range(start, start + 5)))
            source.finish()

        producer = asyncio.ensure_future(produce())
        count = 0
        async for each in reader:
            count += len(each)
            most = max(most, source.records_out - count)
            for _ in range(3):
                await asyncio.sleep(0)
                most = max(most, source.records_out - count)
        await producer
        assert count == 10_000

    run(check())
    assert most <= 10 + 5


def test_copies_of_a_record_that_stands_twice_in_a_batch_are_two():
    async def check():
        source = Source("a", Channel(10))
        (reader,) = readers(source, "b")
        copies_of(reader)
        [record] = batch(1)
        source.port().send_nowait([record])
        source.port().send_nowait([record])
        first, second = reader.receive_nowait()
        first["n"] = 2
        assert (record, second) == ({"n": 1}, {"n": 1})

    run(check())


@pytest.mark.parametrize(("size", "waiting"), [(10, 100), (1_000_000, 4)])
def test_fewer_large_records_wait_where_nobody_says_how_many(size, waiting):
    async def check():
        source = Source("a", Channel())
        readers(source, "b")
        for _ in range(waiting):
            await source.port().send([{"text": "x" * size}])
        sender = asyncio.ensure_future(source.port().send([{"text": "x" * size}]))
        await settle()
        assert not sender.done()
        sender.cancel()
        await settle()

    run(check())
