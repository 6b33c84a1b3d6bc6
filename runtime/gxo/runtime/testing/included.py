"""Runs the playbook that a test includes: a run inside the test's own, which it gets as data.

    Run(test) ─┬─ server       test:mock_http_server
               ├─ included ──── Run(deploy) ─┬─ fetch          its own state, run id and `finally`;
               │                             └─ install        loop, clock, workspace are the test's
               └─ check        {{ .included.workloads.install.status }}

Events, metrics, traces and the reports are the test's: of the playbook they show what the workload
`included` has registered.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gxo.runtime.context import Context
from gxo.runtime.errors import ExpressionError, ModuleError
from gxo.runtime.job import Job
from gxo.runtime.kernel.inputs import resolve
from gxo.runtime.kernel.instance import RETIRED
from gxo.runtime.kernel.node import PENDING
from gxo.runtime.kernel.run import Run
from gxo.runtime.reporting.logs import Log, run_ended
from gxo.runtime.reporting.report import ENDED_FIRST, report
from gxo.runtime.settings import Settings

if TYPE_CHECKING:
    from gxo.runtime.bundle import Bundle

PACKAGE = "gxo_included"
"""Where the test's artifact has the program."""
OURS, INCLUDED = "_gxo/", "_gxo/included/"
"""Where a job, and so the playbook too, looks for what is no code; and where the test has that."""

INHERITED = (
    "dry_run",
    "diff",
    "secrets",
    "workers",
    "strict",
    "log_level",
    "log_format",
    "traceback",
)
"""The options of the test that the playbook's run has too."""
SHOWN = ("status", "reason", "error", "attempts", "iterations", "records_in", "records_out")
_NEVER_BEGUN = {
    "status": PENDING,
    "reason": ENDED_FIRST,
    "error": None,
    "attempts": 0,
    "iterations": None,
    "records_in": 0,
    "records_out": 0,
}


class Ended(NamedTuple):
    """How the playbook ended. workloads: as the report has them, by name."""

    status: str
    error: str | None
    exit_code: int
    workloads: dict[str, Any]


class Result(dict[str, Any]):
    """How the workload `name` ended. A summary that is read and not there says why it is not."""

    def __init__(self, name: str, told: Mapping[str, Any]) -> None:
        super().__init__(told)
        self._name = name

    def __missing__(self, key: str) -> Any:
        if key != "summary":
            raise KeyError(key)
        why = self["reason"] or self["error"]
        raise ExpressionError(
            f"workload '{self._name}' has no summary, as it is {self['status']}"
            + (f": {why}" if why else "")
        )


async def run_included(ctx: Context, playbook: str, given: Mapping[str, Any]) -> Ended:
    """Run the playbook to its end.

    given: values of its inputs and vars. UsageError for one that it does not take.
    """
    test = ctx.playbook
    job = await ctx.thread(load)
    settings = Settings()
    for name in INHERITED:
        setattr(settings, name, getattr(test.settings, name))
    settings.workspace = test.workspace.path
    files = {name: (value, f"as one of the vars for {playbook}") for name, value in given.items()}
    resolve(job, settings, files, ())
    run = Run(
        job,
        settings,
        None if test.bundle is None else Inner(test.bundle),
        clock=test.clock,
        limits=test.limits,
        environment=test.environment,
        testing=test.testing,
    )
    run.log = Log(
        run, settings.log_level, settings.log_format, test.log.stream, within=ctx.workload
    )
    run.log.progress = test.log.progress
    if test.bus is not None:
        run.bus = test.bus.included(run)
    code = await _execute(ctx, run)
    run.log.write_clean("info", run_ended(run))
    error = run.conceal(run.ending.error)
    return Ended(run.ending.status, error, code, dict(_results(run)))


async def _execute(ctx: Context, run: Run) -> int:
    """Run it on the test's loop. When the test stops it ends in order, with its `finally`.

    Servers that are all that is left of it serve the test, as long as that has other work.
    """
    test = ctx.playbook
    loop, node = test.loop, test.nodes[ctx.workload]
    is_needed = False

    def may_retire() -> bool:
        nonlocal is_needed
        if not is_needed and node.cause is None:
            is_needed = True
            test.scheduler.background.serves(node)
            test.scheduler.rouse_if_idle()
        return node.cause is not None

    run.may_retire = may_retire
    task = loop.create_task(run.execute(loop))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not hasattr(run, "scheduler"):
            task.cancel()  # it has not begun
        else:
            ctx.end_within(run.limits.cancel + run.limits.cleanup + run.limits.cancel)
            if node.cause == RETIRED:
                run.scheduler.rouse_if_idle()
                return await task
            _stop(run, test)
        await asyncio.wait([task])
        raise
    finally:
        test.abandoned += run.abandoned
        loop.watch_for_stalls(test.stalled)
        loop.set_exception_handler(test.unhandled)


def _stop(run: Run, test: Run) -> None:
    if test.ending.interrupted:
        run.interrupt(test.ending.interrupted)
    else:
        run.ending.timed_out = test.ending.timed_out
        run.cut_short("the test is stopping")


def load() -> Job:
    """The playbook's program, imported. ModuleError where a user's module fails already then."""
    try:
        job: Job = __import__(PACKAGE).job  # of the artifact, which no import can name here
    except (Exception, SystemExit) as error:
        from gxo.runtime.reporting.trace import place_of_users  # only after a failure

        place = place_of_users(error)
        if place is None:
            raise
        message = f"{place}: the file cannot be loaded: {type(error).__name__}: {error}"
        raise ModuleError(
            message, hint="what stands outside of functions runs when the job starts"
        ) from error
    return job


def _results(run: Run) -> Iterator[tuple[str, Result]]:
    """Each workload by its name, those of blocks too, as the report has it."""
    told = report(run)["workload_results"]
    blocks = [one for workload in run.job.workloads.values() for one in workload.on_failure]
    for name in (*run.job.workloads, *(one.name for one in (*blocks, *run.job.cleanups))):
        if name not in told:  # its block was not reached
            yield name, Result(name, _NEVER_BEGUN)
            continue
        result = Result(name, {key: told[name][key] for key in SHOWN})
        if told[name].get("summary") is not None:
            result["summary"] = told[name]["summary"]
        yield name, result


class Inner:
    """What of the test's artifact belongs to the playbook, under the names that a job asks for."""

    def __init__(self, bundle: "Bundle") -> None:
        self._bundle = bundle

    def read(self, name: str) -> bytes:
        """The content of the file. FileNotFoundError when it is not there."""
        return self._bundle.read(name.replace(OURS, INCLUDED, 1))

    def names(self) -> list[str]:
        """All files, sorted."""
        inner = (name for name in self._bundle.names() if name.startswith(INCLUDED))
        return [name.replace(INCLUDED, OURS, 1) for name in inner]
