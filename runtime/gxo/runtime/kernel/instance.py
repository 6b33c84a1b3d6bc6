"""One workload from its `when` to its result: secrets, input, attempts, summary.

`perform` never raises: what happened is left in the node, so that the scheduler has one way to see
an end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from gxo.runtime.context import Context
from gxo.runtime.errors import (
    ModuleError,
    RecordError,
    SecretError,
    SecurityError,
    TimeoutExceeded,
    Unknown,
    UpstreamFailed,
    WorkloadError,
)
from gxo.runtime.kernel.node import CANCELLED, COMPLETED, FAILED, SKIPPED, Node
from gxo.runtime.kernel.retry import chance, delay_after, shown

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.streams.ports import Inputs, Out, Records

# Why a workload was cancelled.
STOPPED = "the job is stopping"
TIMED_OUT = "its timeout ran out"
UPSTREAM = "a workload that it reads from failed"
CLOSED = "its consumers have closed"
RETIRED = "nothing is left that needs it"

WHEN_FAILED = "its `when` failed"


class Skip(Exception):  # noqa: N818 - an end, not an error
    """The workload is not to run; the reason is the report's."""


async def perform(run: "Run", node: Node) -> None:
    """Run the workload to its end, and leave status, summary, error and counts in the node."""
    summary = None
    try:
        summary = await _carry_out(run, node)
        if node.over:
            return  # abandoned: its end came too late
        if node.cause == TIMED_OUT:  # and the module took no notice of it
            raise asyncio.CancelledError
        if run.forecast is not None:
            run.forecast.end_streams(node)
        if node.port is not None:
            node.port.close()  # or those that send to it would wait for its own readers, too
        if node.source is not None:
            run.scheduler.stop_timer(node)
            node.source.finish()
            if node.rejects is not None:
                node.rejects.finish()  # one consumer may read them to their end before the records
            await node.source.drained()
        if not node.ready:
            run.keep(node, summary)
        node.status = COMPLETED
    except Skip as skip:
        node.status, node.reason = SKIPPED, str(skip)
    except BaseException as error:
        if node.over:
            return
        conclude(run, node, error)
    if node.port is not None or node.source is not None or node.rejects is not None:
        from gxo.runtime.streams.connect import finish  # start-up: only with streams

        finish(node)


def conclude(run: "Run", node: Node, error: BaseException) -> None:
    """Decide what the end of a workload by an error, or by its cancellation, means for it."""
    if _is_retired(node, error):
        if not node.ready:
            run.keep(node, None)
        node.status, node.reason = COMPLETED, node.cause
        return
    if node.cause == STOPPED:
        node.status, node.reason = CANCELLED, STOPPED
        return
    if isinstance(error, Unknown) and run.forecast is not None:
        run.forecast.leave_out(node, error)
        node.status = COMPLETED
        return
    if node.cause == TIMED_OUT:
        error = TimeoutExceeded(f"it took longer than its timeout of {node.spec.timeout:g} s")
    elif _ended_early(node, error) and first_failure(node) is None:
        # Those it reads from may have been cancelled meanwhile: the job is stopping for another.
        run.keep(node, None)
        node.status, node.reason = COMPLETED, CLOSED
        return
    elif node.upstream and (failure := _upstream_failure(node)) is not None:
        error = failure
    elif (node.cause == UPSTREAM or _ended_early(node, error)) and (
        failure := first_failure(node)
    ) is not None:
        # It has read all that it wanted and did not drain in time, or a reader learned of the
        # failure first, and closed before it came this way.
        error = failure
    elif isinstance(error, asyncio.CancelledError):
        error = ModuleError("the module cancelled itself")
    node.status, node.failure = FAILED, error
    node.ignored = _is_ignored(node, error)
    node.error = run.explain(error)
    if run.testing is not None:
        node.error = run.testing.placed(run, node, error, node.error)
    if isinstance(error, WorkloadError):
        node.failures = error.failures
    if node.failed_item is not None:
        if node.cause == TIMED_OUT or isinstance(error, UpstreamFailed):
            node.failed_item = None  # no fault of that one
        else:
            node.error = f"{node.failed_item[1]}: {node.error}"


async def attempts(
    run: "Run", node: Node, iteration: int | None = None, extra: tuple[Any, ...] = ()
) -> Any:
    """Call the workload's function until it returns its summary, as often as `retry` allows.

    iteration, extra: the loop item's index, and the arguments made of it.
    """
    spec = node.spec
    call: Awaitable[Any]
    attempt = 1
    while True:
        if node.cause is not None:
            raise asyncio.CancelledError  # the module before has swallowed it
        if attempt > node.attempts:
            node.attempts = attempt
        context = Context(run, node, attempt, iteration)
        out = node.source.port() if node.source is not None else None
        read_before = node.port.records_in if node.port is not None else 0
        if run.testing is not None:
            run.testing.calling(node)
        try:
            ports = _ports(node, out) if spec.ports else ()
            if run.forecast is not None:
                call = run.forecast.call(context, spec.function, (*ports, *extra))
            else:
                call = spec.function(context, *ports, *extra)
            summary = await (call if run.bus is None else run.bus.calling(context, call))
            if run.testing is not None:
                run.testing.raise_refusal(node)
            return summary
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            if run.testing is not None:
                run.testing.raise_refusal(node, error)
            retry = spec.retry
            if retry is None or not _may_retry(node, attempt, error):
                raise
            if not retry.after_records and _moved(node, out, read_before):
                node.reason = "not retried: records were already sent or read"
                raise
            from gxo.runtime.reporting.trace import let_go  # start-up: only after a failure

            delay = delay_after(retry, attempt, chance())
            context.log(
                "warning",
                f"attempt {attempt} of {retry.attempts} failed, "
                f"the next one is in {shown(delay)} s: {run.explain(error)}",
            )
            let_go(error)
        await run.clock.sleep(delay)
        attempt += 1


