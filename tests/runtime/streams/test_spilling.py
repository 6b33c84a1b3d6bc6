"""Inputs that share an ancestor, read one after the other in any order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError, StreamError, UpstreamFailed
from gxo.runtime.host.threads import Threads
from gxo.runtime.streams.pipes import Batch, Channel
from gxo.runtime.streams.ports import Inputs, Records, WouldBlock
from gxo.runtime.streams.source import Source
from gxo.runtime.streams.spill import SpillingRecords, limit_spill
from tests.runtime.streams.conformance import batch, read_all, run, settle


@dataclass
class Diamond:
    """A source whose stream comes to one consumer by several ways."""

    source: Source
    ways: list[Source]
    inputs: Inputs
    tasks: list["asyncio.Task[None]"]

    def port(self, number: int) -> Records:
        return self.inputs[str(number)]


@asynccontextmanager
async def diamond(
    ways: int = 2, buffer: int = 2, folder: str | None = None
) -> AsyncIterator[Diamond]:
    source = Source("source", Channel(buffer))
    sides = [Source(str(number), Channel(buffer)) for number in range(ways)]
    threads = Threads(asyncio.get_running_loop())
    ports = [SpillingRecords(side.connect("join"), threads, lambda: folder) for side in sides]
    for port in ports:
        port.others = [other for other in ports if other is not port]
    tasks = [
        asyncio.create_task(pass_on(Records([source.connect(side.name)]), side)) for side in sides
    ]
    inputs = Inputs({side.name: port for side, port in zip(sides, ports, strict=True)})
    yield Diamond(source, sides, inputs, tasks)
    inputs.close()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await threads.close(5)


async def pass_on(records: Records, side: Source) -> None:
    try:
        async for some in records:
            await side.port().send(some)
        side.finish()
    except UpstreamFailed as error:
        side.fail(error)


async def produce(source: Source, sizes: list[int]) -> None:
    number = 0
    for size in sizes:
        await source.port().send(batch(*range(number, number + size)))
        number += size
    source.finish()


SIZES = st.lists(st.integers(1, 9), max_size=30)


@given(st.integers(2, 4).flatmap(lambda n: st.permutations(range(n))), st.integers(0, 5), SIZES)
def test_every_order_of_reading_gets_all_records(order, buffer, sizes):
    async def check():
        async with diamond(len(order), buffer) as one:
            producing = asyncio.create_task(produce(one.source, sizes))
            for number in order:
                assert await read_all(one.port(number)) == list(range(sum(sizes)))
            await producing

    run(check())


@given(st.lists(st.integers(0, 2), max_size=40), SIZES)
def test_a_consumer_may_change_its_mind(choices, sizes):
    async def check():
        async with diamond(3, 1) as one:
            producing = asyncio.create_task(produce(one.source, sizes))
            got: list[list[int]] = [[], [], []]
            for number in [*choices, *[number for number in range(3) for _ in range(sum(sizes))]]:
                some: Batch = await anext(one.port(number), [])
                got[number] += [record["n"] for record in some]
            assert got == [list(range(sum(sizes)))] * 3
            assert one.inputs.records_in == 3 * sum(sizes)
            await producing

    run(check())


def test_a_consumer_that_reads_what_is_there_leaves_the_file_alone(monkeypatch):
    monkeypatch.setattr("tempfile.TemporaryFile", None)

    async def check():
        async with diamond() as one:
            producing = asyncio.create_task(produce(one.source, [1, 2, 3, 4]))
            both = await asyncio.gather(read_all(one.port(0)), read_all(one.port(1)))
            assert both == [list(range(10))] * 2
            await producing

    run(check())


def test_a_consumer_that_is_busy_holds_the_source():
    async def check():
        async with diamond() as one:
            producing = asyncio.create_task(produce(one.source, [1] * 100))
            await settle()
            assert one.source.records_out < 10
            assert not producing.done()
            producing.cancel()
            await asyncio.wait([producing])

    run(check())


def test_a_failure_comes_after_the_records_that_wait():
    async def check():
        async with diamond() as one:
            await asyncio.gather(one.source.port().send(batch(*range(9))), settle())
            reading = asyncio.create_task(read_all(one.port(0)))
            await settle()
            one.source.fail(ModuleError("no luck"))
            with pytest.raises(UpstreamFailed):
                await reading
            seen = []
            with pytest.raises(UpstreamFailed):
                async for some in one.port(1):
                    seen += [record["n"] for record in some]
            assert seen == list(range(9))

    run(check())


def test_more_than_the_limit_is_an_error(tmp_path):
    async def check():
        async with diamond(folder=str(tmp_path)) as one:
            limit_spill(one.inputs, 20)
            producing = asyncio.create_task(produce(one.source, [3] * 100))
            text = "more than 20 bytes of '1' wait in a file until 'join' reads them"
            with pytest.raises(StreamError, match=text):
                await read_all(one.port(0))
            producing.cancel()
            await asyncio.wait([producing])
        assert list(tmp_path.iterdir()) == []

    run(check())


def test_a_disk_that_is_full_is_told_to_every_reader(monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)

    async def check():
        async with diamond() as one:
            producing = asyncio.create_task(produce(one.source, [3] * 100))
            for number in (0, 1):
                with pytest.raises(OSError, match="No space left"):
                    await read_all(one.port(number))
            producing.cancel()
            await asyncio.wait([producing])

    run(check())


def test_a_record_that_is_no_data():
    async def check():
        async with diamond() as one:
            sending = asyncio.create_task(one.source.port().send([{"n": lambda: None}] * 9))
            sending_more = asyncio.create_task(one.source.port().send(batch(1)))
            with pytest.raises(StreamError, match="a record cannot wait in a file"):
                await read_all(one.port(0))
            await asyncio.wait([sending, sending_more])

    run(check())


def test_reading_without_waiting():
    async def check():
        async with diamond() as one:
            producing = asyncio.create_task(produce(one.source, [3] * 9))
            assert len(await read_all(one.port(0))) == 27
            got: list[int] = []
            while True:
                try:
                    some = one.port(1).receive_nowait()
                except WouldBlock:
                    await settle()
                    continue
                if not some:
                    break
                got += [record["n"] for record in some]
            assert got == list(range(27))
            await producing

    run(check())
