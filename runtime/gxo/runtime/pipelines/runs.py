"""How the modules of steps run: called for each record, in turns, or beside (see pipeline.py)."""

import asyncio
from collections.abc import Mapping
from itertools import compress
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, Unknown
from gxo.runtime.pipelines.rows import Live, OneEvent, Row
from gxo.runtime.pipelines.steps import EVENTS, GIVEN, Step
from gxo.runtime.spec import Record
from gxo.runtime.streams.kernels import Limiter, Splitter
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Inputs, Out, Records
from gxo.runtime.streams.records import record_failed
from gxo.runtime.streams.source import ConsumersClosed, Source
from gxo.runtime.streams.tables import Batch


class At:
    """Where a region is: the event that its steps work on."""

    __slots__ = ("event",)

    def __init__(self) -> None:
        self.event: OneEvent | None = None


class StepContext(Context):
    """What a step's module is given. at: the event that its region works on; None in a join.

    counts: whether the events are the pipeline's own, so that losing all of them fails it. lost: in
    a dry run, that what the step would emit is not known.
    """

    __slots__ = ("at", "counts", "lost", "step")
    step: str

    def __init__(
        self, ctx: Context, step: str, at: "At | None" = None, *, counts: bool = False
    ) -> None:
        super().__init__(ctx._run, ctx._node, ctx.attempt, ctx.iteration)
        self.step = step
        self.counts = counts
        self.at = at
        self.lost: Unknown | None = None

    def miss(self, unknown: Unknown, when: Any = None) -> Any:
        """In a dry run, the step needs a value that is not known. Returns what it would return."""
        forecast = self._run.forecast
        assert forecast is not None
        return forecast.miss_step(self, unknown, when)

    def lose(self) -> None:
        """In a dry run, what the step would emit is not known: nor what the pipeline would."""
        forecast = self._run.forecast
        assert forecast is not None
        forecast.of(self.workload).lost = True
        self.lost = Unknown(f"the records of '{self.step}'")

    async def record_failed(
        self, record: Record, error: Exception, number: int | None = None
    ) -> None:
        """As `Context.record_failed`. What has failed is the event, whichever step it was in."""
        event, lost = self.at.event if self.at is not None else None, False
        if event is not None:
            record, number = event.record, event.number
            lost = self.counts and not event.failed
            event.failed = True
        await record_failed(self._run, self._node, record, error, number, step=self.step, lost=lost)


class Gathered(Out):
    """The output port of a step whose records stay with their event: it keeps them."""

    __slots__ = ("_kept",)

    def __init__(self, name: str) -> None:
        super().__init__(Source(name, Channel()))
        self._kept: list[Record] = []

    async def send(self, batch: Batch) -> None:
        self.send_nowait(batch)

    def send_nowait(self, batch: Batch) -> None:
        self._kept += batch
        self.records_out += len(batch)

    def take(self) -> list[Record]:
        """All that was sent since this was last called."""
        batch, self._kept = self._kept, []
        return batch


