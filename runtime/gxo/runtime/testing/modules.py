"""The mocks of modules, and what generated code calls in place of a module that is mocked.

    api: test:mock_module        await serve(Mock(ctx, "http:request", ...))
    fetch: http:request, mocked  await mocked(ctx, "http:request", {"url": "https://shop.test"})

A call is answered by the first mock of its module, in the order of the playbook, that expects its
parameters and has not answered as often as it shall.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from gxo.runtime.errors import ExpressionError, ModuleError
from gxo.runtime.expr import equal_deeply
from gxo.runtime.host.tasks import run_all
from gxo.runtime.host.weight import weight
from gxo.runtime.kernel.state import deep_copy
from gxo.runtime.testing import session_of

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.job import Job
    from gxo.runtime.spec import Record
    from gxo.runtime.streams.ports import Inputs, Out, Records


class Mock:
    """One mock of a module: which calls it answers, how, and how often it has.

    ctx: of its workload. delay: seconds that each call takes. times: how often it shall answer;
    None for any number. stray: of the first mock of a module, how many calls none of them has
    answered.
    """

    __slots__ = (
        "answers",
        "ctx",
        "delay",
        "error",
        "module",
        "params",
        "records",
        "stray",
        "summary",
        "times",
    )

    def __init__(
        self,
        ctx: "Context",
        module: str,
        *,
        params: Mapping[str, Any],
        summary: Mapping[str, Any],
        records: "Sequence[Record]",
        error: str | None,
        delay: float,
        times: int | None,
    ) -> None:
        self.ctx = ctx
        self.module = module
        self.params = params
        self.summary = summary
        self.records = records
        self.error = error
        self.delay = delay
        self.times = times
        self.answers = 0
        self.stray = 0

    @property
    def is_used_up(self) -> bool:
        """Whether it has answered as often as it shall."""
        return self.answers == self.times

    def complaint(self) -> str | None:
        """What was wrong with how the module was called; None if nothing was."""
        if self.stray:
            calls = "a call" if self.stray == 1 else f"{self.stray} calls"
            return f"no mock of {self.module} was for {calls} of it"
        if self.times is not None and self.answers < self.times:
            return f"{self.module} was called {self.answers} of {self.times} times"
        return None


class Modules:
    """The mocks of a test: by module, in the order of the playbook."""

    def __init__(self) -> None:
        self._mocks: dict[str, list[Mock]] = {}

    def add(self, mock: Mock) -> None:
        """Put a mock in service, until the test is over: `finally` calls modules too."""
        mocks = self._mocks.setdefault(mock.module, [])
        mocks.append(mock)
        mocks.sort(key=lambda one: one.ctx._node.index)

    async def answering(self, ctx: "Context", module: str, params: Mapping[str, Any]) -> Mock:
        """The mock that answers a call, which counts from now on. ModuleError if none does."""
        mocks = list(self._mocks.get(module, ()))
        size = weight(params) * (len(mocks) or 1)
        fitting = await ctx.offload(
            size, lambda: [mock for mock in mocks if _covers(mock.params, params)]
        )
        for mock in fitting:
            if not mock.is_used_up:
                mock.answers += 1
                return mock
        if not mocks:
            raise ModuleError(f"{module} is mocked, and none of its mocks is in service yet")
        mocks[0].stray += 1
        lines = await ctx.thread(lambda: list(_refusal(ctx, params, mocks, fitting)))
        raise ModuleError("\n".join([f"no mock of {module} is for this call", *lines]))


class Answer(dict[str, Any]):
    """What a mock returns: a summary that says whose it is when a field is not there."""

    __slots__ = ("_mock",)

    def __init__(self, mock: Mock) -> None:
        super().__init__(deep_copy(dict(mock.summary)))
        self._mock = mock

    def __missing__(self, name: str) -> Any:
        workload = self._mock.ctx.workload
        raise ExpressionError(
            f"the mock of {self._mock.module}, '{workload}', returns no \"{name}\"",
            hint=f"add it to the `summary` of '{workload}'",
        )


async def serve(mock: Mock) -> NoReturn:
    """Answer calls until the job has no more use for it.

    The test has not passed when the module was called otherwise than its mocks say. When the job
    has failed otherwise that is enough, unless the test expects it.
    """
    ctx = mock.ctx
    session_of(ctx).modules.add(mock)
    late = _calls_late(ctx._run.job)
    if late:
        await ctx.shared(mock, _nothing, lambda _: _judge_late(mock))
    ctx.ready({"module": mock.module})
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        complaint = mock.complaint()
        if complaint is None or late or not session_of(ctx).came_to_end(ctx._run):
            raise
        raise session_of(ctx).spoiled(ctx, complaint) from None
    raise AssertionError("nothing completes it")


async def mocked(
    ctx: "Context",
    module: str,
    params: Mapping[str, Any],
    *,
    records: "Records | None" = None,
    inputs: "Inputs | None" = None,
    out: "Out | None" = None,
) -> dict[str, Any]:
    """What a mock answers to a call of the module, after its delay: it reads what comes in, sends
    its records, and then returns its summary, or fails with its error.

    One that only fails does so before it reads, so that the call can be tried again. ModuleError
    when no mock is for the call.
    """
    mock = await session_of(ctx).modules.answering(ctx, module, params)
    if mock.delay > 0:
        await ctx.clock.sleep(mock.delay)
    if mock.error is not None and not mock.records:
        raise ModuleError(mock.error)
    if ctx.step is not None and records is not None:
        # What a step sends belongs to the event that it has read last.
        async for _ in records:
            await _send(mock, ctx, out)
            out = None
        out = None
    ports = [port for port in (records, *(inputs or {}).values()) if port is not None]
    await run_all(*map(_drain, ports))
    await _send(mock, ctx, out)
    if mock.error is not None:
        raise ModuleError(mock.error)
    return await ctx.offload(weight(mock.summary), Answer, mock)


def _calls_late(job: "Job") -> bool:
    """Whether it has what runs after the mocks have ended, and may call modules."""
    return bool(job.cleanups) or any(one.on_failure for one in job.workloads.values())


async def _send(mock: Mock, ctx: "Context", out: "Out | None") -> None:
    if out is not None:
        await out.send(await ctx.offload(weight(mock.records), deep_copy, list(mock.records)))


async def _drain(records: "Records") -> None:
    async for _ in records:
        pass


async def _nothing() -> None:
    """What has to be opened for a mock."""


async def _judge_late(mock: Mock) -> None:
    complaint, session = mock.complaint(), session_of(mock.ctx)
    if complaint is not None and session.came_to_end(mock.ctx._run):
        session.spoiled(mock.ctx, complaint)


def _covers(expected: Any, actual: Any) -> bool:
    """Whether the value is what is expected; maps, at any depth, may have more keys."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(key in actual and _covers(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_covers, expected, actual))
    return equal_deeply(expected, actual)


def _asked_for(expected: Any, actual: Any) -> Any:
    """Of the value what the expected one speaks of."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {
            key: _asked_for(value, actual[key]) for key, value in expected.items() if key in actual
        }
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return list(map(_asked_for, expected, actual))
    return actual


def _refusal(
    ctx: "Context", params: Mapping[str, Any], mocks: list[Mock], fitting: list[Mock]
) -> Iterator[str]:
    """Why none of the mocks is for the call. What each expects and what comes is both redacted with
    the secrets of the job that calls and of the one that expects, which may not be the same."""
    from gxo.runtime.testing.difference import difference  # start-up: only when a test fails
    from gxo.runtime.testing.places import workload_place

    for mock in mocks:
        head = f"  {workload_place(mock.ctx)}: '{mock.ctx.workload}'"
        if mock in fitting:
            yield f"{head} has answered {mock.answers} of {mock.times} calls"
            continue
        yield f"{head} expects"
        expected, actual = dict(mock.params), _asked_for(dict(mock.params), params)
        for line in difference(_redacting(ctx, mock.ctx), expected, actual):
            yield f"      {line}"


def _redacting(calls: "Context", expects: "Context") -> Callable[[Any], Any]:
    return lambda value: expects.redact(calls.redact(value))
