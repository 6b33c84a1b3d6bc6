"""Loops written by hand: what no module of the library does, and what cannot be seen from outside."""

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise
from typing import Any

from gxo.runtime import Context, Job, Out, Record, Records, Stage
from gxo.runtime.errors import ModuleError
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.kernel.run import Run
from gxo.runtime.settings import Settings
from gxo.runtime.streams.kernels import Limiter, Splitter, Tail
from gxo.runtime.streams.source import RECORDS_A_TURN
from gxo.runtime.streams.stages import _Source as HeadSource
from gxo.runtime.streams.tables import Batch
from gxo.stdlib.data.limit import Limit
from tests.runtime.kernel.harness import Played, play
from tests.runtime.kernel.harness import Stage as Scene

Batches = AsyncGenerator[list[Record], None]


class Head:
    """Batches of the numbers from 1, each after a pause if there is one, and whether it was closed."""

    def __init__(self, last: int | None, pause: float = 0.0, size: int = 1) -> None:
        self.last = last
        self.pause = pause
        self.size = size
        self.closed = False

    async def batches(self, ctx: Context) -> Batches:
        number = 0
        try:
            while self.last is None or number < self.last:
                if self.pause:
                    await ctx.clock.sleep(self.pause)
                batch = [{"n": number + place} for place in range(1, self.size + 1)]
                number += self.size
                yield batch
        finally:
            self.closed = True


class Sink(Tail):
    """Keeps what comes; fails or waits when it is told to."""

    def __init__(self, *, fails: str = "", finishing: float = 0.0) -> None:
        self.got: list[int] = []
        self.ends: list[str] = []
        self._fails = fails
        self._finishing = finishing
        self._ctx: Context

    def begin(self, ctx: Context) -> "Sink":
        self._ctx = ctx
        if self._fails == "begin":
            raise ModuleError("cannot begin")
        return self

    async def add(self, batch: list[Record]) -> None:
        if self._fails == "add":
            raise ModuleError("cannot add")
        if self._fails == "cancel":
            raise asyncio.CancelledError
        self.got += [record["n"] for record in batch]

    async def finish(self) -> dict[str, int]:
        self.ends.append("finish")
        await self._ctx.clock.sleep(self._finishing)
        if self._fails == "finish":
            raise ModuleError("cannot finish")
        return {"records": len(self.got)}

    def close(self) -> None:
        self.ends.append("close")


class Singly(Splitter):
    """Makes a batch of each record; says so when it is not let to its end."""

    async def split(self, batch: list[Record]) -> Batches:
        try:
            for record in batch:
                yield [record]
        except GeneratorExit:
            raise ModuleError("cannot close") from None


class Never(Limiter):
    """A limit that cannot take anything."""

    is_full = False

    def take(self, batch: list[Record]) -> list[Record]:
        raise ModuleError("cannot take")


def three(
    source: Head,
    sink: Sink,
    passes: Callable[[Record], bool],
    **keywords: dict[str, Any],
) -> Job:
    """A job with a head, a stage that is code of the loop, and a tail."""
    job = Job("loop")

    @job.pipeline(
        job.member("head", lambda ctx: source.batches(ctx), **keywords.get("head", {})),
        job.member("middle", records=["head"], **keywords.get("middle", {})),
        job.member(
            "tail", lambda ctx: sink.begin(ctx), records=["middle"], **keywords.get("tail", {})
        ),
    )
    async def head_to_tail(head: Stage, middle: Stage, tail: Stage) -> None:
        async for batch in head.read():
            passed: list[Record] = []
            for record in middle.each(batch):
                try:
                    if not passes(record):
                        continue
                except Exception as error:
                    await middle.failed(record, error)
                    continue
                passed.append(record)
            await tail.add(passed)

    return job


def run(job: Job, meanwhile: Callable[[Run, Scene], None] | None = None, **settings: Any) -> Played:
    scene, given = Scene(), Settings()
    for name, value in settings.items():
        setattr(given, name, value)
    return play(
        job,
        scene,
        settings=given,
        meanwhile=None if meanwhile is None else lambda run: meanwhile(run, scene),
    )


def statuses(played: Played) -> list[str]:
    return list(played.statuses.values())


