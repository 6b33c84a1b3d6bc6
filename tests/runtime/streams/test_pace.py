"""A stream runs at its slowest reader's pace, in the memory that its buffers take."""

import pytest

from gxo.runtime import Channel, Context, Job, Out, Records
from gxo.runtime.settings import Settings
from tests.bench.memory import MOST, STREAMS, measured
from tests.runtime.kernel.harness import Stage, play

BUFFER, BATCH, SECONDS = 10, 4, 200


async def endless(ctx: Context, out: Out) -> None:
    number = 0
    while True:
        await out.send([{"n": number + place} for place in range(BATCH)])
        number += BATCH


async def passing(ctx: Context, records: Records, out: Out) -> None:
    async for batch in records:
        await out.send(batch)


async def slow(ctx: Context, records: Records) -> None:
    async for batch in records:
        await ctx.clock.sleep(len(batch))


@pytest.mark.parametrize("stages", [0, 1, 5])
def test_an_endless_source_runs_at_its_sinks_pace(stages: int) -> None:
    job = Job("case")
    channel = Channel(BUFFER, "block")
    job.workload("w0", channel=channel)(endless)
    for stage in range(1, stages + 1):
        job.workload(f"w{stage}", records=[f"w{stage - 1}"], channel=channel)(passing)
    job.workload("slow", records=[f"w{stages}"])(slow)
    settings = Settings()
    settings.timeout = SECONDS
    run = play(job, Stage(), settings=settings).run
    read = run.nodes["slow"].records_in
    assert SECONDS - 1 <= read <= SECONDS + BUFFER + BATCH
    ahead = run.nodes["w0"].records_out - read
    assert 0 < ahead <= (stages + 1) * (BUFFER + BATCH)


@pytest.mark.parametrize("stream", STREAMS)
def test_memory_does_not_grow_with_the_records(stream: str) -> None:
    """From the 10,000th to the 100,000th; if each record stayed, they would take 20 MiB and more."""
    assert measured(stream, 100_000).growth <= MOST
