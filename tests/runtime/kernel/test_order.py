"""Any graph of workloads: each runs once, after all that it needs, and never more than allowed."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime import Context, Job, Out, Records
from gxo.runtime.kernel.instance import CLOSED
from gxo.runtime.settings import Settings
from tests.runtime.kernel.harness import Played, Stage, play


@dataclass
class Drawn:
    """A workload of a random job: what it needs are the numbers of others."""

    after: list[int]
    observes: list[int]
    reads: list[int]
    takes: float
    fails: bool


@st.composite
def jobs(draw: Any) -> tuple[list[Drawn], list[int], int]:
    """Workloads whose needs point to earlier ones, the order they are written in, and the workers.

    A stream group may start only when all its outside needs have ended, so what is read starts a
    group of its own: a workload that reads needs nothing else, nor does what it reads.
    """
    count = draw(st.integers(1, 12))
    drawn: list[Drawn] = []
    free: list[int] = []
    for number in range(count):
        earlier = st.lists(st.integers(0, number - 1), max_size=3) if number else st.just([])
        reads = draw(st.lists(st.sampled_from(free), max_size=2, unique=True)) if free else []
        after = [] if reads else draw(earlier)
        observes = [] if reads else draw(earlier)
        if reads or not (after or observes):
            free.append(number)
        takes = draw(st.sampled_from([0.0, 1.0, 2.5]))
        drawn.append(Drawn(after, observes, reads, takes, draw(st.booleans()) and not reads))
    order = draw(st.permutations(range(count)))
    return drawn, order, draw(st.integers(1, 4))


def build(drawn: list[Drawn], order: list[int], stage: Stage) -> Job:
    job = Job("case")

    def add(number: int, one: Drawn) -> None:
        @job.workload(
            f"w{number}",
            after=[f"w{other}" for other in one.after],
            observes=[f"w{other}" for other in one.observes],
            records=[f"w{other}" for other in one.reads],
            ignore_errors=True,
        )
        async def workload(ctx: Context, records: Records | None, out: Out | None) -> Any:
            stage.note(ctx.workload, "begins")
            try:
                await ctx.clock.sleep(one.takes)
                if records is not None:
                    async for batch in records:
                        if out is not None:
                            await out.send(batch)
                elif out is not None:
                    await out.send([{"from": number}] * 3)
            finally:
                stage.note(ctx.workload, "ends")
            if one.fails:
                raise ValueError("no luck")
            return {}

    for number in order:
        add(number, drawn[number])
    return job


def ended_early(played: Played, name: str) -> bool:
    """Whether its readers had all failed, and so closed its stream, before it could fail."""
    return played.run.nodes[name].reason == CLOSED


@given(jobs())
def test_every_workload_runs_once_and_after_what_it_needs(
    case: tuple[list[Drawn], list[int], int],
) -> None:
    drawn, order, workers = case
    stage = Stage()
    settings = Settings()
    settings.workers = workers
    played = play(build(drawn, order, stage), stage, settings=settings)
    assert played.code == 0
    at = {line.partition(" ")[2]: place for place, line in enumerate(played.trace)}
    assert len(at) == len(played.trace)  # nothing happened twice
    for number, one in enumerate(drawn):
        name = f"w{number}"
        status = played.statuses[name]
        blocked = [
            other
            for other in set(one.after) - set(one.observes)
            if played.statuses[f"w{other}"] not in ("Completed", "Skipped")
        ]
        upstream = [other for other in one.reads if played.statuses[f"w{other}"] == "Failed"]
        fails = (one.fails or upstream) and not ended_early(played, name)
        expected = "Failed" if fails else "Completed"
        assert status == ("Pending" if blocked else expected)
        assert (f"{name} begins" in at) == (status != "Pending")
        if status != "Pending":
            for other in {*one.after, *one.observes}:
                if played.statuses[f"w{other}"] != "Pending":
                    assert at[f"w{other} ends"] < at[f"{name} begins"]


@given(jobs())
def test_no_more_workloads_run_than_workers_allow(
    case: tuple[list[Drawn], list[int], int],
) -> None:
    drawn, order, workers = case
    for one in drawn:
        one.reads.clear()  # groups are never held back
    stage = Stage()
    settings = Settings()
    settings.workers = workers
    trace = play(build(drawn, order, stage), stage, settings=settings).trace
    running = most = 0
    for line in trace:
        running += 1 if line.endswith("begins") else -1
        most = max(most, running)
    assert most <= workers


@given(jobs())
def test_ready_workloads_start_in_playbook_order(case: tuple[list[Drawn], list[int], int]) -> None:
    drawn, order, workers = case
    for one in drawn:
        one.reads.clear()  # a group starts when it is ready
    stage = Stage()
    settings = Settings()
    settings.workers = workers
    run = play(build(drawn, order, stage), stage, settings=settings).run
    for number, one in enumerate(drawn):
        node = run.nodes[f"w{number}"]
        needed = [run.nodes[f"w{other}"] for other in {*one.after, *one.observes}]
        if node.started is None or any(other.ended is None for other in needed):
            continue
        ready = max((other.ended or 0.0 for other in needed), default=0.0)
        overtaken_by = [
            other.name
            for other in run.nodes.values()
            if other.index > node.index
            and other.started is not None
            and ready < other.started < node.started
        ]
        assert not overtaken_by