def test_a_head_that_never_waits_is_stopped_though_no_record_passes() -> None:
    head, tail = Head(None, size=100), Sink()
    job = three(head, tail, lambda _: False)
    seen: list[int] = []

    def meanwhile(run: Run, scene: Scene) -> None:
        def look() -> None:
            source = run.nodes["head"].source
            seen.append(source.records_out if source is not None else 0)
            if seen[-1] > 5000:
                run.interrupt(2)
            else:
                scene.loop.call_soon(look)

        scene.loop.call_soon(look)

    played = run(job, meanwhile)
    assert statuses(played) == ["Cancelled"] * 3
    assert head.closed and tail.ends == ["close"]
    steps = [after - before for before, after in pairwise(seen)]
    assert max(steps) <= 2 * RECORDS_A_TURN, "others get their turn every so many records"


def test_a_head_that_never_waits_meets_the_time_out_of_any_stage() -> None:
    for late in ("head", "middle", "tail"):
        head, tail = Head(None, pause=0.1), Sink()
        job = three(head, tail, lambda _: False, **{late: {"timeout": 2.0, "ignore_errors": True}})
        played = run(job)
        expected = {"head": "Completed", "middle": "Completed", "tail": "Completed"}
        behind = list(expected)[list(expected).index(late) :]
        assert played.statuses == expected | dict.fromkeys(behind, "Failed")
        assert played.time == 2.0 and head.closed and tail.ends == ["close"]


def test_a_stage_fails_in_each_place() -> None:
    for fails in ("begin", "add", "finish"):
        head, tail = Head(1000), Sink(fails=fails)
        played = run(three(head, tail, lambda _: True))
        assert played.statuses == {"head": "Completed", "middle": "Completed", "tail": "Failed"}
        assert played.run.nodes["tail"].error == f"cannot {fails}"
        assert tail.ends == {"begin": [], "add": ["close"], "finish": ["finish", "close"]}[fails]


def test_a_stage_that_cancels_itself_has_failed() -> None:
    played = run(three(Head(10), Sink(fails="cancel"), lambda _: True))
    assert played.statuses == {"head": "Completed", "middle": "Completed", "tail": "Failed"}
    assert played.run.nodes["tail"].error == "the module cancelled itself"


def test_those_before_are_done_while_the_tail_finishes() -> None:
    head, tail = Head(10), Sink(finishing=5.0)
    played = run(three(head, tail, lambda _: True, head={"timeout": 1.0}, middle={"timeout": 1.0}))
    assert statuses(played) == ["Completed"] * 3
    assert [played.run.nodes[name].ended for name in ("head", "middle", "tail")] == [0, 0, 5]


def test_the_tail_is_stopped_while_it_finishes() -> None:
    tail = Sink(finishing=5.0)
    played = run(three(Head(10), tail, lambda _: True, tail={"timeout": 2.0}))
    assert statuses(played) == ["Completed", "Completed", "Failed"]
    assert played.time == 2.0 and tail.ends == ["finish", "close"]


def test_the_number_of_a_record_is_its_place_in_its_own_stream() -> None:
    def passes(record: Record) -> bool:
        return record["n"] != 7 or bool(record["missing"])

    job = three(Head(10, size=4), Sink(), passes, middle={"on_record_error": "skip"})
    played = run(job)
    assert "middle: record 7 failed" in played.log
    assert played.run.nodes["tail"].records_in == 11


def test_a_job_runs_its_loop_again() -> None:
    job = three(Head(3), tail := Sink(), lambda _: True)
    assert statuses(run(job)) == statuses(run(job)) == ["Completed"] * 3
    assert tail.got == [1, 2, 3, 1, 2, 3]


def test_nothing_of_a_loop_stays_when_its_members_have_ended() -> None:
    for fails in ("", "begin", "add", "finish"):
        tail = Sink(fails=fails)
        played = run(three(Head(10), tail, lambda _: True, tail={"ignore_errors": True}))
        assert not played.run.fused, fails


