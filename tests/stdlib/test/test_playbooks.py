"""Every test playbook of `mocks.yaml` and `assertions.yaml` is run, compiled at each level.

keys of a playbook     secrets, include, vars, workloads, finally
modules                the files of `modules/`
included               the playbook `deploy.gxo.yaml`, for `include`
status                 how the job ends: Completed, unless it is said
passes                 whether it passes for that: a job that is Failed does not, unless it is said
failed                 the error of each workload that fails; `re:` is a pattern
kept                   what registers hold, as far as it is said; records_in: by workload
assertions             of a workload, what the report has of each that does not hold
logged, hidden         what the log has, and what neither log nor report has
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation, Options
from tests.testing.support import run

CASES: dict[str, dict[str, Any]] = {
    name: case
    for file in ("mocks", "assertions")
    for name, case in yaml.safe_load(
        Path(__file__).with_name(f"{file}.yaml").read_text(encoding="utf-8")
    ).items()
}
TOLD = (
    *("modules", "included", "status", "passes", "failed", "kept"),
    *("records_in", "assertions", "logged", "hidden"),
)
"""The keys of a case that are none of a playbook."""


def playbook(case: dict[str, Any]) -> str:
    """The case's playbook, with a line for each workload, from the second or later on."""
    if isinstance(case["workloads"], str):
        return case["workloads"]
    lines = [
        f"{key}: {json.dumps(value)}"
        for key, value in case.items()
        if key not in (*TOLD, "workloads", "finally")
    ]
    for key in ("workloads", "finally"):
        if key in case:
            lines += [f"{key}:", *(f"  - {json.dumps(one)}" for one in case[key])]
    return "\n".join(lines) + "\n"


def compiled(case: dict[str, Any], folder: Path, *, optimize: bool) -> Compilation:
    for name, text in case.get("modules", {}).items():
        (folder / "modules").mkdir(exist_ok=True)
        (folder / "modules" / name).write_text(text)
    (folder / "deploy.gxo.yaml").write_text(case.get("included", ""))
    options = Options(optimize=optimize, verify_ir=True)
    compilation = Compilation(str(folder / "case.test.gxo.yaml"), options)
    assert compilation.read(playbook(case).encode()) and compilation.analyse(), [
        (item.code, item.span.line, item.message) for item in compilation.diagnostics.sorted()
    ]
    return compilation


def matches(value: Any, expected: Any) -> bool:
    """`re:...` is a pattern; maps have at least what is expected."""
    if isinstance(expected, list):
        return len(value) == len(expected) and all(map(matches, value, expected))
    if isinstance(expected, str) and expected.startswith("re:"):
        return re.search(expected[3:], value) is not None
    if isinstance(expected, dict):
        return all(key in value and matches(value[key], expected[key]) for key in expected)
    return bool(value == expected)


@pytest.mark.parametrize("optimize", [False, True], ids=["O0", "O1"])
@pytest.mark.parametrize("name", CASES)
def test_case(
    name: str,
    optimize: bool,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = CASES[name]
    for secret, value in case.get("secrets", {}).items():
        monkeypatch.setenv(secret, value)
    compilation = compiled(case, tmp_path, optimize=optimize)
    ran = run(compilation, tmp_path, ["--workspace", str(tmp_path)])
    status = case.get("status", "Completed")
    log = capfd.readouterr().err
    assert (ran.exit_code == 0) == case.get("passes", status == "Completed"), log
    report = ran.report
    results = report["workload_results"]
    failed = {one: result["error"] for one, result in results.items() if result["error"]}
    expected = case.get("failed", {})
    assert failed.keys() == expected.keys() and matches(failed, expected), failed
    kept = {}
    for decl in _all(yaml.safe_load(playbook(case))["workloads"]):
        if "register" in decl:
            kept[decl["register"]] = results[decl["name"]]["summary"]
    assert matches(kept, case.get("kept", {})), kept
    for one, count in case.get("records_in", {}).items():
        assert results[one]["records_in"] == count
    assert report["overall_status"] == status
    found = {one: result["assertions"] for one, result in results.items() if "assertions" in result}
    assert found.keys() <= failed.keys() and matches(found, case.get("assertions", {})), found
    assert [text for text in case.get("logged", ()) if text not in log] == []
    assert [text for text in case.get("hidden", ()) if text in log + json.dumps(report)] == []


def _all(decls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for decl in decls for one in (decl, *decl.get("on_failure", ()))]
