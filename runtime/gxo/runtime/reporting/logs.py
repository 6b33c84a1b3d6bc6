"""What a job tells while it runs: lines on standard error, for people or as JSON for machines.

    12:00:03 warning  fetch: attempt 1 of 3 failed, the next one is in 1 s: 503 (attempt=1)
    {"time": "2026-01-31T12:00:03.120Z", "level": "warning", "workload": "fetch", ...}

Standard output is left to data.
"""

import os
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from gxo.runtime.errors import GxoError
from gxo.runtime.host.clock import rfc3339

if TYPE_CHECKING:
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.reporting.progress import Progress

LEVELS = ("debug", "info", "warning", "error")
COLOURS = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m"}
PLAIN = "\x1b[0m"


class Log:
    """Writes log lines of one run. That nobody reads them any more is no reason to fail.

    progress: the line below them, on a terminal.
    """

    def __init__(
        self,
        run: "Run",
        level: str,
        form: str,
        stream: TextIO | None = None,
        within: str | None = None,
    ) -> None:
        """level: one of LEVELS. form: `text` or `json`. within: the workload of another run whose
        work this run is: its own ones are named `included/fetch`.
        """
        self._run = run
        self._shown = frozenset(LEVELS[LEVELS.index(level) :])
        self.stream = sys.stderr if stream is None else stream
        self.progress: Progress | None = None
        self._within = within
        self._line = self._json if form == "json" else self._text
        self._second = -1
        self._moment = ""
        self._colours = COLOURS if wants_colours(self.stream) else {}

    @property
    def is_for_people(self) -> bool:
        """Whether somebody looks on who wants to know, at a terminal where a line can be erased."""
        return (
            self._line == self._text
            and self.shows("info")
            and self.stream.isatty()
            and (os.environ.get("TERM") or "dumb") != "dumb"
        )

    def shows(self, level: str) -> bool:
        """Whether lines of that level are written."""
        return level in self._shown

    @property
    def has_colours(self) -> bool:
        """Whether what it writes to shows colours."""
        return bool(self._colours)

    def write(
        self,
        level: str,
        message: str,
        *,
        workload: str | None = None,
        attempt: int | None = None,
        iteration: int | None = None,
        **fields: Any,
    ) -> None:
        """Write one line, redacted. A message may have several lines of text."""
        if level in self._shown:
            redact = self._run.redact
            self._put(
                level,
                redact(message),
                {"workload": workload, "attempt": attempt, "iteration": iteration},
                redact(fields) if fields else fields,
            )

    def write_clean(
        self,
        level: str,
        message: str,
        workload: str | None = None,
        iteration: int | None = None,
    ) -> None:
        """Write one line in which nothing has to be redacted, or has been.

        iteration: a field of JSON lines; for people the message names the item.
        """
        if level in self._shown:
            shown = None if self._line == self._text else iteration
            place = {"workload": workload, "attempt": None, "iteration": shown}
            self._put(level, message, place, {})

    def _put(self, level: str, message: str, place: dict[str, Any], fields: dict[str, Any]) -> None:
        if self._within is not None:
            own = place["workload"]
            place["workload"] = self._within if own is None else f"{self._within}/{own}"
        line = self._line(level, message, place, fields)
        if self.progress is not None:
            line = self.progress.erased() + line
        if not write_out(self.stream, line):
            self._shown = frozenset()

    def _text(self, level: str, message: str, place: dict[str, Any], fields: dict[str, Any]) -> str:
        if (second := int(self._run.clock.seconds())) != self._second:
            self._second = second
            self._moment = time.strftime("%H:%M:%S", time.localtime(second))
        text = f"{place['workload']}: {message}" if place["workload"] else message
        if (place.get("attempt") or 1) > 1:
            fields = {"attempt": place["attempt"], **fields}
        if place.get("iteration") is not None:
            fields = {"iteration": place["iteration"], **fields}
        if fields:
            text += f" ({' '.join(f'{name}={value}' for name, value in fields.items())})"
        text = text.replace("\n", "\n    ")
        colour = self._colours.get(level, "")
        return f"{self._moment} {colour}{level:<7}{PLAIN if colour else ''}  {text}\n"

    def _json(self, level: str, message: str, place: dict[str, Any], fields: dict[str, Any]) -> str:
        from gxo.runtime.jsontext import to_json  # start-up: only with --log-format json

        head = {"time": rfc3339(self._run.clock.seconds()), "level": level}
        known = {name: value for name, value in place.items() if value is not None}
        if self._run.bus is not None:
            known |= self._run.bus.span_ids(**place)
        ours = {**head, "run_id": self._run.run_id, **known, "message": message}
        return to_json({**ours, **fields, **ours}) + "\n"


def write_out(stream: TextIO, text: str = "") -> bool:
    """Write and flush; False when nobody reads the stream any more, or its disk is full.

    It then leads nowhere from now on, or Python's own flush at exit would fail.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return False
    return True


def wants_colours(stream: TextIO) -> bool:
    """Whether it is a terminal that shows colours, and nobody has asked for none."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def workload_ended(node: "Node") -> str:
    """`completed in 12 ms, 500 records in, 20 records out`."""
    text = node.status.lower()
    if node.started is not None and node.ended is not None:
        text += f" in {_duration(node.ended - node.started)}"
    if node.port is not None or node.source is not None or node.record_errors:
        counts = {
            "records in": node.records_in,
            "records out": node.records_out,
            "record errors": node.record_errors,
            "records dropped": node.records_dropped,
        }
        text += "".join(f", {count} {what}" for what, count in counts.items() if count)
    return f"{text}: {node.reason}" if node.reason else text


def workload_failed(run: "Run", node: "Node") -> str:
    """`failed: the command is missing`, with what to do about it, and with the traceback."""
    text = f"failed{' (ignored)' if node.ignored else ''}: {node.error}"
    if isinstance(node.failure, GxoError) and node.failure.hint:
        text += f"\nhint: {run.redact(node.failure.hint)}"
    if run.settings.traceback and node.failure is not None:
        from gxo.runtime.reporting.trace import full_traceback

        text += f"\n{full_traceback(run, node.failure).rstrip()}"
    return text


def run_ended(run: "Run") -> str:
    """`orders-etl completed in 1.2 s: 5 completed, 1 skipped`."""
    counts: dict[str, int] = {}
    for node in run.nodes.values():
        counts[node.status] = counts.get(node.status, 0) + 1
    told = ", ".join(f"{count} {status.lower()}" for status, count in counts.items())
    return (
        f"{run.name} {run.ending.status.lower()} in {_duration(run.ended_at - run.started)}: {told}"
    )


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
