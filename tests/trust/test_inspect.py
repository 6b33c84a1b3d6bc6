"""`gxo inspect`: the manifest for people and for programs, held against the artifact's files."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.effects import Effect
from gxo.compiler.package.archive import render
from gxo.compiler.package.parts import AcceptedFact, Facts, WorkloadFact
from gxo.runtime.bundle import ZipBundle
from tests.package.support import EMPTY_JOB, build

SOURCE = f"from gxo.stdlib.exec import exec_\n{EMPTY_JOB}"
FACTS = Facts(
    "night\x1b[2Jly",
    "0.1.0",
    (
        WorkloadFact("disks", {"policy": "run_once"}, "exec"),
        WorkloadFact("report", {"policy": "scheduled", "cron": "@daily"}, "exec", reads=("disks",)),
    ),
    modules={"exec": "gxo.stdlib.exec"},
    secrets=("A", "B"),
    effects=(
        Effect("commands", "df", detail="df -P", workload="disks", module="exec"),
        Effect("commands", "{{ .x }}", dynamic=True, workload="report", module="exec"),
        Effect("secrets", "A", workload="report"),
        Effect("secrets", "B", workload="report"),
        Effect("secrets", "C"),
    ),
    warnings=("GXO0213 no name",),
    accepted=(AcceptedFact("GXO0802", "disks", "params.command", "a list of words"),),
)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    build(tmp_path, SOURCE, facts=FACTS, source_map='{"workloads": {"disks": 3}}')
    monkeypatch.chdir(tmp_path)
    return Path("job.pyz")


DOUBT = (
    "its playbook cannot be compiled here, so that its program could not be held against it: "
    'a playbook needs the key "workloads"'
)
TEXT = rf"""job.pyz: night\x1b[2Jly, compiled by gxo 0.1.0 from probe.gxo.yaml
  sha256     <64>
  size       <n> bytes, <n> files
  playbook   <64>
  runs on    Python 3.11 or newer
  signature  none
  contents   as it says
  not known  {DOUBT}

workloads
  disks   exec
  report  exec  scheduled; reads disks

modules
  exec  gxo.stdlib.exec  <16>

assets
  conf/a.txt  <16>
  run.sh      <16>

effects
  commands  df  (df -P)        disks
  commands  dynamic: {{{{ .x }}}}  report
  secrets   A, B               report
  secrets   C

warnings
  GXO0213 no name

accepted findings
  GXO0802  disks  params.command  a list of words
"""


def test_for_people(artifact: Path, capsys: Capture) -> None:
    assert main(["inspect", str(artifact)]) == 0
    text = capsys.readouterr().out
    text = re.sub(r"\b[0-9a-f]{16,}\b", lambda found: f"<{len(found[0])}>", text)
    assert re.sub(r"[\d,]+(?= (?:bytes|files))", "<n>", text) == TEXT


def test_for_programs(artifact: Path, capsys: Capture) -> None:
    assert main(["inspect", str(artifact), "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    data = artifact.read_bytes()
    manifest = json.loads(ZipBundle("job.pyz", data).read("_gxo/manifest.json"))
    written = found.pop("manifest")
    same = {key: written[key] for key in ("workloads", "effects")}
    assert {**manifest, **same} == written, "nothing is left out"
    assert found == {
        "file": "job.pyz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "mismatches": [],
        "doubts": [{"doubt": DOUBT, "wrong": False}],
    }


def test_of_one_that_was_changed(artifact: Path, capsys: Capture) -> None:
    bundle = ZipBundle("job.pyz", artifact.read_bytes())
    files = {name: bundle.read(name) for name in bundle.names() if name != "__main__.py"}
    artifact.write_bytes(render({**files, "gxo/runtime/main.py": b""}))
    assert main(["inspect", str(artifact)]) == 1
    told = capsys.readouterr()
    assert "  contents   1 of its files are not what it says\n" in told.out
    what = "gxo: job.pyz: gxo/runtime/main.py has another hash than the manifest says\n"
    assert told.err == f"{what}gxo: warning: job.pyz: {DOUBT}\n"


def test_of_a_playbook(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "job.gxo.yaml"
    work = (
        "{name: a, lifecycle: {policy: run_once}, process: {module: exec, params: {command: df}}}"
    )
    path.write_text(f"name: job\nschemaVersion: v1.0.0\nworkloads:\n  - {work}\n")
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert f"{path}: job, compiled by gxo 0.1.0 from job.gxo.yaml" in text
    assert "sha256  " not in text
    assert "  commands  df  a\n" in text
