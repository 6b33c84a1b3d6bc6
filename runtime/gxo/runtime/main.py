"""From the command line to the exit code: what `python job.pyz` calls.

code = main(job, ZipBundle(__loader__))
sys.exit(code)
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
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
    from gxo.runtime.reporting.watchers import Watchers

USAGE, DEFECT = 2, 70


def main(job: Job, bundle: "Bundle | None" = None, argv: Sequence[str] | None = None) -> int:
    """Run the job as the options in `argv` (default: the command line) say; returns the exit code.

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
        if alone:
            gc.freeze()
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
            run.journal.recall()
            return _report(run, 0, None)
        return _run_on_loop(run)
    finally:
        if run.journal is not None:
            run.journal.close()


def _run_on_loop(run: Run) -> int:
    """Run the job on its own event loop, and write what was asked for."""
    watchers = _watchers(run)
    loop = JobLoop(run.limits.cancel)
    if watchers is not None:
        watchers.attend(run, loop)
    with _signals(run, loop):
        try:
            code = drive(loop, run)
        finally:
            loop.end(run.abandoned)
            if watchers is not None:
                watchers.leave(run)
            if run.abandoned:
                # What abandoned modules do as Python takes them apart at its end is not shown.
                sys.unraisablehook = lambda _: None
        if run.settings.detailed_exitcode and run.forecast is not None:
            code = run.forecast.exit_code(code)
        return _report(run, code, watchers)


def _watchers(run: Run) -> "Watchers | None":
    """Those who are to be told while it runs."""
    settings = run.settings
    if settings.events is None and settings.report_html is None and not run.log.is_for_people:
        return None
    from gxo.runtime.reporting.watchers import Watchers  # only when somebody looks on

    return Watchers(run)


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


def _report(run: Run, code: int, watchers: "Watchers | None") -> int:
    """Say how it ended, and write the reports; one that cannot be written fails a good run."""
    run.log.write_clean("info", run_ended(run))
    if run.forecast is not None:
        run.log.write_clean("info", run.forecast.closing())
    settings = run.settings
    if settings.report is not None:
        from gxo.runtime.reporting.report import as_json  # only when asked for

        if not _write_report(run, settings.report, as_json(run)):
            code = code or 1
    if settings.report_html is not None:
        from gxo.runtime.reporting.html.page import as_html  # only when asked for

        attempts = watchers.attempts if watchers is not None else None
        if not _write_report(run, settings.report_html, [as_html(run, attempts)]):
            code = code or 1
    return code


def _write_report(run: Run, target: str, texts: Iterable[str]) -> bool:
    """Write a report; False, and a line in the log, when that is not possible."""
    from gxo.runtime.reporting.files import write_text  # only when asked for

    try:
        write_text(target, texts)
    except BrokenPipeError:
        write_out(sys.stdout)
    except OSError as error:
        if target == "-":
            write_out(sys.stdout)
        run.log.write_clean("error", f"cannot write the report: {error.strerror or error}")
        return False
    return True


@contextmanager
def _signals(run: Run, loop: JobLoop) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP (the terminal was closed) end the job in order; a second one ends
    the process and its commands at once.

    Python's own handlers rather than the loop's: they also run while a module blocks the loop.
    """

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if run.ending.interrupted:
            loop.kill_commands()
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
