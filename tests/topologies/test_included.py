"""A playbook that a test includes does what it does alone, by random topologies: statuses, records, errors, files."""

import io
import json
import tempfile
from random import Random
from typing import Any

import pytest

from gxo.runtime import Context, Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.watchers import Watcher
from gxo.runtime.settings import Settings
from gxo.runtime.testing import Test, included
from tests.both_levels import Program
from tests.topologies.compare import differences, unsound
from tests.topologies.generate import generate
from tests.topologies.model import expect
from tests.topologies.real import WORD, Observed, files, job_of, observed, programs, run

FIRST, TOPOLOGIES = 4_000_000, 60


class Onlooker(Watcher):
    """Gets hold of the playbook's run, and gives it the source map that an artifact has."""

    def __init__(self, program: Program) -> None:
        self.run: Run
        self._program = program

    def included(self, run: Run) -> None:
        self.run = run
        run.source_map = json.loads(self._program.source_map)


def run_in_test(
    program: Program, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Observed:
    """What is seen of the playbook when a test includes it."""
    job = job_of(program)
    monkeypatch.setattr(included, "load", lambda: job)
    test = Job("case.test", test=Test(secrets=WORD))
    ended: list[included.Ended] = []

    @test.workload("included")
    async def include(ctx: Context) -> None:
        ended.append(await included.run_included(ctx, "case.gxo.yaml", inputs))

    settings, log = Settings(), io.StringIO()
    with tempfile.TemporaryDirectory() as settings.workspace:
        outer = Run(test, settings, environment={})
        outer.bus = onlooker = Onlooker(program)
        outer.log = Log(outer, "error", "json", log)
        assert outer.testing is not None
        loop = outer.testing.make_loop(5.0)
        try:
            assert drive(loop, outer) == 0, log.getvalue()
        finally:
            loop.end(outer.abandoned)
        return observed(onlooker.run, ended[0].exit_code, "", files(settings.workspace))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + TOPOLOGIES))
def test_it_does_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    topology = generate(Random(seed))
    for program in programs(topology):
        alone = run(program, topology.inputs)
        alone.log.clear()  # a test shows no more than it was asked for
        within = run_in_test(program, topology.inputs, monkeypatch)
        assert list(unsound(topology, within)) == []
        assert list(differences(alone, within, expect(topology))) == []
