"""Each pass against its case file: a playbook, and the plan or the findings after that pass."""

from pathlib import Path

import pytest

from gxo.compiler.driver import Compilation, Options
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.pprint import print_plan
from gxo.compiler.passes import PASSES, size_channels
from gxo.runtime.streams import pipes
from tests.casefile import Case, find_cases, update

HERE = Path(__file__).parent
HEAD = "name: p\nschemaVersion: v1.0.0\n"
OF_TESTS = ("check_assertions", "check_isolation", "check_mocks", "start_mocks")
"""Passes whose cases are test playbooks."""


def run_until(case: Case) -> dict[str, str]:
    """The plan after the pass that the case's file is named for, and what was found by then.

    `[way]` has the notes of findings that follow a value through the plan, `[accepted]` those that
    a comment accepts, `[explain]` what the pass says that it did.
    """
    plans: dict[str, Plan] = {}
    found: dict[str, list[str]] = {}
    ways: dict[str, list[str]] = {}
    accepted: dict[str, list[str]] = {}

    def dump(stage: str, plan: Plan) -> None:
        plans[stage] = plan
        found[stage] = [
            f"{item.span.line - HEAD.count(chr(10))}:{item.span.column}: {item.level} {item.code}"
            f" {item.message}" + (f" ({item.hint})" if item.hint else "")
            for item in compilation.diagnostics.sorted()
        ]
        ways[stage] = [
            f"{note.span.line - HEAD.count(chr(10))}:{note.span.column}: {note.message}"
            for item in compilation.diagnostics.sorted()
            for note in item.notes
            if item.place
        ]
        accepted[stage] = [
            f"{one.finding.code} {place.workload or '-'} {place.parameter}: {one.reason}"
            for one in compilation.diagnostics.accepted_sorted()
            if (place := one.finding.place)
        ]

    file = "p.test.gxo.yaml" if case.path.stem in OF_TESTS else "p.gxo.yaml"
    compilation = Compilation(file, Options(verify_ir=True, explain=True, dump=dump))
    assert compilation.read((HEAD + case.input).encode()), compilation.diagnostics.sorted()
    compilation.analyse()
    stage = case.path.stem
    sections = {}
    if found[stage]:
        sections["err"] = "\n".join(found[stage]) + "\n"
    if ways[stage]:
        sections["way"] = "\n".join(ways[stage]) + "\n"
    if accepted[stage]:
        sections["accepted"] = "\n".join(accepted[stage]) + "\n"
    explained = [
        f"{one.span.line - HEAD.count(chr(10))}:{one.span.column}: {one.text}"
        for one in compilation.diagnostics.explained_by(stage)
    ]
    if explained:
        sections["explain"] = "\n".join(explained) + "\n"
    if not any(" error GXO" in line for line in found[stage]):
        sections["out"] = print_plan(plans[stage])
    return sections


@pytest.mark.parametrize("case", find_cases(HERE), ids=lambda case: case.id)
def test_pass(case: Case, request: pytest.FixtureRequest) -> None:
    got = run_until(case)
    if request.config.getoption("--update-golden"):
        update(case, got)
        return
    assert got == case.sections


def test_every_pass_has_cases() -> None:
    files = {path.stem for path in HERE.glob("*.test")}
    assert files == {one.name for one in PASSES}


def test_what_nobody_says_is_what_the_runtime_takes() -> None:
    """Passes know nothing of the runtime, so the default size of a channel stands in both."""
    assert size_channels.DEFAULT == pipes.DEFAULT
