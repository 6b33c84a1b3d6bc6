"""How a pipeline runs: in turns, within bounds, to its end, and leaving nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ModuleError, RecordError, StreamError
from gxo.runtime.pipelines.steps import Steps
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import ConsumersClosed, Source
from gxo.stdlib.stream import pipeline
from tests.stdlib.harness import Bench, bench, run


class Streams:
    """A producer that sends as long as it can, and a consumer that reads what it is told to."""

    def __init__(self, buffer: int = 0) -> None:
        self.input = Source("events", Channel(buffer))
        self.records = Records([self.input.connect("pipe")])
        self.output = Source("pipe", Channel(buffer))
        self.reader = Records([self.output.connect("reader")])

    async def produce(self, last: int | None = None) -> None:
        port = self.input.port()
        number = 0
        try:
            while number != last:
                number += 1
                await port.send([{"n": number}])
        except ConsumersClosed:
            return
        self.input.finish()


@asynccontextmanager
async def running(steps: Steps, workbench: Bench, streams: Streams) -> AsyncIterator[Any]:
    """The pipeline as a task; at the end nothing of it may be left."""
    ports = (streams.records, streams.output.port())
    task = asyncio.ensure_future(pipeline(workbench.context, *ports, steps=steps))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        streams.records.close()
        streams.reader.close()


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def all_kinds(trace: list[str]) -> Steps:
    """A transform, a call that waits, a join that counts, and a call behind it."""
    steps = Steps()

    @steps.transform("double")
    async def double(ctx: Any, records: Any, out: Any) -> None:
        async for batch in records:
            for record in batch:
                trace.append(f"double {record['n']}")
                await out.send([{"n": record["n"] * 2}])

    @steps.call("wait", needs=["double"])
    async def wait(ctx: Any, record: Any) -> Any:
        trace.append(f"wait {record['n']}")
        await turns(2)
        return record

    @steps.join("count", needs=["wait"])
    async def count(ctx: Any, records: Any, out: Any) -> None:
        async for batch in records:
            await out.send([{"count": len(batch)}])

    @steps.call("tell", needs=["count"])
    async def tell(ctx: Any, record: Any, steps: Any) -> Any:
        trace.append(f"tell {steps['count']['count']}")
        return record

    return steps


@pytest.mark.parametrize("turn", range(0, 60, 3))
def test_a_cancelled_pipeline_leaves_nothing(turn: int, tmp_path: Path) -> None:
    async def play() -> None:
        streams = Streams()
        async with bench(tmp_path) as workbench:
            producer = asyncio.ensure_future(streams.produce())
            async with running(all_kinds([]), workbench, streams) as task:
                await turns(turn)
            assert task.cancelled()
            await producer

    run(play())


def test_an_event_is_through_before_the_next_one_is_begun(tmp_path: Path) -> None:
    async def play() -> list[str]:
        trace: list[str] = []
        streams = Streams(100)
        async with bench(tmp_path) as workbench:
            await streams.produce(3)
            async with running(all_kinds(trace), workbench, streams) as task:
                assert (await task)["records_processed"] == 3
        return [one for one in trace if not one.startswith("tell")]

    assert run(play()) == ["double 1", "wait 2", "double 2", "wait 4", "double 3", "wait 6"]


def test_a_consumer_that_does_not_read_holds_the_source(tmp_path: Path) -> None:
    async def play() -> int:
        streams = Streams()
        async with bench(tmp_path) as workbench:
            producer = asyncio.ensure_future(streams.produce())
            async with running(all_kinds([]), workbench, streams):
                await turns(5000)
                sent = streams.input.records_out
                await turns(5000)
                assert streams.input.records_out == sent
            await producer
            return sent

    assert run(play()) < 500


def test_a_pipeline_whose_steps_need_no_more_ends_its_source(tmp_path: Path) -> None:
    steps = Steps()

    @steps.transform("two")
    async def two(ctx: Any, records: Any, out: Any) -> None:
        async for batch in records:
            await out.send(batch)
            if batch[0]["n"] == 2:
                return

    @steps.join("first")
    async def first(ctx: Any, records: Any) -> Any:
        return (await anext(records))[0]

    async def play() -> list[Any]:
        streams = Streams(10)
        async with bench(tmp_path) as workbench:
            producer = asyncio.ensure_future(streams.produce())
            async with running(steps, workbench, streams) as task:
                await task
                streams.output.finish()
                read = [record async for batch in streams.reader for record in batch]
            await producer
            return sorted(record["n"] for record in read)

    assert run(play()) == [1, 1, 2]


def test_when_all_consumers_have_closed_it_ends(tmp_path: Path) -> None:
    async def play() -> None:
        streams = Streams()
        async with bench(tmp_path) as workbench:
            producer = asyncio.ensure_future(streams.produce())
            async with running(all_kinds([]), workbench, streams) as task:
                await streams.reader.__anext__()
                streams.reader.close()
                with pytest.raises(ConsumersClosed):
                    await task
            await producer

    run(play())


def one_after_the_other() -> Steps:
    """A join that reads one of its inputs to the end before it begins with the other."""
    steps = Steps()

    @steps.call("left")
    async def left(ctx: Any, record: Any) -> Any:
        return record

    @steps.call("right")
    async def right(ctx: Any, record: Any) -> Any:
        return record

    @steps.join("both", needs=["left", "right"])
    async def both(ctx: Any, inputs: Any) -> Any:
        return {name: [r["n"] async for batch in inputs[name] for r in batch] for name in inputs}

    return steps


def test_a_join_may_read_its_inputs_one_after_the_other(tmp_path: Path) -> None:
    async def play() -> Any:
        streams = Streams(1000)
        async with bench(tmp_path) as workbench:
            await streams.produce(500)
            async with running(one_after_the_other(), workbench, streams) as task:
                await task
                return (await anext(streams.reader))[0]

    numbers = list(range(1, 501))
    assert run(play()) == {"left": numbers, "right": numbers}


def test_what_waits_for_such_a_join_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gxo.runtime.streams.spill.MOST", 20)
    text = "more than 20 bytes of 'right' wait in a file until 'both' reads them"
    run(ends_with(one_after_the_other(), tmp_path, StreamError, text, events=400))


async def ends_with(
    steps: Steps, folder: Path, kind: type[Exception], text: str, events: int = 3
) -> None:
    streams = Streams(1000)
    async with bench(folder) as workbench:
        await streams.produce(events)
        async with running(steps, workbench, streams) as task:
            with pytest.raises(kind, match=text):
                await task


def test_a_transform_that_keeps_a_record_back_is_told_on(tmp_path: Path) -> None:
    steps = Steps()

    @steps.transform("late")
    async def late(ctx: Any, records: Any, out: Any) -> None:
        async for _ in records:
            pass
        await out.send([{"n": 1}])

    text = "step 'late': the module sent a record after it had read the last"
    run(ends_with(steps, tmp_path, ModuleError, text))


@pytest.mark.parametrize("when", ["at once", "on a record", "at the end"])
@pytest.mark.parametrize("kind", ["transform", "join"])
def test_a_module_that_fails_ends_all(kind: str, when: str, tmp_path: Path) -> None:
    steps = all_kinds([])

    async def fails(ctx: Any, records: Any, out: Any) -> None:
        if when == "at once":
            raise ModuleError("no")
        async for _ in records:
            if when == "on a record":
                raise ModuleError("no")
        raise ModuleError("no")

    getattr(steps, kind)("fails", needs=["wait"])(fails)
    run(ends_with(steps, tmp_path, ModuleError, "no"))


def test_a_call_that_fails_is_a_record_error(tmp_path: Path) -> None:
    steps = Steps()

    @steps.call("fails")
    async def fails(ctx: Any, record: Any) -> Any:
        raise ModuleError(f"no {record['n']}")

    run(ends_with(steps, tmp_path, RecordError, "record 1 failed: step 'fails': no 1"))
