"""Test playbooks whose time passes as `virtual_time.yaml` says, with real servers, clients and commands."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.main import main
from tests.reports import read_report
from tests.stdlib.stream.test_pipelines import compiled

CASES = yaml.safe_load(Path(__file__).with_name("virtual_time.yaml").read_text(encoding="utf-8"))
KEYS = {"name", "keys", "handlers", "workloads", "seconds", "passed", "statuses", "error", "fails"}
NOISE = 3.0
"""Real seconds that are no matter."""


def playbook(case: dict[str, Any]) -> str:
    workloads = []
    if "handlers" in case:
        process = {"module": "test:mock_http_server", "params": {"handlers": case["handlers"]}}
        workloads.append({"name": "api", "register": "api", "process": process})
    for name, given in case["workloads"].items():
        process = {key: given[key] for key in ("module", "params") if key in given}
        keys = {key: value for key, value in given.items() if key not in process}
        workloads.append({"name": name, "process": process, **keys})
    return yaml.safe_dump({**case.get("keys", {}), "workloads": workloads}, sort_keys=False)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    assert case.keys() <= KEYS
    report, workspace = tmp_path / "report.json", tmp_path / "workspace"
    workspace.mkdir()
    job = compiled(playbook(case), "case.test.gxo.yaml")
    before = time.monotonic()
    code = main(job, None, ["--workspace", str(workspace), "--report", str(report)])
    assert time.monotonic() - before < 30
    told = read_report(report)
    results = told["workload_results"]
    assert code == (1 if case.get("fails") else 0), told["error"]
    for name, seconds in case["seconds"].items():
        assert results[name]["duration_ms"] / 1000 == pytest.approx(seconds, abs=NOISE), name
    if "passed" in case:
        assert told["duration_ms"] / 1000 == pytest.approx(case["passed"], abs=NOISE)
    others = {name: one["status"] for name, one in results.items() if one["status"] != "Completed"}
    assert others == case.get("statuses", {})
    for name, text in case.get("error", {}).items():
        assert text in results[name]["error"]
