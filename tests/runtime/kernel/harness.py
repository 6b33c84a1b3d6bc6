"""Runs small jobs under virtual time, from data: what a workload does is a list of steps.

    workloads:
      fetch: {do: [sleep 2, "return {n: 1}"], register: fetched}
      save: {after: [fetch], do: [state fetched.n]}

becomes a `Job` registered just as generated code registers one. Time is virtual: when nothing can run
and nothing outside is waited for, the loop's clock jumps to its next timer.
"""

import asyncio
import builtins
import io
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from gxo.runtime import Channel, Context, Input, Job, Loop, Retry, deep_copy, expr
from gxo.runtime.errors import ExpressionError, ModuleError, SecurityError
from gxo.runtime.functions import defaults
from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.settings import Settings

EPOCH = 1_800_000_000.0


class FakeLoop(JobLoop):
    """Its time stands still while anything can run, a thread too, however long that takes. It jumps
    when everything waits for a timer.
    """

    def __init__(self) -> None:
        super().__init__(grace=5.0)
        self.moment = 0.0
        self.set_debug(True)
        selector = self._selector  # type: ignore[attr-defined]
        self._wait = selector.select
        selector.select = self._select

    def time(self) -> float:
        return self.moment

    def _select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._wait(timeout)
        if self._job_selector.is_alone and self._job_selector.met_stall(timeout):
            return []
        while self._has_live_threads():
            if ready := self._wait(0.05):
                return ready
        self.moment += timeout
        return self._wait(0)


class FakeClock(Clock):
    """The clock of a fake loop."""

    def __init__(self, loop: JobLoop) -> None:
        self.loop = loop

    def monotonic(self) -> float:
        return self.loop.time()

    def seconds(self) -> float:
        return EPOCH + self.loop.time()


@dataclass
class Played:
    """A run that is over. trace: what happened and when, in order."""

    run: Run
    code: int
    trace: list[str]
    log: str
    time: float

    @property
    def statuses(self) -> dict[str, str]:
        return {node.name: node.status for node in self.run.nodes.values()}


@dataclass
class Stage:
    """Where the steps of a case leave their trace."""

    trace: list[str] = field(default_factory=list)
    loop: JobLoop = field(default_factory=FakeLoop)
    meetings: dict[str, asyncio.Event] = field(default_factory=dict)

    def note(self, name: str, what: str) -> None:
        self.trace.append(f"{self.loop.time():g} {name} {what}")

    def clock(self) -> Clock:
        """The clock that the run has."""
        return FakeClock(self.loop)


def play(
    job: Job,
    stage: Stage,
    *,
    settings: Settings | None = None,
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[[Run], None] | None = None,
    **keywords: Any,
) -> Played:
    """Run the job under virtual time. meanwhile: called with the run before it starts."""
    settings = settings or Settings()
    clock = stage.clock()
    run = Run(job, settings, clock=clock, environment=environment or {}, **keywords)
    log = io.StringIO()
    run.log = Log(run, "debug", settings.log_format, log)
    if meanwhile is not None:
        meanwhile(run)
    try:
        code = drive(stage.loop, run)
    finally:
        stage.loop.end(run.abandoned)
    return Played(run, code, stage.trace, log.getvalue(), stage.loop.time())


def play_case(case: Mapping[str, Any], watch: Callable[[Run], None] | None = None) -> Played:
    """Run the job that a case describes, with the settings that it gives.

    watch: called with the run before it starts.
    """
    stage = Stage()
    settings = Settings()
    for name, value in case.get("settings", {}).items():
        setattr(settings, name, value)
    job = build(case, stage)
    settings.inputs = {name: given.default for name, given in job.inputs.items()}

    def meanwhile(_run: Run) -> None:
        if watch is not None:
            watch(_run)
        if seconds := case.get("secrets_take"):
            slow_down_secrets(_run, seconds)
        for moment, number in case.get("signals", {}).items():
            stage.loop.call_later(moment, lambda number=number: _run.interrupt(number))

    environment = case.get("environment", {})
    return play(job, stage, settings=settings, environment=environment, meanwhile=meanwhile)


def slow_down_secrets(run: Run, seconds: float) -> None:
    """Let each secret of the job take so long, as one does that a command has to get."""
    secrets = run.secrets._secrets
    look_up = secrets._provider

    async def slowly(name: str) -> str:
        await run.clock.sleep(seconds)
        return await look_up(name)

    secrets._provider = slowly


