"""Runs the steps of a `stream:pipeline` (language, section 7).

    events ─ Region ┬ inline, kernel, call, transform      one event after the other
                    └ join ─ Region ┬ call, ...            its records are the events here
                                    └ join ─ ...

An event goes through all steps of its region before the next one is read: that is the
back-pressure, down to the source. The modules of joins run beside, fed through bounded streams, and
a region of its own reads what each of them sends.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from time import thread_time

from gxo.runtime.context import Context
from gxo.runtime.errors import Unknown
from gxo.runtime.host.tasks import run_all
from gxo.runtime.pipelines.rows import Done, OneEvent, Row, matching
from gxo.runtime.pipelines.runs import (
    At,
    Call,
    Inline,
    Join,
    Kernel,
    StepContext,
    Transform,
    origin_of,
)
from gxo.runtime.pipelines.steps import EVENTS, Step, When
from gxo.runtime.spec import Record
from gxo.runtime.streams.paced import TURN
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.tables import Batch

_RUNS: dict[str, Callable[[Step, StepContext], Call | Inline | Kernel | Transform]] = {
    "call": Call,
    "inline": Inline,
    "kernel": Kernel,
    "transform": Transform,
}


BATCH = 500
"""Records that a pipeline sends at a time, where their making waits for nothing."""


async def work(
    steps: Mapping[str, Step],
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    in_batches: bool = False,
) -> int:
    """Run the steps over all events; returns how many there were. in_batches: see `Steps`.

    What the last steps emit, those that no other needs, goes to `out`. The first failure of a
    module ends all, and nothing runs any more when this returns or raises.
    """
    joins = [
        Join(step, {need: origin_of(need, steps) for need in step.needs or (EVENTS,)}, ctx)
        for step in steps.values()
        if step.kind == "join"
    ]
    events = Region(EVENTS, records, steps, joins, ctx, out)
    events.most = BATCH if in_batches else 1
    regions = [Region(join.step.name, join.emitted, steps, joins, ctx, out) for join in joins]
    await run_all(
        events.run(), *(region.run() for region in regions), *(join.run() for join in joins)
    )
    return events.number


class Region:
    """The steps that work on one kind of event: the pipeline's own, or the records of a join.

    number: how many events it has read. most: how many records it may keep back while it works on
    a batch of events.
    """

    def __init__(
        self,
        origin: str,
        records: Records,
        steps: Mapping[str, Step],
        joins: list[Join],
        ctx: Context,
        out: Out | None,
    ) -> None:
        self.number = 0
        self.most = 1
        self._made: list[Record] = []
        self._began = 0.0
        self._origin = origin
        self._records = records
        self._out = out
        self._steps = [one for one in steps.values() if one.kind != "join" and one.origin == origin]
        self._joins = [join for join in joins if origin in join.origins.values()]
        fed = [*self._steps, *(join.step for join in self._joins)]
        self._at = At()
        counts = origin == EVENTS
        self._contexts = {
            one.name: StepContext(ctx, one.name, self._at, counts=counts) for one in fed
        }
        self._runs = {
            one.name: _RUNS[one.kind](one, self._contexts[one.name]) for one in self._steps
        }
        needed = {need for step in steps.values() for need in step.needs}
        names = [origin, *self._runs] if origin != EVENTS else [*self._runs]
        self._ends = [name for name in names if name not in needed]

    async def run(self) -> None:
        """Take every event through the steps, then let the modules end."""
        transforms = [one for one in self._runs.values() if isinstance(one, Transform)]
        modules = [one for one in self._runs.values() if isinstance(one, Kernel | Transform)]
        for module in modules:
            if isinstance(module, Kernel):
                module.begin()
        await run_all(self._read(transforms), *(one.run() for one in transforms))
        for module in modules:
            module.check()

    async def _read(self, transforms: list[Transform]) -> None:
        lost: dict[str, Unknown] = {}
        self._began = thread_time()
        try:
            async for batch in self._records:
                await self._work_on_all(batch)
                if self._is_over():
                    break
        except Unknown as unknown:
            if self._origin == EVENTS:
                raise
            lost[self._origin] = unknown
        self._records.close()
        for transform in transforms:
            transform.finish()
        self._spread(lost)
        for join in self._joins:
            join.finish(self._origin, lost.get(join.step.name))

    def _spread(self, lost: dict[str, Unknown]) -> None:
        """In a dry run, add the steps whose records are not known: they have needed a value that is
        not, or a step that is `lost`.
        """
        for step in [*self._steps, *(join.step for join in self._joins)]:
            found = [lost[need] for need in step.needs or (self._origin,) if need in lost]
            if (own := self._contexts[step.name].lost) is not None:
                found.append(own)
            if found:
                lost[step.name] = found[0]

    def _is_over(self) -> bool:
        """Whether none of the steps that events come to first takes any more."""
        first: tuple[tuple[str, ...], ...] = ((), (self._origin,))
        runs = [self._runs[step.name].over for step in self._steps if step.needs in first]
        joins = [join.is_over(self._origin) for join in self._joins if join.step.needs in first]
        return bool(runs or joins) and all(runs) and all(joins)

    async def _work_on_all(self, batch: Batch) -> None:
        try:
            for record in batch:
                self.number += 1
                await self._work_on(OneEvent(self.number, record))
                if len(self._made) >= self.most:
                    await self._send()
                await self._pause()
        except Exception:
            await self._send()  # what came of the events before
            raise
        await self._send()

    async def _work_on(self, event: OneEvent) -> None:
        self._at.event = event
        start = Row(event, Done(), {})
        if self._origin != EVENTS:
            [start] = start.emits(self._origin, [event.record])
        rows = {self._origin: [start]}
        for step in self._steps:
            needed = [rows[need] for need in step.needs or (EVENTS,)]
            rows[step.name] = await self._emit_all(step, matching(needed))
        for join in self._joins:
            for need, origin in join.origins.items():
                for row in rows[need] if origin == self._origin else ():
                    await self._feed(join, need, row)
        self._made += [
            row.results[end] for end in self._ends for row in rows[end] if end in row.results
        ]

    async def _emit_all(self, step: Step, rows: Iterable[Row]) -> list[Row]:
        """What the step makes of one event's rows, which can be very many."""
        made: list[Row] = []
        for place, row in enumerate(rows):
            if place:
                await self._pause()
            made += await self._emit(step, row)
        return made

    async def _pause(self) -> None:
        """Give others their turn when it is time: what is in line need not wait for anything."""
        if thread_time() - self._began > TURN:
            await self._send()
            await asyncio.sleep(0)
            self._began = thread_time()

    async def _emit(self, step: Step, row: Row) -> list[Row]:
        """What the step makes of the row: one row a record, or the row itself if it is skipped."""
        need = step.needs[0] if len(step.needs) == 1 else EVENTS
        if need != EVENTS and need not in row.results:
            return [row.skips(step.name)]
        record: Record = row.results[need] if need != EVENTS else row.event.record
        if step.when is not None:
            wanted = await self._wants(step.when, step, row, record)
            if wanted is None:
                return []
            if not wanted:
                return [row.skips(step.name)]
        return row.emits(step.name, await self._runs[step.name].emit(row, record))

    async def _feed(self, join: Join, need: str, row: Row) -> None:
        if need != EVENTS and need not in row.results:
            return
        record: Record = row.results[need] if need != EVENTS else row.event.record
        when = join.step.when
        if when is None or await self._wants(when, join.step, row, record):
            await join.feed(need, record)

    async def _wants(self, when: When, step: Step, row: Row, record: Record) -> bool | None:
        """Whether the step's `when` holds; None when it failed and the event is to be left out."""
        context = self._contexts[step.name]
        given = {"ctx": context, "record": record}
        given |= {"event": row.event.record, "steps": row.results}
        try:
            return bool(when(**{name: given[name] for name in step.asked}))
        except Exception as error:
            await context.record_failed(record, error)
            return None
        except Unknown as unknown:
            context.miss(unknown, when)
            context.lose()
            return None

    async def _send(self) -> None:
        made, self._made = self._made, []
        if self._out is not None and made:
            await self._out.send(made)
