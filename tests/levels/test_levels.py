"""What can be observed of a job does not depend on whether it was optimized.

Golden cases, examples and the kernel's cases are compiled at -O0 and at -O1, run in this process, and
compared: the report, the state, files, log lines without times, and when modules were called.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation
from gxo.compiler.frontend.assets import find_assets
from gxo.compiler.frontend.playbook import Playbook
from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.kernel import instance
from gxo.runtime.kernel.inputs import resolve
from gxo.runtime.kernel.run import Run
from gxo.runtime.settings import Settings
from tests.both_levels import HEADER, Program, program
from tests.examples.orders_server import TOKEN, shop
from tests.golden.test_golden import GOLDEN, VALID, playbook_of, run_of
from tests.levels.kernel_cases import Part, kernel_cases
from tests.runtime.kernel.harness import Stage
from tests.topologies.compare import differences
from tests.topologies.model import Expected
from tests.topologies.modules.script import StageClock
from tests.topologies.real import OWN, Observed, observe

NEVER_TWICE = ("fleet-check.gxo.yaml", "nightly-sync.gxo.yaml")
"""Examples that ask real hosts for figures that are others the next moment, or encrypt what they write."""
NOT_INSTALLED = "catalogue.gxo.yaml"
"""An example whose modules import what only its artifact has."""
EXAMPLES = (GOLDEN.parent / "docs" / "examples").glob("*/*.gxo.yaml")
CASES = [playbook_of(case) for case in VALID if "refused" not in run_of(case)]
WITH_MOCKS = re.compile(r"^include: |test:mock_", re.MULTILINE)
"""Tests whose time is virtual; those of includes and mocks run at both levels themselves."""
PLAYBOOKS = sorted(
    path
    for path in {*EXAMPLES, *CASES}
    if path.name not in (*NEVER_TWICE, NOT_INSTALLED)
    and not WITH_MOCKS.search(path.read_text(encoding="utf-8"))
)

OPTIONS = {"site-deploy.gxo.yaml": [("version", "1.4")], "full-disks.gxo.yaml": [("limit", "20")]}
SECRETS = {"API_TOKEN": TOKEN}
MOMENTS = (
    (r'"date": "[^"]+"', '"date": ""'),
    (r'"latency_ms": \d+', '"latency_ms": 0'),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\btcp-[0-9a-f]{8}-", "tcp-"),
)

COMMANDS = {
    "uname": "echo Linux 6.1 x86_64",
    "df": "printf '%s\\n' Filesystem '/dev/sda1 100 23 77 23% /' 'tmpfs 50 5 45 10% /tmp'",
    "ps": "printf '%s\\n' 'root 1200 init' 'daemon 300 cron' 'root 80 sh'",
}
"""What the examples ask of their host, and what a host says that does not change meanwhile."""


def levels(front: Compilation) -> tuple[Program, Program]:
    """The job without and with optimization."""
    return program(front, OWN, optimize=False), program(front, OWN, optimize=True)


def found(front: Compilation, plain: Observed, optimized: Observed) -> list[str]:
    """What differs and must not."""
    uncounted = _upstream_of_early_ends(front.playbook)
    known = {
        name: Expected(one["status"], counted=name not in uncounted)
        for name, one in plain.workloads.items()
    }
    return [*differences(plain, optimized, known), *_of_the_job(plain, optimized)]


def _upstream_of_early_ends(playbook: Playbook | None) -> set[str]:
    """The workloads whose counts chance decides: those whose readers may close early."""
    assert playbook is not None
    above: set[str] = set()
    for one in reversed(playbook.workloads):  # here each stands behind those that it reads
        if one.name.text in above or one.module.text == "data:limit":
            above.update(stream.text.removesuffix(".errors") for stream in one.stream_inputs)
    return above


def _of_the_job(plain: Observed, optimized: Observed) -> Iterator[str]:
    before, after = (
        [_timeless(line) for line in one.log.get("", [])] for one in (plain, optimized)
    )
    if before != after:
        yield f"the job: -O0 logs {before}, -O1 {after}"


def _timeless(line: str) -> str:
    return re.sub(r" in [\d.]+ \w+", "", line)


# Playbooks that people wrote


@pytest.fixture
def commands(tmp_path: Path) -> str:
    """A folder with the commands of a host where nothing changes."""
    for name, script in COMMANDS.items():
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return str(tmp_path)


@contextmanager
def outside(playbook: Path) -> Iterator[list[tuple[str, str]]]:
    """What the playbook needs around it; gives its inputs."""
    if playbook.name == "orders-etl.gxo.yaml":
        with shop() as (address, _):
            yield [("api", address)]
    else:
        yield OPTIONS.get(playbook.name, [])


def really_run(job: Program, playbook: Path, front: Compilation, commands: str) -> Observed:
    """The job as it is, with the time of the clock, on the host that `commands` make up."""

    def before(run: Run) -> None:
        resolve(run.job, run.settings, {}, inputs)
        assert front.playbook is not None and run.settings.workspace is not None
        for asset in find_assets(front.playbook, playbook.parent, Diagnostics()):
            target = Path(run.settings.workspace, asset.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(asset.path.read_bytes())

    environment = {"PATH": f"{commands}:/usr/bin:/bin", **SECRETS}
    loop = JobLoop(5.0)
    with outside(playbook) as inputs:
        settings = Settings()
        settings.outputs = commands  # what the job gives is in its workspace as well
        observed = observe(job, settings, loop, Clock(), environment=environment, before=before)
    return _repeatable(observed, dict(inputs).get("api", "no server"))


def _repeatable(observed: Observed, address: str) -> Observed:
    """Without what a server says of itself and of the moment."""
    for replaced, by in ((address, "ADDRESS"), *MOMENTS):
        text = json.dumps([observed.workloads, observed.log])
        observed.workloads, observed.log = json.loads(re.sub(replaced, by, text))
    return observed


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.parent.name)
def test_playbooks(playbook: Path, commands: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "chance", lambda: 0.5)  # of a delay's jitter
    front = Compilation(str(playbook))
    assert front.read(playbook.read_bytes())
    plain, optimized = levels(front)
    before, after = (really_run(one, playbook, front, commands) for one in (plain, optimized))
    assert found(front, before, after) == []


# The kernel's cases

SCRIPTS = list(kernel_cases())


def played(job: Program, case: Part) -> tuple[Observed, list[str]]:
    """The case under virtual time, and its trace."""
    stage = Stage()
    stage.loop.set_debug(False)

    def before(run: Run) -> None:
        resolve(run.job, run.settings, {}, ())
        for moment, number in case.get("signals", {}).items():
            stage.loop.call_later(moment, run.interrupt, number)

    settings = Settings()
    for name, value in case.get("settings", {}).items():
        setattr(settings, name, value)
    return observe(job, settings, stage.loop, StageClock(stage), before=before), stage.trace


def test_most_of_the_kernels_cases_are_playbooks() -> None:
    assert len(SCRIPTS) > 140


@pytest.mark.parametrize(
    ("case", "document"), [pytest.param(case, made, id=name) for name, case, made in SCRIPTS]
)
def test_kernel_cases(case: Part, document: Part) -> None:
    front, (plain, optimized) = of_the_kernel(document)
    (before, trace), (after, other) = played(plain, case), played(optimized, case)
    assert found(front, before, after) == []
    assert sorted(trace) == sorted(other)


def of_the_kernel(document: Part) -> tuple[Compilation, tuple[Program, Program]]:
    """The playbook, read and compiled."""
    front = Compilation("case.gxo.yaml")
    assert front.read(json.dumps(HEADER | document).encode()), front.diagnostics.sorted()
    return front, levels(front)


# The comparison can fail

MISTAKES = {
    "another status": ("ignore_errors=True", "ignore_errors=False"),
    "another number of attempts": ("attempts=3", "attempts=2"),
    "another item": ("Loop([[1], 2]", "Loop([2, [1]]"),
    "the call of another item": ("case 0:", "case 9:"),
    "another result": ("return {n: 3}", "return {n: 4}"),
    "another moment": ("sleep 2", "sleep 3"),
    "another word in the log": ("fail no luck", "fail bad luck"),
    "no condition": ("when=lambda ctx:", "when=lambda ctx: True or"),
    "fewer records": ("send 3", "send 2"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str) -> None:
    for _, case, document in SCRIPTS:
        front, (plain, optimized) = of_the_kernel(document)
        text = optimized.text.replace(*MISTAKES[mistake])
        if text == optimized.text:
            continue
        (before, trace), (after, other) = (
            played(plain, case),
            played(replace(plain, text=text), case),
        )
        if found(front, before, after) or sorted(trace) != sorted(other):
            return
    raise AssertionError("nobody has noticed")
