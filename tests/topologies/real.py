"""The real side: a topology compiled at both levels and run in this process, under virtual time."""

import io
import json
import linecache
import os
import tempfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from gxo.compiler import driver
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation, Dump, Options, ignore_dump
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.modules.index import Library, Root, standard_roots
from gxo.compiler.passes import PASSES
from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.report import report
from gxo.runtime.settings import Settings
from tests.runtime.kernel.harness import FakeClock, FakeLoop
from tests.topologies.generate import Topology

OWN = Root(str(Path(__file__).parent / "modules"), "tests.topologies.modules")
_LIBRARY = Library((*standard_roots(), OWN), Diagnostics())
"""Kept from one playbook to the next: to read its files takes as long as all the rest."""

SHARED = next(place for place, one in enumerate(PASSES) if one.optimizes)
"""So many passes do the same at both levels. They run once for both, and take half of the time."""

HEADER = {"name": "case", "schemaVersion": "v1.0.0"}


class Refused(Exception):
    """The compiler has found errors; the message holds them."""


@dataclass(frozen=True)
class Program:
    """A generated module and its source map."""

    text: str
    source_map: str


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
    text = json.dumps(HEADER | topology.document)  # which is YAML too, and faster to write
    front = Compilation("case.gxo.yaml")
    front.read(text.encode())
    plans: dict[str, Plan] = {}
    optimized = program(front, optimize=True, dump=plans.__setitem__)
    return _plain(front, plans[PASSES[SHARED - 1].name]), optimized


def _plain(front: Compilation, plan: Plan) -> Program:
    """What becomes at -O0 of a plan that all passes which both levels share have seen."""
    for one in PASSES[SHARED:]:
        if not one.optimizes:
            plan = one.run(plan, Diagnostics())
    module = replace(front, plan=plan).generate(pretty=False)
    return Program(module.text, module.source_map)


def program(front: Compilation, *, optimize: bool, dump: Dump = ignore_dump) -> Program:
    """What becomes of a playbook that has been read. Refused when there are errors in it."""
    options = Options(optimize=optimize, module_roots=(OWN,), dump=dump)
    diagnostics = deepcopy(front.diagnostics)
    compilation = replace(front, options=options, diagnostics=diagnostics)
    _LIBRARY.diags = diagnostics
    with patch.object(driver, "Library", return_value=_LIBRARY):
        valid = compilation.playbook is not None and compilation.analyse()
    if not valid:
        errors = [one for one in diagnostics.sorted() if one.level == "error"]
        raise Refused("\n".join(f"{one.code} {one.message}" for one in errors))
    module = compilation.generate(pretty=False)
    return Program(module.text, module.source_map)


def run(program: Program, inputs: dict[str, Any]) -> Observed:
    """Run the job under virtual time, in a workspace of its own."""
    settings = Settings()
    settings.inputs = inputs
    loop = FakeLoop()
    loop.set_debug(False)  # half the time
    return observe(program, settings, loop, FakeClock(loop))


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
    file = "gxo_job.py"
    linecache.cache[file] = (len(program.text), None, program.text.splitlines(True), file)
    scope: dict[str, Any] = {"__name__": "gxo_job"}
    exec(compile(program.text, file, "exec"), scope)
    with tempfile.TemporaryDirectory() as folder:
        settings.workspace = folder
        job = Run(scope["job"], settings, clock=clock, environment=environment)
        job.source_map = json.loads(program.source_map)
        log = io.StringIO()
        job.log = Log(job, "debug", "json", log)
        before(job)
        try:
            exit_code = drive(loop, job)
        finally:
            loop.end(job.abandoned)
        return _observed(job, exit_code, log.getvalue(), _files(folder))


def _observed(job: Run, exit_code: int, log: str, files: dict[str, bytes]) -> Observed:
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
        told["overall_status"], exit_code, told["error"], told["workload_results"], lines, files
    )


def _files(folder: str) -> dict[str, bytes]:
    """What the job has left in its workspace."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found