def build(case: Mapping[str, Any], stage: Stage) -> Job:
    """The job that a case describes."""
    job = Job(
        "case",
        inputs={name: Input(**given) for name, given in case.get("inputs", {}).items()},
        vars={name: _value(given) for name, given in case.get("vars", {}).items()},
        secrets=case.get("secrets", []),
    )
    for name, given in case["workloads"].items():
        given = given or {}
        job.workload(name, **_keywords(given))(function(stage, given))
        for child, block in given.get("on_failure", {}).items():
            job.on_failure(name, child, **_keywords(block or {}))(function(stage, block or {}))
    for name, given in case.get("finally", {}).items():
        job.cleanup(name, **_keywords(given or {}))(function(stage, given or {}))
    return job


def _value(given: Any) -> Any:
    """`=expression` is a function of the context, as generated code has it."""
    if isinstance(given, str) and given.startswith("="):
        return eval(f"lambda ctx: {given[1:]}")
    return given


def _keywords(given: Mapping[str, Any]) -> dict[str, Any]:
    own = {"do", "out", "parallel", "on_failure", "takes"}
    keywords = {name: value for name, value in given.items() if name not in own}
    if "when" in keywords:
        keywords["when"] = eval(f"lambda ctx: {keywords['when']}")
    if "loop" in keywords:
        keywords["loop"] = Loop(_value(keywords["loop"]), given.get("parallel", 1))
    if "retry" in keywords:
        keywords["retry"] = Retry(**keywords["retry"])
    if "channel" in keywords:
        keywords["channel"] = Channel(**keywords["channel"])
    return keywords


def function(stage: Stage, given: Mapping[str, Any]) -> Any:
    """The workload's function, with the parameters that generated code would give it."""
    names = [name for name in ("records", "inputs") if name in given]
    names += ["out"] if given.get("out") else []
    names += given.get("takes", ["item"]) if "loop" in given else []
    steps = [parsed(step) for step in given.get("do", [])]
    scope: dict[str, Any] = {"perform": perform, "stage": stage, "steps": steps}
    passed = ", ".join(f"{name}={name}" for name in names)
    exec(
        f"async def workload(ctx, {', '.join(names)}):\n"
        f"    return await perform(stage, steps, ctx, {passed})",
        scope,
    )
    return scope["workload"]


def parsed(step: str) -> tuple[str, str]:
    """What a step does, and with what."""
    verb, _, argument = step.partition(" ")
    return verb, argument


async def perform(stage: Stage, steps: list[tuple[str, str]], ctx: Context, **ports: Any) -> Any:
    """Do the steps of a workload, with its ports and the loop's item."""
    name = ctx.workload if ctx.iteration is None else f"{ctx.workload}[{ctx.iteration}]"
    result: Any = {}
    stage.note(name, "begins")
    try:
        for verb, argument in steps:
            if verb == "return":
                result = yaml.safe_load(argument)
            else:
                made = await STEPS[verb](stage, name, ctx, argument, ports)
                result = result if made is None else made
    except asyncio.CancelledError:
        stage.note(name, "is cancelled")
        raise
    stage.note(name, "ends")
    return result


Step = Callable[..., Any]


