"""The options of a compiled job, and what wrong ones get: one clear sentence each."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime import Context, Input, Job
from gxo.runtime.main import main

CASES = yaml.safe_load((Path(__file__).parent / "command_line.yaml").read_text(encoding="utf-8"))


def job(seen: dict[str, Any]) -> Job:
    """A job with an input of every kind; its workload keeps what it sees of them."""
    job = Job(
        "case",
        inputs={
            "who": Input("string", description="whom to greet"),
            "count": Input("int", default=3),
            "ratio": Input("float", default=0.5),
            "wet": Input("bool", default=False),
            "tags": Input("list", default=[]),
            "limits": Input("map", default={}),
            "colour": Input("string", default="red", enum=["red", "blue"]),
            "code": Input("string", default="a1", pattern="[a-z][0-9]"),
            "password": Input("string", secret=True),
        },
        vars={"size": 5, "url": lambda ctx: f"http://{ctx.vars['size']}", "none": None},
    )

    @job.workload("look")
    async def look(ctx: Context) -> dict[str, Any]:
        seen["inputs"] = {name: ctx.inputs[name] for name in job.inputs if name != "password"}
        seen["vars"] = {name: ctx.vars[name] for name in job.vars}
        return {}

    return job


@pytest.mark.parametrize("name", CASES)
def test_case(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("password", "s3cr3t-value")
    for file, content in case.get("files", {}).items():
        (tmp_path / file).write_text(json.dumps(content))
    for file, text in case.get("texts", {}).items():
        (tmp_path / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    seen: dict[str, Any] = {}
    code = main(job(seen), None, case["arguments"])
    out, err = capfd.readouterr()
    assert code == case.get("exit", 0), err
    if "seen" in case:
        assert seen["inputs"] == case["seen"]
        assert repr(seen["inputs"]) == repr(case["seen"])  # 1 is no True, 2 is no 2.0
    for given, value in case.get("seen_part", {}).items():
        assert (seen["inputs"][given], type(seen["inputs"][given])) == (value, type(value))
    if "seen_vars" in case:
        assert seen["vars"] == case["seen_vars"]
    if "err" in case:
        assert err == case["err"]
    assert [text for text in case.get("log", []) if text not in err] == []
    assert "Traceback" not in err
    if "out_json" in case:
        assert json.loads(out) == case["out_json"]
    else:
        assert out == case.get("out", "")


ORDER = """
    --help --var --vars-file --secrets --dry-run --diff --detailed-exitcode --report --report-html
    --events --metrics --metrics-listen --journal --resume --rerun --workspace --outputs --workers --timeout --strict
    --log-level --log-format --traceback --describe --version
"""


def test_help_lists_them_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(job({}), None, ["--help"]) == 0
    shown = re.findall(r"^  (?:-\w[^-]*)?(--[a-z-]+)", capfd.readouterr().out, re.MULTILINE)
    assert shown == [option for option in ORDER.split() if option in shown]
    assert {"--report-html", "--describe"} <= set(shown)


def test_help_lists_options_and_inputs(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(job({}), None, ["--help"]) == 0
    out, err = capfd.readouterr()
    assert "--vars-file FILE" in out
    assert "  who (string, required)  whom to greet" in out
    assert "  count (int, default 3)" in out
    assert err == ""