async def _carry_out(run: "Run", node: Node) -> Any:
    spec = node.spec
    if node.cause is not None:
        raise asyncio.CancelledError  # before it could begin
    if spec.lifecycle is not None and run.testing is not None:
        await run.testing.due(spec.lifecycle)
        run.scheduler.start_timer(node)
    if spec.when is not None:
        await _check_when(run, node, spec.when)
    if spec.secrets:
        await run.secrets.load(spec.secrets)
    if spec.skip_on_no_input and node.port is not None and not await node.port.wait_records():
        raise Skip("its inputs ended without a record")
    if run.journal is not None:
        await run.journal.starting(node)
    run.begin(node)
    if spec.loop is None:
        summary = await attempts(run, node)
    else:
        from gxo.runtime.kernel.loops import iterate  # start-up: only where something is repeated

        summary = await iterate(run, node, spec.loop)
    if node.upstream and (failure := _upstream_failure(node)) is not None:
        raise failure  # never success on half a stream
    if node.record_errors and (run.forecast is None or not run.forecast.of(node.name).lost):
        _check_record_errors(node)
    return await _clean(run, node, summary)


async def _clean(run: "Run", node: Node, summary: Any) -> Any:
    """What the workload returns without the secrets that it has read."""
    if run.secret_use is None or run.forecast is not None:
        return summary
    from gxo.runtime.host.weight import weight  # start-up: only with secrets

    work = weight(summary) * run.secret_use.redactor.slowness
    return await run.loop.offload(work, run.secret_use.clean, node, summary)


async def _check_when(run: "Run", node: Node, when: Callable[[Context], Any]) -> None:
    """Skip the workload unless its condition holds (language, section 4)."""
    try:
        if run.secret_use is None:
            wanted = when(Context(run, node))
        else:
            wanted = await run.secret_use.loading(lambda: when(Context(run, node)))
    except Exception as error:
        if run.strict or isinstance(error, (SecretError, SecurityError)):
            raise
        raise Skip(f"{WHEN_FAILED}: {run.explain(error)}") from None
    if not wanted:
        raise Skip("its `when` is false")
    node.undecided = False
    if node.port is not None:
        node.port.begin()
    if node.source is not None and node.source.abandoned:
        raise asyncio.CancelledError  # nobody reads it any more


def _check_record_errors(node: Node) -> None:
    """A workload whose every record failed has failed (language, section 5)."""
    if node.port is not None:
        tried = node.port.records_in
    elif node.source is not None:
        tried = node.records_lost + node.source.records_out
    else:
        return
    if node.records_lost >= tried:
        raise RecordError(f"all of its {tried} records failed")


def _ports(node: Node, out: "Out | None") -> "Sequence[Records | Inputs | Out | None]":
    return [out if name == "out" else node.port for name in node.spec.ports]


def _may_retry(node: Node, attempt: int, error: BaseException) -> bool:
    retry, task = node.spec.retry, asyncio.current_task()
    return (
        retry is not None
        and attempt < retry.attempts
        and node.cause is None
        and not (task is not None and task.cancelling())  # of a loop, and the module swallowed it
        and not node.ready
        and not isinstance(error, (SecurityError, UpstreamFailed))
    )


def _moved(node: Node, out: "Out | None", read_before: int) -> bool:
    """Whether the attempt sent or read records."""
    sent = out is not None and out.records_out > 0
    return sent or (node.port is not None and node.port.records_in > read_before)


def _is_retired(node: Node, error: BaseException) -> bool:
    """Whether it ends as what runs in the background does: because the job has no use for it."""
    in_order = node.cause == RETIRED or (node.ready and node.cause == STOPPED)
    return in_order and isinstance(error, asyncio.CancelledError)


def _is_ignored(node: Node, error: BaseException) -> bool:
    if isinstance(error, SecurityError):
        return False
    if isinstance(error, UpstreamFailed):
        return error.ignored
    return node.spec.ignore_errors


def first_failure(node: Node) -> UpstreamFailed | None:
    """The failure farthest upstream among the workloads that it reads from, directly or not."""
    found = list(node.upstream)
    for other in found:
        found.extend(one for one in other.upstream if one not in found)
    for other in reversed(found):
        # Not the last one found: by a short way round, what it reads from was found before it.
        if other.status == FAILED and all(one.status != FAILED for one in other.upstream):
            return UpstreamFailed(f"upstream '{other.name}' failed", ignored=other.ignored)
    return None


def _upstream_failure(node: Node) -> UpstreamFailed | None:
    from gxo.runtime.streams.connect import upstream_failure  # start-up: only with streams

    return upstream_failure(node)


def _ended_early(node: Node, error: BaseException) -> bool:
    """Whether the workload ended because nobody reads its records any more."""
    if node.source is None or not node.source.abandoned:
        return False
    from gxo.runtime.streams.source import ConsumersClosed  # start-up: only with streams

    return isinstance(error, (ConsumersClosed, asyncio.CancelledError))