async def _act_on_item(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> Any:
    return ctx.would(f"treat {ports['item']}")


async def _sleep(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    await ctx.clock.sleep(float(argument))


async def _sleep_item(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    await ctx.clock.sleep(ports["item"])


async def _hang(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    await asyncio.get_running_loop().create_future()


async def _meet(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Wait for a module that waits for this one before it goes on."""
    own, other = (stage.meetings.setdefault(one, asyncio.Event()) for one in (name, argument))
    await other.wait()
    own.set()


async def _ignore(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Take no notice of a cancellation for so many seconds."""
    end = stage.loop.time() + float(argument)
    while (left := end - stage.loop.time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            stage.note(name, "takes no notice")


async def _fail(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    raise ModuleError(argument)


async def _fail_until(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Fail in the attempts before that number."""
    if ctx.attempt < int(argument):
        raise ModuleError(f"attempt {ctx.attempt}")


async def _fail_until_item(
    stage: Stage, name: str, ctx: Context, argument: str, ports: Any
) -> None:
    """Fail in the attempts before the one that is the item's number."""
    await _fail_until(stage, name, ctx, str(ports["item"]), ports)


async def _fail_item(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    if str(ports["item"]) == argument:
        raise ModuleError(f"item {argument}")


async def _raise(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    kinds = {
        "SecurityError": SecurityError,
        "ExpressionError": ExpressionError,
        "Speechless": Speechless,
        "ModuleError": lambda text: ModuleError(ValueError(text)),  # type: ignore[arg-type]
    }
    kind = kinds.get(argument) or getattr(builtins, argument)
    raise kind("raised")


class Speechless(Exception):
    """One that cannot say what is wrong."""

    def __str__(self) -> str:
        raise ValueError


async def _raise_in_task(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    async def task() -> None:
        await _raise(stage, name, ctx, argument, ports)

    async with asyncio.TaskGroup() as group:
        group.create_task(task())


async def _send(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Send so many records, one a batch. Nothing when nobody reads."""
    for number in range(int(argument)):
        if ports["out"] is not None:
            await ports["out"].send([{"n": number}])


async def _read(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Read everything, or so many records and then close."""
    count = 0
    async for batch in ports["records"]:
        count += len(batch)
        if argument and count >= int(argument):
            ports["records"].close()
            break
    stage.note(name, f"has read {count}")


async def _pass_on(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Send every record on."""
    async for batch in ports["records"]:
        if ports["out"] is not None:
            await ports["out"].send(batch)


async def _join(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Read one input after the other."""
    for producer in ports["inputs"]:
        count = 0
        async for batch in ports["inputs"][producer]:
            count += len(batch)
        stage.note(name, f"has read {count} of {producer}")


async def _reject(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Every so-manieth record cannot be processed; the others are sent on."""
    number = 0
    async for batch in ports["records"]:
        for record in batch:
            number += 1
            if number % int(argument) == 0:
                await ctx.record_failed(record, ModuleError("odd one"), number)
            elif ports.get("out") is not None:
                await ports["out"].send([record])


async def _refuse(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """So many records of a source cannot be made."""
    for number in range(1, int(argument) + 1):
        await ctx.record_failed({"n": number}, ModuleError("odd one"), number)


async def _note(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Note the value of an expression over `ctx` (and the loop's `item`)."""
    scope = {"ctx": ctx, "deep_copy": deep_copy, "defaults": defaults, "expr": expr, **ports}
    stage.note(name, f"sees {eval(argument, scope)!r}")


async def _in_task(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Evaluate an expression in a task of a group."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_note(stage, name, ctx, argument, ports))


async def _act(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> Any:
    """Return what a module returns that would do something; `{...}` is known of its summary."""
    what, _, known = argument.partition("{")
    assert ctx.dry_run, "only a dry run asks"
    return ctx.would(what.strip(), yaml.safe_load("{" + known) if known else {})


async def _ready(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    """Say that a background module is ready, with that summary."""
    stage.note(name, "is ready")
    ctx.ready(yaml.safe_load(argument or "{}"))


async def _fail_when_stopped(
    stage: Stage, name: str, ctx: Context, argument: str, ports: Any
) -> None:
    """Run until cancelled, and fail then."""
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        raise ModuleError(argument) from None


async def _secret(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    ctx.log("info", f"the secret is {ctx.secret(argument)}")


async def _thread(stage: Stage, name: str, ctx: Context, argument: str, ports: Any) -> None:
    await ctx.thread(lambda: None)


STEPS: dict[str, Step] = {
    "act": _act,
    "act_on_item": _act_on_item,
    "in_task": _in_task,
    "fail": _fail,
    "fail_item": _fail_item,
    "fail_until": _fail_until,
    "fail_until_item": _fail_until_item,
    "fail_when_stopped": _fail_when_stopped,
    "hang": _hang,
    "ignore": _ignore,
    "join": _join,
    "meet": _meet,
    "note": _note,
    "pass_on": _pass_on,
    "raise": _raise,
    "raise_in_task": _raise_in_task,
    "read": _read,
    "ready": _ready,
    "refuse": _refuse,
    "reject": _reject,
    "secret": _secret,
    "send": _send,
    "sleep": _sleep,
    "sleep_item": _sleep_item,
    "thread": _thread,
}
