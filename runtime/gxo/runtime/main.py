"""From the command line to the exit code: what `python job.pyz` calls.

code = main(load(), ZipBundle(__loader__))
sys.exit(code)
"""

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import ArtifactError, GxoError, UsageError
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.job import Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.reporting.logs import run_ended, write_out
from gxo.runtime.settings import Settings

if TYPE_CHECKING:
    from gxo.runtime.bundle import Bundle
    from gxo.runtime.journal.journal import Journal
    from gxo.runtime.reporting.watchers import Watcher
    from gxo.runtime.reporting.watching import Watching

FAILED, USAGE, DEFECT = 1, 2, 70

YOUNG = 20_000
"""Objects between two runs of the collector. A batch of records is thousands that die by
themselves, and Python's own 700 would have it look through each batch for cycles."""


def load() -> Job:
    """The compiled job, imported. Ends the process where a user's module fails already then."""
    try:
        job: Job = __import__("gxo_job").job  # of the artifact, which no import can name here
    except (Exception, SystemExit) as error:
        from gxo.runtime.reporting.trace import place_of_users  # start-up: only after a failure

        place = place_of_users(error)
        if place is None:
            raise
        if "--traceback" in sys.argv:
            traceback.print_exc()
        message = f"{place}: the file cannot be loaded: {type(error).__name__}: {error}"
        hint = "what stands outside of functions runs when the job starts"
        _complain(GxoError(message, hint=hint))
        sys.exit(FAILED)
    return job


def main(
    job: Job,
    bundle: "Bundle | None" = None,
    argv: Sequence[str] | None = None,
    watch: "Callable[[Run], Watcher] | None" = None,
) -> int:
    """Run the job as the options in `argv` (default: the command line) say; returns the exit code.

    watch: makes one who looks on besides those that the options ask for.
    Whatever happens, standard error gets a sentence, not a traceback (language, section 6).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_missing()
    alone = argv is None
    if alone:
        # The process is the job's: what was loaded, and the graph of workloads that is made now,
        # stays to the end, so the collector need not go through it again and again.
        gc.disable()
    try:
        settings = _settings(job, bundle, arguments)
        if settings is None:
            return 0
        run = Run(job, settings, bundle)
        if watch is not None:
            run.bus = watch(run)
        if alone:
            gc.freeze()
            gc.set_threshold(YOUNG)
            gc.enable()
        return _run(run)
    except (UsageError, ArtifactError) as error:
        _complain(error)
        return USAGE
    except Exception as error:
        if "--traceback" in arguments:
            raise
        _complain(
            GxoError(
                f"a defect of gxo itself: {type(error).__name__}: {error}",
                hint="please report it, with what --traceback shows",
            )
        )
        return DEFECT


def _settings(job: Job, bundle: "Bundle | None", arguments: list[str]) -> Settings | None:
    """What the options ask for; None when that was only something to print."""
    if arguments:
        from gxo.runtime.options import Finished, parse  # start-up: only with options

        try:
            return parse(job, bundle, arguments)
        except Finished:
            write_out(sys.stdout)
            return None
    job.check_runs_here()
    settings = Settings()
    if job.inputs:
        from gxo.runtime.kernel.inputs import resolve  # start-up: only with inputs

        resolve(job, settings, {}, ())
    return settings


def _run(run: Run) -> int:
    """Run the job, or what is left of it."""
    if run.job.secrets or run.settings.secret_inputs:
        _ = run.secrets  # a wrong --secrets is told before anything runs
    if run.settings.journal is not None or run.settings.resume is not None:
        from gxo.runtime.journal.journal import open_journal  # only when asked for

        run.journal = open_journal(run)
    try:
        if run.journal is not None and run.journal.is_completed:
            return _recall(run, run.journal)
        return _run_on_loop(run)
    except UsageError:
        if run.journal is not None:
            run.journal.withdraw()
        raise
    finally:
        if run.journal is not None:
            run.journal.close()


def _recall(run: Run, journal: "Journal") -> int:
    """Tell of a job that had Completed before it was resumed, as of one that has just run."""
    watching = _watching(run)
    try:
        journal.recall()
    finally:
        if watching is not None:
            watching.end()
    return _tell(run, 0, watching)


def _run_on_loop(run: Run) -> int:
    """Run the job on its own event loop, and write what was asked for."""
    watching = _watching(run)
    grace = run.limits.cancel
    loop = JobLoop(grace) if run.testing is None else run.testing.make_loop(grace)
    if watching is not None:
        watching.attend(loop)
    with _signals(run, loop):
        try:
            code = drive(loop, run)
        finally:
            loop.end(run.abandoned)
            if watching is not None:
                watching.end()
            if run.abandoned:
                # What abandoned modules do as Python takes them apart at its end is not shown.
                sys.unraisablehook = lambda _: None
        if run.settings.detailed_exitcode and run.forecast is not None:
            code = run.forecast.exit_code(code)
        return _tell(run, code, watching)


def _watching(run: Run) -> "Watching | None":
    """Start what watches the run, as far as anything asks for it."""
    settings = run.settings
    asked = settings.events is not None or settings.metrics_listen is not None
    shown = settings.report_html is not None or run.log.is_for_people
    if not asked and not shown and not any(name.startswith("OTEL_") for name in run.environment):
        return None
    from gxo.runtime.reporting.watching import Watching  # only when asked for

    return Watching(run)


def drive(loop: JobLoop, run: Run) -> int:
    """Run the loop until the job is over.

    `SystemExit` and `KeyboardInterrupt` in a task that a module has started leave the loop as well
    as that task. They are the module's failure, not the end of the job, so the loop goes on.
    """
    task = loop.create_task(run.execute(loop))
    while True:
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt):
            if task.done():
                raise


def _tell(run: Run, code: int, watching: "Watching | None" = None) -> int:
    """Say how it ended, and write the reports; one that cannot be written fails a good run."""
    run.log.write_clean("info", run_ended(run))
    if run.forecast is not None:
        run.log.write_clean("info", run.forecast.closing())
    settings = run.settings
    if settings.report is None and settings.report_html is None and settings.metrics is None:
        return code
    from gxo.runtime.reporting.results import write_results  # only when asked for

    return write_results(run, code, watching.attempts if watching is not None else None)


@contextmanager
def _signals(run: Run, loop: JobLoop) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP (the terminal was closed) end the job in order; a second one ends
    the process and its commands at once.

    Python's own handlers rather than the loop's: they also run while a module blocks the loop.
    """

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if run.ending.interrupted:
            loop.kill_commands()
            if run.log.progress is not None:
                run.log.progress.erase_at_once()
            os._exit(128 + number)
        run.ending.interrupted = number
        if not loop.is_closed():
            loop.call_soon_threadsafe(run.interrupt, number)

    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup` and a shell's `&` have a signal ignored on purpose.
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, on_signal)
    try:
        yield
    finally:
        for changed, handler in previous.items():
            signal.signal(changed, handler)


def _open_missing() -> None:
    """Give a process that was started without standard streams somewhere to write to."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _complain(error: GxoError) -> None:
    """One sentence, and what to do about it, on standard error."""
    text = f"error: {error.message}\n" + (f"hint: {error.hint}\n" if error.hint else "")
    write_out(sys.stderr, text)