def test_a_stage_that_has_failed_when_its_reader_closes_has_failed() -> None:
    job = Job("loop")

    @job.workload("numbers")
    async def numbers(ctx: Context, out: Out) -> None:
        await out.send([{"n": 1}])

    @job.pipeline(
        job.member("first", records=["numbers"], summary=lambda *counts: {}),
        job.member("odd", records=["first"], summary=lambda *counts: {}),
    )
    async def first_to_odd(first: Stage, odd: Stage) -> None:
        async for batch in first.read():
            for record in first.each(batch):
                await odd.failed(record, ModuleError("odd"))

    @job.workload("all", records=["odd"])
    async def read(ctx: Context, records: Records) -> None:
        await asyncio.get_running_loop().create_future()

    def meanwhile(run: Run, scene: Scene) -> None:
        def close() -> None:
            """As soon as the loop has met the record, and before the stage's own task has looked."""
            odd = run.nodes["odd"]
            if odd.source is None or not odd.record_errors:
                scene.loop.call_soon(close)
            else:
                odd.source.pipes[0].close()

        scene.loop.call_soon(close)

    played = run(job, meanwhile)
    assert (played.code, played.statuses["odd"]) == (1, "Failed"), played.log


def test_members_end_when_a_stage_cannot_be_closed() -> None:
    job = Job("loop")

    @job.pipeline(
        job.member("head", lambda ctx: Head(3, size=3).batches(ctx)),
        job.member("parts", lambda ctx: Singly(), records=["head"]),
        job.member("first", lambda ctx: Limit(ctx, count=2), records=["parts"]),
    )
    async def head_to_first(head: Stage, parts: Stage, first: Stage) -> None:
        async for batch in head.read():
            async for part in parts.split(batch):
                await first.send(first.take(part))
                if first.is_full:
                    return

    played = run(job)
    assert statuses(played) == ["Completed", "Failed", "Failed"], played.log
    assert played.run.nodes["parts"].error == "cannot close"


def test_a_batch_that_is_split_leaves_nothing_behind() -> None:
    job = Job("loop")
    splits: list[weakref.ref[Any]] = []

    @job.pipeline(
        job.member("head", lambda ctx: Head(20).batches(ctx)),
        job.member("parts", lambda ctx: Singly(), records=["head"]),
    )
    async def head_to_parts(head: Stage, parts: Stage) -> None:
        async for batch in head.read():
            splits.append(weakref.ref(splitting := parts.split(batch)))
            async for part in splitting:
                await parts.send(part)
            assert sum(split() is not None for split in splits) == 1

    played = run(job)
    assert statuses(played) == ["Completed"] * 2, played.log
    assert len(splits) == 20


def test_the_stage_that_ran_has_failed() -> None:
    job = Job("loop")

    @job.pipeline(
        job.member("head", lambda ctx: Head(3).batches(ctx)),
        job.member("never", lambda ctx: Never(), records=["head"]),
    )
    async def head_to_never(head: Stage, never: Stage) -> None:
        async for batch in head.read():
            await never.send(never.take(batch))

    played = run(job)
    assert statuses(played) == ["Completed", "Failed"], played.log
    assert played.run.nodes["never"].error == "cannot take"


def test_what_a_head_would_meet_past_a_limit_is_not_its_failure() -> None:
    async def broken(ctx: Context) -> Batches:
        yield [{"n": 1}]
        await ctx.record_failed({"n": 2}, ModuleError("broken"))

    job = Job("loop")

    @job.pipeline(
        job.member("head", broken),
        job.member("first", lambda ctx: Limit(ctx, count=1), records=["head"]),
    )
    async def head_to_first(head: Stage, first: Stage) -> None:
        async for batch in head.read():
            await first.send(first.take(batch))
            if first.is_full:
                return

    played = run(job)
    assert statuses(played) == ["Completed"] * 2, played.log
    assert played.run.nodes["head"].record_errors == 0


def test_a_head_that_is_in_a_thread_is_closed_after_that() -> None:
    """The look ahead whether it has ended takes no notice of being cancelled until the thread ends."""
    closed = []

    async def batches() -> AsyncGenerator[Batch, None]:
        try:
            yield [{"n": 1}]
            await asyncio.get_running_loop().threads.call(in_thread.wait)  # type: ignore[attr-defined]
            yield [{"n": 2}]
        finally:
            closed.append(True)

    async def look_and_close() -> bool:
        source = HeadSource(batches())
        await anext(source)
        looking = asyncio.ensure_future(source.has_ended())
        closing = asyncio.ensure_future(source.close())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not closing.done()
        in_thread.set()
        await closing
        return await looking

    in_thread = threading.Event()
    with asyncio.Runner(loop_factory=lambda: JobLoop(5.0)) as runner:
        assert runner.run(look_and_close()) is False
    assert closed == [True]
