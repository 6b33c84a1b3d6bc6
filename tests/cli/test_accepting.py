"""Findings that a comment accepts: what the verbs say, write into the manifest, and keep."""

import json
import zipfile
from pathlib import Path

import pytest

from gxo.cli.main import main

PLAYBOOK = """\
name: p
schemaVersion: v1.0.0
inputs: {pattern: {}}
workloads:
  - name: find
    lifecycle: {policy: run_once}
    process:
      module: exec
      params:
        command: "ls | grep {{ .pattern }}"  # gxo: allow GXO0802 a list of words
        # gxo: allow GXO0807 it is no secret there
        working_dir: "{{ secret 'FOLDER' }}"
"""
LEGACY = """\
name: p
schemaVersion: v1.0.0
inputs: {pattern: {}}
tasks:
  - name: find
    type: exec
    params:
      command: "ls | grep {{ .pattern }}"  # gxo: allow GXO0802 a list of words
  - name: again
    # gxo: allow GXO0802 a list of words
    params: {command: "ls | grep {{ .pattern }}"}
    type: exec
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.gxo.yaml").write_text(PLAYBOOK)
    return tmp_path


def test_the_verdict_counts_them(capsys: Capture) -> None:
    assert main(["validate", "--deny-warnings", "p.gxo.yaml"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("p.gxo.yaml: valid, 1 workload, 2 accepted\n", "")


def test_without_the_comments_they_are_findings(capsys: Capture) -> None:
    lines = [line.partition("# gxo")[0] for line in PLAYBOOK.splitlines()]
    Path("p.gxo.yaml").write_text("\n".join(lines))
    assert main(["validate", "--deny-warnings", "p.gxo.yaml"]) == 1
    said = capsys.readouterr().err
    assert "error[GXO0802]" in said and "error[GXO0807]" in said


def test_the_manifest_lists_them() -> None:
    assert main(["compile", "--deny-warnings", "p.gxo.yaml"]) == 0
    with zipfile.ZipFile("p.pyz") as artifact:
        manifest = json.loads(artifact.read("_gxo/manifest.json"))
    assert manifest["warnings"] == []
    assert manifest["accepted"] == [
        {
            "code": "GXO0802",
            "workload": "find",
            "parameter": "params.command",
            "reason": "a list of words",
        },
        {
            "code": "GXO0807",
            "workload": "find",
            "parameter": "params.working_dir",
            "reason": "it is no secret there",
        },
    ]


@pytest.mark.parametrize(("form", "empty"), [("json", "[]\n"), ("github", "")])
def test_other_forms_leave_them_out(form: str, empty: str, capsys: Capture) -> None:
    assert main(["validate", "--output", form, "p.gxo.yaml"]) == 0
    assert capsys.readouterr().out == empty


def test_sarif_has_them_suppressed(capsys: Capture) -> None:
    Path("p.gxo.yaml").write_text(PLAYBOOK.replace("'FOLDER' }}", "'FOLDER' }}/{{ secret 'A' }}"))
    Path("q.gxo.yaml").write_text(PLAYBOOK.replace("# gxo: allow GXO0807", "#"))
    assert main(["validate", "--output", "sarif", "p.gxo.yaml", "q.gxo.yaml"]) == 0
    [run] = json.loads(capsys.readouterr().out)["runs"]
    found = [
        (result["ruleId"], [one["justification"] for one in result["suppressions"]])
        for result in run["results"]
    ]
    assert found == [
        ("GXO0807", []),
        ("GXO0802", ["a list of words"]),
        ("GXO0807", ["it is no secret there"]),
        ("GXO0807", ["it is no secret there"]),
        ("GXO0802", ["a list of words"]),
    ]
    kinds = {one["kind"] for result in run["results"] for one in result["suppressions"]}
    assert kinds == {"inSource"}


def test_the_older_form_and_its_migration_keep_them(capsys: Capture) -> None:
    Path("p.gxo.yaml").write_text(LEGACY)
    assert main(["validate", "p.gxo.yaml"]) == 0
    said = capsys.readouterr()
    assert said.out == "p.gxo.yaml: valid, 2 workloads, 1 warning, 2 accepted\n"
    assert main(["migrate", "-f", "p.gxo.yaml"]) == 0
    migrated = capsys.readouterr().out
    assert migrated.count("# gxo: allow GXO0802 a list of words") == 2
    Path("p.gxo.yaml").write_text(migrated)
    assert main(["validate", "p.gxo.yaml"]) == 0
    assert capsys.readouterr().out == "p.gxo.yaml: valid, 2 workloads, 2 accepted\n"


def test_what_is_allowed_may_be_said_in_windows_line_ends(capsys: Capture) -> None:
    Path("p.gxo.yaml").write_bytes(PLAYBOOK.replace("\n", "\r\n").encode())
    assert main(["validate", "p.gxo.yaml"]) == 0
    assert capsys.readouterr().out == "p.gxo.yaml: valid, 1 workload, 2 accepted\n"
