"""`gxo compile --explain`: what the passes did, for people and as data."""

import json
from pathlib import Path

import jsonschema
import pytest

from gxo.cli.main import main
from gxo.compiler.passes import PASSES

FINDINGS = Path(__file__).parents[2] / "docs/diagnostics.schema.json"
HEAD = "name: triangle\nschemaVersion: v1.0.0\nworkloads:\n"
WORKLOAD = (
    "  - {{name: {}, lifecycle: {{policy: run_once}}, needs: {},"
    " process: {{module: exec, params: {{command: uname}}}}}}\n"
)
TRIANGLE = "t.gxo.yaml"
IMPLIED = "'c' waits for 'a' already: it waits for 'b'"


@pytest.fixture(autouse=True)
def playbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    needs = {"a": "[]", "b": "[a]", "c": "[a, b]"}
    Path(TRIANGLE).write_text(HEAD + "".join(WORKLOAD.format(*one) for one in needs.items()))


def test_it_is_grouped_by_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", TRIANGLE, "--emit", "plan", "--explain"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("plan triangle\n")
    [reason] = [one.reason for one in PASSES if one.name == "reduce_edges"]
    assert f"reduce_edges: {reason}\n  {TRIANGLE}:6:54: {IMPLIED}\n" in said.err


def test_every_optimizing_pass_is_told_when_none_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", TRIANGLE, "--emit", "plan", "--explain", "-O0"]) == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()[::2]]
    assert names == [one.name for one in PASSES if one.optimizes]


def test_a_pass_with_nothing_to_do_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Path(TRIANGLE).write_text(HEAD + WORKLOAD.format("a", "[]"))
    assert main(["compile", TRIANGLE, "--emit", "plan", "--explain"]) == 0
    [reason] = [one.reason for one in PASSES if one.name == "reduce_edges"]
    assert f"reduce_edges: {reason}\n  nothing to do\n" in capsys.readouterr().err


def test_it_is_data_among_the_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", TRIANGLE, "-o", "t.pyz", "--explain", "--output", "json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    jsonschema.validate(told, json.loads(FINDINGS.read_text()))
    assert [(one["message"], one["line"]) for one in told if one["pass"] == "reduce_edges"] == [
        (IMPLIED, 6)
    ]
    assert said.err == ""


def test_nothing_is_explained_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", TRIANGLE, "-o", "t.pyz", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
