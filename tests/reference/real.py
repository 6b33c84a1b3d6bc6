"""The real side: a playbook compiled and run in this process, under virtual time.

No black, no archive and no other process: the generated module is executed as it is rendered, with
the probes as a second root of the module library.
"""

import io
import json
from pathlib import Path
from typing import Any

from gxo.compiler.modules.index import Root
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.report import report
from gxo.runtime.settings import Settings
from tests.both_levels import programs
from tests.once import keep_modules
from tests.reference.outcome import Outcome, Result, canonical, noted_key
from tests.reference.world import Noted
from tests.runtime.kernel.harness import FakeClock, FakeLoop

PROBES = Root(str(Path(__file__).parent / "modules"), "tests.reference.modules")

keep_modules(PROBES)


class NotingClock(FakeClock):
    """Keeps what the probes note, in the order in which it happened."""

    def __init__(self, loop: FakeLoop) -> None:
        super().__init__(loop)
        self.notes: list[tuple[tuple[str, int | None, int], str, int]] = []

    def note(self, call: tuple[str, int | None, int], what: str) -> None:
        self.notes.append((call, what, microseconds(self.monotonic())))


def compiled(document: dict[str, Any]) -> tuple[str, str]:
    """The text of the playbook's generated module at -O0 and at -O1. Refused when there are errors
    in it.
    """
    plain, optimized = programs(document, PROBES)
    return plain.text, optimized.text


def run(text: str) -> tuple[Outcome, list[tuple[str, str]]]:
    """How the job ends, and the workloads whose calls began and ended, in order."""
    scope: dict[str, Any] = {"__name__": "gxo_job"}
    exec(compile(text, "gxo_job.py", "exec"), scope)
    job = scope["job"]
    settings = Settings()
    settings.inputs = {name: given.default for name, given in job.inputs.items()}
    loop = FakeLoop()
    clock = NotingClock(loop)
    run = Run(job, settings, clock=clock, environment={})
    run.log = Log(run, "error", settings.log_format, io.StringIO())
    try:
        exit_code = drive(loop, run)
    finally:
        loop.end(run.abandoned)
    order = [(call[0], what) for call, what, _ in clock.notes]
    return _outcome(run, exit_code, _calls(clock)), order


def _outcome(run: Run, exit_code: int, calls: dict[str, list[Noted]]) -> Outcome:
    """What the report says, and the moments that it rounds."""
    told = json.loads(json.dumps(report(run)))
    results = []
    for name, found in told["workload_results"].items():
        node = run.nodes[name]
        if found["status"] == "Pending" and (node.unit.in_block):
            continue
        state = run.state.get(node.spec.register) if node.spec.register else None
        assert state == found.get("summary"), f"{name}: the state differs from the report"
        results.append((name, _result(found, node.started, node.ended, calls.get(name, []))))
    return Outcome(told["overall_status"], exit_code, told["error"], tuple(results))


def _result(
    found: dict[str, Any], started: float | None, ended: float | None, calls: list[Noted]
) -> Result:
    return Result(
        status=found["status"],
        ignored=found["ignored"],
        error=found["error"],
        reason=found["reason"],
        attempts=found["attempts"],
        iterations=found["iterations"],
        records_in=found["records_in"],
        records_out=found["records_out"],
        record_errors=found["record_errors"],
        records_dropped=found["records_dropped"],
        started=None if started is None else microseconds(started),
        ended=None if ended is None else microseconds(ended),
        summary=canonical(json.dumps(found.get("summary"))),
        calls=tuple(sorted(calls, key=noted_key)),
    )


def _calls(clock: NotingClock) -> dict[str, list[Noted]]:
    """The calls of each workload, from what the probes noted."""
    begun: dict[tuple[str, int | None, int], int] = {}
    calls: dict[str, list[Noted]] = {}
    for call, what, moment in clock.notes:
        if what == "begins":
            begun[call] = moment
        else:
            name, item, attempt = call
            calls.setdefault(name, []).append(Noted(item, attempt, begun[call], moment, what))
    return calls


def microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
