"""Writes what a run leaves besides its log: the report, its page, and metrics.

One that cannot be written makes a good run fail; that nobody reads standard output does not.
"""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gxo.runtime.reporting.files import write_text
from gxo.runtime.reporting.logs import write_out

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.reporting.html.attempts import Attempts


def write_results(run: "Run", code: int, attempts: "Attempts | None") -> int:
    """Write all that was asked for. Takes the run's exit code, returns the process's."""
    wanted: list[tuple[str | None, str, Callable[[], Iterable[str]]]] = [
        (run.settings.report, "report", lambda: _report(run)),
        (run.settings.report_html, "report", lambda: _page(run, attempts)),
        (run.settings.metrics, "metrics", lambda: _metrics(run, code)),
    ]
    written = [_write(run, target, what, make()) for target, what, make in wanted if target]
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
        run.log.write_clean("error", f"cannot write the {what}: {error.strerror or error}")
        return False
    return True
