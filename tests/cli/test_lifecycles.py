"""A playbook that does not just run once: everything works on it except running it here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAYBOOK = """\
name: nightly
schemaVersion: v1.0.0
inputs:
  where: {description: a required input}
workloads:
  - name: once
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: touch, args: [ran]}}
  - name: serve
    lifecycle: {policy: supervise, restart_policy: never, backoff: {initial: 2s}}
    process: {module: exec, params: {command: "touch ran; sleep 1"}}
  - name: backup
    lifecycle: {policy: scheduled, cron: "0 3 * * *", timezone: Europe/Berlin, overlap: parallel}
    process: {module: exec, params: {command: backup, args: ["{{ .where }}"]}}
"""
REFUSAL = (
    "error: only `gxo daemon` can run nightly, whose workloads do not all run once, from start to end:"
    " 'serve' is supervise, 'backup' is scheduled\n"
    "hint: --describe prints every workload's lifecycle\n"
)
LIFECYCLES = {
    "once": {"policy": "run_once"},
    "serve": {
        "policy": "supervise",
        "restart": "never",
        "backoff": {"initial": 2.0, "factor": 2.0, "max": 60.0, "reset_after": 60.0},
    },
    "backup": {
        "policy": "scheduled",
        "cron": "0 3 * * *",
        "timezone": "Europe/Berlin",
        "overlap": "parallel",
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("nightly")
    (made / "nightly.gxo.yaml").write_text(PLAYBOOK)
    done = gxo(made, "compile", "nightly.gxo.yaml", "-o", "job.pyz")
    assert done.returncode == 0, done.stderr
    return made


def gxo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, str(Path(sys.executable).with_name("gxo")), *arguments)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "GXO_WORKSPACES": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_is_valid(folder: Path) -> None:
    done = gxo(folder, "validate", "--strict", "--deny-warnings", "nightly.gxo.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "nightly.gxo.yaml: valid, 3 workloads\n"


@pytest.mark.parametrize("options", [[], ["-e", "where=here"], ["--report", "-", "--workers", "1"]])
def test_it_is_not_run(folder: Path, options: list[str]) -> None:
    for done in (
        python(folder, "job.pyz", *options),
        gxo(folder, "run", "nightly.gxo.yaml", *options),
    ):
        assert (done.returncode, done.stdout, done.stderr) == (2, "", REFUSAL)
    assert not list(folder.rglob("ran"))


def test_it_says_what_it_is(folder: Path) -> None:
    described = json.loads(python(folder, "job.pyz", "--describe").stdout)
    assert described["lifecycles"] == LIFECYCLES
    assert described["inputs"]["where"]["required"]
    helped = python(folder, "job.pyz", "--help")
    assert helped.returncode == 0
    assert "where (string, required)  a required input" in helped.stdout
    assert python(folder, "job.pyz", "--version").stdout == "nightly (compiled by gxo 0.1.0)\n"


def test_its_manifest_lists_them(folder: Path) -> None:
    manifest = json.loads(gxo(folder, "compile", "nightly.gxo.yaml", "--emit", "manifest").stdout)
    assert {one["name"]: one["lifecycle"] for one in manifest["workloads"]} == LIFECYCLES


def test_a_wrong_option_is_still_told(folder: Path) -> None:
    done = python(folder, "job.pyz", "--wokers", "3")
    assert done.returncode == 2
    assert "--wokers" in done.stderr


def test_what_waits_for_a_signal_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "release.gxo.yaml").write_text(
        "name: release\nschemaVersion: v1.0.0\nworkloads:\n"
        "  - name: approval\n    lifecycle: {policy: run_once}\n    register: approval\n"
        "    process: {module: control:wait_for_signal, params: {context: {release: 7}}}\n"
        "  - name: go\n    lifecycle: {policy: run_once}\n"
        '    when: "{{ .approval.resume_payload.approved }}"\n'
        "    process: {module: exec, params: {command: touch, args: [ran]}}\n"
    )
    done = gxo(tmp_path, "run", "release.gxo.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("error: only `gxo daemon` can run release, ")
    assert "from start to end: 'approval' waits for a signal\n" in done.stderr
