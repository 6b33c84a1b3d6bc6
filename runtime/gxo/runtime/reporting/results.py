"""Writes what a run leaves besides its log: the report, its page, and metrics.

One that cannot be written makes a good run fail; that nobody reads standard output does not.
"""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gxo.runtime.reporting.files import write_text
from gxo.runtime.reporting.logs import write_out

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.reporting.html.attempts import Attempts


def write_results(run: "Run", code: int, attempts: "Attempts | None") -> int:
    """Write all that was asked for. Takes the run's exit code, returns the process's."""
    settings = run.settings
    written = []
    if settings.report is not None:
        written.append(_write(run, settings.report, "report", _report(run)))
    if settings.report_html is not None:
        written.append(_write(run, settings.report_html, "report", _page(run, attempts)))
    if settings.metrics is not None:  # the last: they tell the exit code, which the others decide
        text = _metrics(run, code if all(written) else code or 1)
        written.append(_write(run, settings.metrics, "metrics", text))
    return code if all(written) else code or 1


def _report(run: "Run") -> Iterable[str]:
    from gxo.runtime.reporting.report import as_json

    return as_json(run)


def _page(run: "Run", attempts: "Attempts | None") -> Iterable[str]:
    from gxo.runtime.reporting.html.page import as_html

    return [as_html(run, attempts)]


def _metrics(run: "Run", code: int) -> Iterable[str]:
    from gxo.runtime.reporting.metrics import metrics

    return [metrics(run, code)]


def _write(run: "Run", target: str, what: str, texts: Iterable[str]) -> bool:
    """False, and a line in the log, when that is not possible."""
    try:
        write_text(target, texts)
    except BrokenPipeError:
        write_out(sys.stdout)
    except OSError as error:
        if target == "-":
            write_out(sys.stdout)
        where = "standard output" if target == "-" else target
        why = error.strerror or error
        run.log.write_clean("error", f"cannot write the {what} to {where}: {why}")
        return False
    return True
