"""Every case of `pipelines.yaml`: a playbook with one pipeline, compiled and run in this process.

At -O0 each step calls its module; at -O1 some are code in line. Nobody can tell from what is said.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation, Options
from gxo.runtime.main import main
from tests.reports import read_report

CASES = yaml.safe_load(Path(__file__).with_name("pipelines.yaml").read_text())
LOUD = ("--log-level", "info")

VARYING = re.compile(r"^\S+ | in [\d.]+ m?s|\S+ (?=dry-run)|\d{4}-\d\d-\d\dT[^\s'\"]+")
"""Of a line of the log, what differs from run to run."""

KEYS = {
    *("inputs", "secrets", "events", "steps", "on_record_error"),
    *("sent", "failed", "done", "record_errors", "error"),
}


def workload(name: str, module: str, params: dict[str, Any] | None, **keys: Any) -> dict[str, Any]:
    process = {"module": module} | ({"params": params} if params is not None else {})
    return {"name": name, "lifecycle": {"policy": "run_once"}, "process": process, **keys}


def playbook(case: dict[str, Any]) -> str:
    pipe = {"stream_inputs": ["events"], "register": "done"}
    if "on_record_error" in case:
        pipe["on_record_error"] = case["on_record_error"]
    workloads = [
        workload("pipe", "stream:pipeline", {"steps": case["steps"]}, **pipe),
        workload("events", "data:generate_from_list", {"items": case["events"]}),
        workload("reader", "data:collect", None, stream_inputs=["pipe"], register="sent"),
    ]
    if "failed" in case:
        reads = {"stream_inputs": ["pipe.errors"], "register": "failed"}
        workloads.append(workload("errors", "data:collect", None, **reads))
    head = {"name": "p", "schemaVersion": "v1.0.0", "inputs": case.get("inputs", {})}
    return yaml.safe_dump({**head, "workloads": workloads}, sort_keys=False, width=1000)


def compiled(text: str, file: str = "p.gxo.yaml", *, optimize: bool = True) -> Any:
    compilation = Compilation(file, Options(optimize=optimize))
    assert compilation.read(text.encode()) and compilation.analyse(), [
        (item.code, item.span.line, item.message) for item in compilation.diagnostics.sorted()
    ]
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    return names["job"]


def ran(text: str, folder: Path, *options: str, optimize: bool = True) -> dict[str, Any]:
    """The report's results by workload."""
    folder.mkdir(exist_ok=True)
    report = folder / "report.json"
    usual = ["--workspace", str(folder), "--report", str(report), "--log-level", "error"]
    main(compiled(text, optimize=optimize), None, [*usual, *options])
    results: dict[str, Any] = read_report(report)["workload_results"]
    return results


def matches(value: Any, expected: Any) -> bool:
    """`re:...` is a pattern for the whole text; maps must have all that is expected."""
    if isinstance(expected, str) and expected.startswith("re:"):
        return re.fullmatch(expected[3:], value, re.S) is not None
    if isinstance(expected, list):
        return len(value) == len(expected) and all(map(matches, value, expected))
    if isinstance(expected, dict):
        return value.keys() == expected.keys() and all(
            matches(value[key], expected[key]) for key in expected
        )
    return bool(value == expected)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_pipeline(
    case: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert case.keys() <= KEYS
    for name, value in case.get("secrets", {}).items():
        monkeypatch.setenv(name, value)
    text, said = playbook(case), []
    for optimize in (False, True):
        check(case, ran(text, tmp_path / f"{optimize}", *LOUD, optimize=optimize))
        ran(text, tmp_path / f"{optimize} dry", *LOUD, "--dry-run", optimize=optimize)
        said.append(sorted(VARYING.sub("", line) for line in capfd.readouterr().err.splitlines()))
    assert said[0] == said[1]


def check(case: dict[str, Any], results: dict[str, Any]) -> None:
    pipe = results["pipe"]
    if "error" in case:
        assert pipe["status"] == "Failed"
        assert matches(pipe["error"], case["error"]), pipe["error"]
        return
    assert pipe["status"] == "Completed", pipe["error"]
    assert matches(results["reader"]["summary"]["records"], case["sent"])
    if "failed" in case:
        assert matches(results["errors"]["summary"]["records"], case["failed"])
    if "done" in case:
        assert pipe["summary"] == case["done"]
    if "record_errors" in case:
        assert pipe["record_errors"] == case["record_errors"]
