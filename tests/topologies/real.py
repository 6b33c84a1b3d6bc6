"""The real side: a topology compiled at both levels and run in this process, under virtual time."""

import io
import json
import linecache
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gxo.compiler.modules.index import Root
from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.job import Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.report import report
from gxo.runtime.settings import Settings
from tests import both_levels
from tests.both_levels import Program
from tests.once import keep_modules
from tests.runtime.kernel.harness import FakeClock, FakeLoop, slow_down_secrets
from tests.topologies.generate import Topology

OWN = Root(str(Path(__file__).parent / "modules"), "tests.topologies.modules")
keep_modules(OWN)

WORD = {"WORD": "known"}
"""The secret that topologies read."""


@dataclass
class Observed:
    """All that can be seen of a run, times aside. log: a workload's lines; those of the job: ""."""

    status: str
    exit_code: int
    error: str | None
    workloads: dict[str, dict[str, Any]]
    log: dict[str, list[str]]
    files: dict[str, bytes]


def programs(topology: Topology) -> tuple[Program, Program]:
    """What the playbook is compiled to at -O0 and at -O1. Refused when there are errors in it."""
    return both_levels.programs(topology.document, OWN)


def run(program: Program, inputs: dict[str, Any]) -> Observed:
    """Run the job under virtual time, in a workspace of its own."""
    settings = Settings()
    settings.inputs = inputs
    loop = FakeLoop()
    loop.set_debug(False)  # half the time
    return observe(
        program,
        settings,
        loop,
        FakeClock(loop),
        environment=WORD,
        before=lambda job: slow_down_secrets(job, 0.001) if job.job.secrets else None,
    )


def observe(
    program: Program,
    settings: Settings,
    loop: JobLoop,
    clock: Clock,
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    before: Callable[[Run], None] = lambda run: None,
) -> Observed:
    """Run the job in a workspace of its own. before: called with the run before it starts."""
    with tempfile.TemporaryDirectory() as folder:
        settings.workspace = folder
        job = Run(job_of(program), settings, clock=clock, environment=environment)
        job.source_map = json.loads(program.source_map)
        log = io.StringIO()
        job.log = Log(job, "debug", "json", log)
        before(job)
        try:
            exit_code = drive(loop, job)
        finally:
            loop.end(job.abandoned)
        return observed(job, exit_code, log.getvalue(), files(folder))


def job_of(program: Program) -> Job:
    """The job, as it is when the generated module has been imported."""
    file = "gxo_job.py"
    linecache.cache[file] = (len(program.text), None, program.text.splitlines(True), file)
    scope: dict[str, Any] = {"__name__": "gxo_job"}
    exec(compile(program.text, file, "exec"), scope)
    job: Job = scope["job"]
    return job


def observed(job: Run, exit_code: int, log: str, left: dict[str, bytes]) -> Observed:
    """What can be seen of a run that is over. log: its lines, as JSON. left: its files."""
    told = json.loads(json.dumps(report(job)))
    for name, found in told["workload_results"].items():
        node = job.nodes[name]
        for key in ("start_time", "end_time", "duration_ms"):
            found.pop(key, None)
        found["state"] = job.state.get(node.spec.register) if node.spec.register else None
        if job.forecast is not None:
            found["state"] = found.get("summary")  # of the state itself not all is known
    lines: dict[str, list[str]] = {}
    for line in map(json.loads, log.splitlines()):
        lines.setdefault(line.get("workload", ""), []).append(f"{line['level']}: {line['message']}")
    return Observed(
        told["overall_status"], exit_code, told["error"], told["workload_results"], lines, left
    )


def files(folder: str) -> dict[str, bytes]:
    """What the job has left in its workspace."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found
