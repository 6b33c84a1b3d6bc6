"""Jobs that share a process share no secret, and what a module made of one goes when it ends."""

import asyncio
import io
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gxo.runtime import Context, Job, Loop, Retry
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.report import report
from gxo.runtime.secrets.keys import REDACTED
from gxo.runtime.settings import Settings
from tests.reports import checked
from tests.runtime.kernel.harness import Stage, play

JOBS = 20
SECRETS = [f"token-of-job-{number:02}" for number in range(JOBS)]


def run_beside_others(number: int, together: threading.Barrier) -> tuple[str, dict[str, Any]]:
    """Run a job that logs and returns everybody's secrets; its log and its report."""
    job = Job(f"job-{number}", secrets=["TOKEN"])

    @job.workload("a", register="a", secrets=["TOKEN"])
    async def a(ctx: Context) -> dict[str, Any]:
        assert ctx.secret("TOKEN") == SECRETS[number]
        together.wait()  # holds the loop up, so that all jobs are right here
        ctx.log("info", " ".join(SECRETS))
        return {"secrets": SECRETS}

    @job.workload("b", after=["a"])
    async def b(ctx: Context) -> None:
        together.wait()
        raise ValueError(" ".join(SECRETS))

    run = Run(job, Settings(), environment={"TOKEN": SECRETS[number]})
    log = io.StringIO()
    run.log = Log(run, "debug", "text", log)
    loop = JobLoop(5.0)
    try:
        assert drive(loop, run) == 1
    finally:
        loop.end(())
    return log.getvalue(), checked(report(run))


def test_20_parallel_jobs_in_one_process_never_mix_their_secrets() -> None:
    together = threading.Barrier(JOBS, timeout=15)
    with ThreadPoolExecutor(JOBS) as pool:
        played = list(pool.map(run_beside_others, range(JOBS), [together] * JOBS))
    for number, (log, told) in enumerate(played):
        expected = [REDACTED if other == number else SECRETS[other] for other in range(JOBS)]
        assert log.count(" ".join(expected)) == 2
        assert SECRETS[number] not in log
        results = told["workload_results"]
        assert results["a"]["summary"] == {"secrets": expected}
        assert results["b"]["error"].endswith(" ".join(expected))


class Buffer(bytearray):
    """What a module has made of a secret."""


async def succeeds(ctx: Context) -> None:
    pass


async def fails(ctx: Context) -> None:
    raise ValueError("no luck")


async def fails_at_first(ctx: Context) -> None:
    if ctx.attempt == 1:
        raise ValueError("no luck")


async def waits(ctx: Context) -> None:
    await ctx.clock.sleep(1e6)


async def fails_beside_others(ctx: Context) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fails(ctx))
        group.create_task(waits(ctx))


ENDINGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "success": (succeeds, {}),
    "failure": (fails, {}),
    "failure in a task group": (fails_beside_others, {}),
    "retries": (fails, {"retry": Retry(attempts=3, delay=1.0)}),
    "retries in a task group": (
        fails_beside_others,
        {"retry": Retry(attempts=3, delay=1.0), "timeout": 1.5},
    ),
    "success after a retry": (fails_at_first, {"retry": Retry(attempts=3, delay=1.0)}),
    "a time-out": (waits, {"timeout": 1.0}),
    "a loop": (fails_at_first, {"loop": Loop([1, 2, 3], parallel=2), "retry": Retry(2, 1.0)}),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_module_made_of_a_secret_is_dropped_when_it_ends(ending: str) -> None:
    end, keywords = ENDINGS[ending]
    made: list[weakref.ref[Buffer]] = []
    job = Job("case", secrets=["TOKEN"])

    async def use(ctx: Context) -> None:
        buffer = Buffer(ctx.secret("TOKEN").encode())
        made.append(weakref.ref(buffer))
        await end(ctx)

    keywords = {"secrets": ["TOKEN"], "ignore_errors": True, **keywords}
    if "loop" in keywords:

        @job.workload("a", **keywords)
        async def each(ctx: Context, item: int) -> None:
            await use(ctx)

    else:
        job.workload("a", **keywords)(use)

    left: list[Buffer] = []

    @job.workload("later", observes=["a"])
    async def later(ctx: Context) -> None:
        await ctx.clock.sleep(1.0)
        left.extend(buffer for ref in made if (buffer := ref()) is not None)

    assert play(job, Stage(), environment={"TOKEN": "s3cret-value"}).code == 0
    assert made
    assert left == []