class Call:
    """A step whose module is called for each record. It never ends by itself."""

    over = False

    def __init__(self, step: Step, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._out = Gathered(step.name)

    async def emit(self, row: Row, record: Record) -> list[Record]:
        """What the step makes of the record; nothing when it failed and is to be left out."""
        given: dict[str, Any] = {"record": record, "out": self._out}
        given |= {"event": row.event.record, "steps": row.results}
        parameters = {name: given[name] for name in self._step.parameters}
        try:
            result = await self._step.function(self._context, **parameters)
        except Exception as error:
            self._out.take()
            await self._context.record_failed(record, error)
            return []
        except Unknown as unknown:
            result = self._context.miss(unknown)
            if "out" in parameters:
                self._context.lose()
        return self._out.take() if "out" in parameters else [result]


class Kernel:
    """A step whose module's kernel takes each record. over: it takes no more.

    What fails as it is made fails as the module would: with the first record, or in the end.
    """

    def __init__(self, step: Step, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._kernel: Limiter | Splitter | None = None
        self._error: Exception | None = None
        self.over = False

    def begin(self) -> None:
        """Make the kernel. It does not raise that this fails: `emit` does, or `check`."""
        try:
            self._kernel = kernel = self._step.function(self._context)
            self.over = isinstance(kernel, Limiter) and kernel.is_full
        except Exception as error:
            self._error, self.over = error, True
        except Unknown as unknown:
            self._miss(unknown)

    async def emit(self, row: Row, record: Record) -> Batch:  # noqa: ARG002 - as the others do
        """What the kernel makes of the record; nothing once it takes no more."""
        self.check()
        kernel = self._kernel
        if self.over or kernel is None:
            return []
        if isinstance(kernel, Limiter):
            taken = kernel.take([record])
            self.over = kernel.is_full
            return taken
        return await self._split(kernel, record)

    def check(self) -> None:
        """Raise what making the kernel has raised."""
        if self._error is not None:
            raise self._error

    async def _split(self, kernel: Splitter, record: Record) -> Batch:
        made: list[Record] = []
        try:
            async for part in kernel.split([record]):
                if made:
                    await asyncio.sleep(0)  # they are very many
                made += part
        except Unknown as unknown:
            self._miss(unknown)
        return made

    def _miss(self, unknown: Unknown) -> None:
        self._context.miss(unknown)
        self._context.lose()
        self.over = True


class Inline:
    """A step whose function makes the records itself. over: in a dry run, it needs what is not
    known, and makes no more.
    """

    def __init__(self, step: Step, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._asked = [name in step.parameters for name in GIVEN]
        self.over = False

    async def emit(self, row: Row, record: Record) -> Batch:
        """What the function makes of the record; nothing when it failed and is to be left out."""
        if self.over:
            return []
        given = compress((record, row.event.record, row.results), self._asked)
        try:
            made: Batch = self._step.function(self._context, *given)
        except Exception as error:
            await self._context.record_failed(record, error)
            return []
        except Unknown as unknown:
            self._context.miss(unknown)
            self._context.lose()
            self.over = True
            return []
        return made


class Turns(Records):
    """A transform's input port. It tells when the module waits for the next record."""

    __slots__ = ("_turn",)

    def __init__(self, source: Source, reader: str) -> None:
        super().__init__([source.connect(reader)])
        self._turn: asyncio.Future[None] | None = None

    def await_with(self, waiter: "asyncio.Future[None] | None") -> None:
        super().await_with(waiter)
        if waiter is not None:
            self.end_turn()

    def begin_turn(self) -> "asyncio.Future[None]":
        """The future is done when the module asks for more, or ends."""
        self._turn = asyncio.get_running_loop().create_future()
        return self._turn

    def end_turn(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)


class Transform:
    """A step whose module runs all the time. What it sends until it asks for the next record
    belongs to the last one. over: the module has ended.
    """

    def __init__(self, step: Step, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._source = Source(step.name, Channel())
        self._port = Turns(self._source, step.name)
        self._out = Gathered(step.name)
        self._event, self._results = Live(), Live()
        self._error: Exception | None = None
        self.over = False

    async def run(self) -> None:
        """Run the module until there are no more records, or it needs none. It does not raise the
        module's error: `emit` does, or `check`.
        """
        given: dict[str, Any] = {"records": self._port, "out": self._out}
        given |= {"event": self._event, "steps": self._results}
        parameters = {name: given[name] for name in self._step.parameters}
        try:
            await self._step.function(self._context, **parameters)
        except Exception as error:
            self._error = error
        except Unknown as unknown:
            self._context.miss(unknown)
            self._context.lose()
        finally:
            self.over = True
            self._port.close()
            self._port.end_turn()

    async def emit(self, row: Row, record: Record) -> list[Record]:
        """What the module sends for the record; nothing once it has ended."""
        if not self.over:
            self._event.now, self._results.now = row.event.record, row.results
            turn = self._port.begin_turn()
            self._source.put([record])
            await turn
        if self._error is not None:
            raise self._error
        return self._out.take()

    def finish(self) -> None:
        """There are no more records."""
        self._source.finish()

    def check(self) -> None:
        """The module has ended; raise its error, or that it kept a record back until then."""
        if self._error is not None:
            raise self._error
        if self._out.take():
            raise ModuleError(
                f"step '{self._step.name}': the module sent a record after it had read the last",
                hint="a module with `per_record` sends what comes of a record before the next one",
            )


class Join:
    """A step whose module runs beside the regions that feed it. emitted: what it sends.
    context: what its module is given.

    origins: each step that it needs (or `EVENTS`), and the region that this one belongs to.
    """

    def __init__(self, step: Step, origins: Mapping[str, str], ctx: Context) -> None:
        self.step = step
        self.origins = origins
        self.context = StepContext(ctx, step.name)
        self._output = Source(step.name, Channel())
        self.emitted = Records([self._output.connect(step.name)])
        self._feeds = {need: Source(need or "events", Channel()) for need in origins}
        pipes = {need: source.connect(step.name) for need, source in self._feeds.items()}
        self._port: Records | Inputs
        if "inputs" in step.parameters:
            from gxo.runtime.streams.spill import spilling_ports  # start-up: only where it is

            # It may read one to its end while another fills up, and all come from the same events.
            self._port = Inputs(spilling_ports(ctx._run, pipes))
        else:
            self._port = Records(pipes.values())

    async def run(self) -> None:
        """Run the module to its end. One that sends no records emits its summary."""
        given = {"records": self._port, "inputs": self._port, "out": self._output.port()}
        parameters = {name: given[name] for name in self.step.parameters}
        try:
            summary = await self.step.function(self.context, **parameters)
            if "out" not in parameters:
                await self._output.port().send([summary])
        except ConsumersClosed:
            pass  # the steps after it take no more
        except Unknown as unknown:
            self.context.miss(unknown)
            self.context.lose()
        finally:
            self._port.close()
        if self.context.lost is not None:
            self._output.fail(self.context.lost)
        self._output.finish()

    def is_over(self, origin: str) -> bool:
        """Whether it takes no more of the region."""
        return all(
            self._feeds[need].abandoned for need, own in self.origins.items() if own == origin
        )

    async def feed(self, need: str, record: Record) -> None:
        """Give it a record, and wait until there is room for more; nothing once it has ended."""
        source = self._feeds[need]
        if not source.abandoned:
            try:
                source.put([record])
                await source.wait_room()
            except ConsumersClosed:
                pass  # just now

    def finish(self, origin: str, lost: Unknown | None) -> None:
        """The region has no more records for it. lost: in a dry run, that some are not known."""
        for need, own in self.origins.items():
            if own == origin:
                if lost is not None:
                    self._feeds[need].fail(lost)
                self._feeds[need].finish()


def origin_of(need: str, steps: Mapping[str, Step]) -> str:
    """The region that has the records of the step, or of the pipeline's own events."""
    if need == EVENTS or steps[need].kind == "join":
        return need
    return steps[need].origin
