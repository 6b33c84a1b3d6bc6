"""Runs one module function as a job would, with streams that are fed and read.

A case is data (`cases/*.yaml`); `Bench.call` is what it takes to play one. What a module sees is
real: context, workspace, streams, threads, child processes. Only the clock is a fake: it never waits.
"""

import asyncio
import contextlib
import importlib
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.conforms import mismatches
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.types import ANY, ListOf, MapOf, OnDot, OneOf, PerRecord, Shape, Type
from gxo.runtime.context import Context
from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.job import Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.kernel.state import deep_copy
from gxo.runtime.settings import Settings
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Inputs, Records
from gxo.runtime.streams.source import ConsumersClosed, Source
from gxo.runtime.streams.tables import Batch, Table

T = TypeVar("T")


def library() -> Library:
    """gxo's own modules."""
    return Library(standard_roots(), Diagnostics())


def module_spec(name: str) -> ModuleSpec:
    spec = library().find(name)
    assert spec is not None, f"no module {name}"
    return spec


class FakeClock(Clock):
    """Time that passes when somebody waits for it.

    With `hold`, waiting for a second or more does not end before the test says `advance`.
    """

    def __init__(self, *, hold: bool = False) -> None:
        self.time = 1_700_000_000.0
        self.held: list[float] = []
        self.asked = asyncio.Event()
        self._hold = hold
        self._passed = asyncio.Event()

    def monotonic(self) -> float:
        return self.time

    def seconds(self) -> float:
        return self.time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)

    def advance(self) -> None:
        """Let the waiting that goes on now end."""
        self._passed.set()
        self._passed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if self._hold and seconds >= 1:
            self.held.append(seconds)
            self.asked.set()
            await self._passed.wait()
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Outcome:
    """What a module did: its summary, or the error; the records it sent; record errors.

    as_sent: copies of the records, made as they were sent.
    """

    summary: Any = None
    error: Exception | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)
    as_sent: list[dict[str, Any]] = field(default_factory=list)
    record_errors: list[str] = field(default_factory=list)


class Bench:
    """A real context of a run that has one workload, and calls of modules in it."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        job = Job("bench")
        job.workload("under-test")(_nothing)
        settings = Settings()
        settings.workspace = str(folder)
        self.clock = clock
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        self.run = Run(job, settings, clock=clock, environment=self.environment)
        self.run.loop = asyncio.get_running_loop()
        [self.node] = self.run.add_nodes(job.workloads.values())
        self.context = Context(self.run, self.node)

    def skip_record_errors(self, into: list[str]) -> "asyncio.Task[None]":
        """Collect record errors instead of failing, until `self.node.rejects` is finished."""
        self.node.rejects = Source("under-test.errors", Channel(), side=True)
        reader = Records([self.node.rejects.connect("reader")])
        return asyncio.ensure_future(_collect_errors(reader, into))

    async def close(self) -> None:
        """Give back what the run holds."""
        self.run.workspace.close()
        await self.run.loop.threads.close(5.0)

    async def call(
        self,
        spec: ModuleSpec,
        params: Mapping[str, Any],
        streams: Mapping[str, list[Any]] | None = None,
        consumed: bool = True,
        skip_record_errors: bool = True,
        buffer_size: int = 100,
    ) -> Outcome:
        """Call a module with its producers' records (name to records) and a reader of its output.

        With a `buffer_size` of 0 it reads each batch alone. Calls may run side by side; the record
        errors of all of them are then those of the one that began last.
        """
        outcome = Outcome()
        before = deep_copy(_contents(streams or {}))
        feeds = {
            Source(name, Channel(buffer_size)): records for name, records in (streams or {}).items()
        }
        readers = _readers(spec, list(feeds))
        output = Kept(outcome.as_sent)
        reader = Records([output.connect("reader")]) if consumed else None
        given = _keywords(spec, params)
        given_before = deep_copy(given)
        arguments = {**readers, **given}
        if spec.out:
            arguments["out"] = output.port() if consumed else None
        tasks = [asyncio.ensure_future(_feed(source, records)) for source, records in feeds.items()]
        if reader is not None:
            tasks.append(asyncio.ensure_future(_collect(reader, outcome.sent)))
        if skip_record_errors:
            tasks.append(self.skip_record_errors(outcome.record_errors))
        rejects = self.node.rejects  # calls may run side by side, each with its own
        try:
            outcome.summary = await function_of(spec)(self.context, **arguments)
        except Exception as error:
            outcome.error = error
        finally:
            for port in readers.values():
                port.close()
            output.finish()
            if rejects is not None:
                rejects.finish()
            await asyncio.gather(*tasks)
        assert given == given_before, "it has changed a parameter: see passes/elide_copies.py"
        assert _contents(streams or {}) == before, "it has changed a record that it read"
        assert outcome.sent == outcome.as_sent, "it has changed a record that it had sent"
        if outcome.error is None:
            problems = list(mismatches(outcome.summary, spec.summary))
            assert not problems, problems
        return outcome


async def _nothing(ctx: Context) -> None:
    """What the workload would do, if the run were started."""


def function_of(spec: ModuleSpec) -> Callable[..., Awaitable[Any]]:
    return getattr(importlib.import_module(spec.source), spec.function)


def _keywords(spec: ModuleSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    known = {param.name: param for param in spec.params}
    return {
        known[name].python if name in known else name: (
            _argument(value, known[name].type) if name in known else value
        )
        for name, value in params.items()
    }


def _argument(value: Any, kind: Type) -> Any:
    """The value as generated code gives it: what is evaluated for each record is a function.

    A case writes it as a Python expression over `record`, or over `value` for what is evaluated with
    a value of the module's.
    """
    match kind:
        case PerRecord() if isinstance(value, str):
            return eval(f"lambda record: {value}")
        case OnDot() if isinstance(value, str):
            return eval(f"lambda value: {value}")
        case OneOf((OnDot() as on, *_)):
            return _argument(value, on)
        case OneOf(options) if not isinstance(value, str):
            for option in options:
                value = _argument(value, option)
            return value
        case OneOf(options) if any(isinstance(option, PerRecord) for option in options):
            return _argument(value, PerRecord(ANY))
        case ListOf(item) if isinstance(value, list):
            return [_argument(each, item) for each in value]
        case MapOf(item) if isinstance(value, dict):
            return {key: _argument(each, item) for key, each in value.items()}
        case Shape() if isinstance(value, dict):
            return {key: _argument(each, kind.field(key) or ANY) for key, each in value.items()}
    return value


def _readers(spec: ModuleSpec, sources: list[Source]) -> dict[str, Any]:
    """The input port of a call, by its parameter's name; none when it is optional and unused."""
    pipes = {source.name: source.connect("under-test") for source in sources}
    if spec.inputs:
        return {"inputs": Inputs({name: Records([pipe]) for name, pipe in pipes.items()})}
    if spec.records and (pipes or "records" not in spec.optional_ports):
        return {"records": Records(pipes.values())}
    return {}


def _contents(streams: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """What is in the batches, also of tables."""
    return {
        name: [(one.names, one.rows) if isinstance(one, Table) else one for one in batches]
        for name, batches in streams.items()
    }


async def _feed(source: Source, records: list[Any]) -> None:
    """Send batches (lists, tables) or single records; the text `fail` ends the stream with a failure."""
    port = source.port()
    with contextlib.suppress(ConsumersClosed):
        for record in records:
            if record == "fail":
                source.fail(RuntimeError("the producer failed"))
                return
            await port.send(record if isinstance(record, (list, Table)) else [record])
    source.finish()


async def _collect(reader: Records, into: list[dict[str, Any]]) -> None:
    async for batch in reader:
        into.extend(batch)


class Kept(Source):
    """A producer's side that keeps copies of what is sent, if somebody reads it."""

    def __init__(self, into: list[dict[str, Any]]) -> None:
        super().__init__("under-test", Channel())
        self._into = into

    def put(self, batch: Batch) -> None:
        super().put(batch)
        self._into.extend(deep_copy(list(batch)))


async def _collect_errors(reader: Records, into: list[str]) -> None:
    async for batch in reader:
        into.extend(record["error"] for record in batch)


async def _generators_closed() -> None:
    """Let asyncio close what nobody holds any more: generators of httpx, each in a task of its own.

    Such a task ends within a few rounds; one that waits for something is still there afterwards.
    """
    for _ in range(100):
        if asyncio.all_tasks() == {asyncio.current_task()}:
            return
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def bench(folder: Path, *, held_clock: bool = False) -> AsyncIterator[Bench]:
    """A bench in a workspace; afterwards nothing may be left: descriptors, children, tasks."""
    before = open_descriptors()
    workbench = Bench(folder, FakeClock(hold=held_clock))
    try:
        yield workbench
        await _generators_closed()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        workbench.run.loop.watcher.close()
        assert not has_children()
    finally:
        await workbench.close()
    assert open_descriptors() == before


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run on a job's event loop, in debug mode."""
    with asyncio.Runner(debug=True, loop_factory=lambda: JobLoop(5.0)) as runner:
        # On a busy machine anything is slow, and to tell it loads half a megabyte of sources.
        runner.get_loop().slow_callback_duration = math.inf
        return runner.run(coroutine)


def open_descriptors() -> set[str]:
    """Descriptors of this process, without the one that lists them."""
    return {fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}


def has_children() -> bool:
    """Whether a child runs or waits to be reaped."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
