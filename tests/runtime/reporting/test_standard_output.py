"""Standard output carries data only; whatever else a job says goes to standard error.

For each option there is. That no module writes there is part of every module's tests.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Input, Job
from gxo.runtime.main import main
from gxo.runtime.options import _parser
from tests.reports import read_report
from tests.runtime.reporting.jobs import SECRET

OPTIONS: dict[str, list[list[str]]] = {
    "--check": [["--dry-run"], ["--check"]],
    "--detailed-exitcode": [["--dry-run", "--detailed-exitcode"], ["--detailed-exitcode"]],
    "--diff": [["--dry-run", "--diff"], ["--diff"]],
    "--events": [["--events", "events"], ["--events", "/dev/full"]],
    "--journal": [["--journal", "journal"]],
    "--log-format": [["--log-format", "json"]],
    "--log-level": [["--log-level", "debug"]],
    "--metrics": [["--metrics", "metrics"], ["--metrics", "/dev/full"]],
    "--metrics-listen": [["--metrics-listen", "0"]],
    "--outputs": [["--outputs", "out"]],
    "--report": [["--report", "report"], ["--report", "/dev/full"]],
    "--report-html": [["--report-html", "page.html"], ["--report-html", "/dev/full"]],
    "--rerun": [["--rerun", "told"]],
    "--resume": [["--resume", "missing"]],
    "--secrets": [["--secrets", "env"], ["--secrets", "dir:missing"]],
    "--strict": [["--strict"]],
    "--timeout": [["--timeout", "1h"], ["--timeout", "1ms"]],
    "--traceback": [["--traceback"]],
    "--var": [["--var", "who=you"], ["--var", "nobody=x"], ["-ewho=you"]],
    "--vars-file": [["--vars-file", "vars.json"], ["--vars-file", "missing"]],
    "--workers": [["--workers", "1"], ["--workers", "none"]],
    "--workspace": [["--workspace", "."], ["--workspace", "missing"]],
}
DATA: dict[str, list[str]] = {
    "--describe": ["--describe"],
    "--events": ["--events", "fd:1"],
    "--help": ["--help"],
    "--metrics": ["--metrics", "-"],
    "--report": ["--report", "-"],
    "--report-html": ["--report-html", "-"],
    "--version": ["--version"],
}


def noisy() -> Job:
    """A job that says all that a job can say: it logs, warns, retries, skips and fails."""
    job = Job(
        "noisy",
        inputs={"who": Input("string", default="me")},
        vars={"var": lambda ctx: ctx.inputs["who"]},
        secrets=["TOKEN"],
        outputs=["missing.txt"],
    )

    @job.workload("told", secrets=["TOKEN"])
    async def told(ctx: Context) -> dict[str, Any]:
        for level in ("debug", "info", "warning", "error"):
            ctx.log(level, f"{ctx.secret('TOKEN')}, {ctx.workspace.path}", key=level)
        return {}

    @job.workload("unsure", when=lambda ctx: 1 / 0)
    async def unsure(ctx: Context) -> dict[str, Any]:
        return {}

    @job.workload("bad", after=["told"])
    async def bad(ctx: Context) -> dict[str, Any]:
        raise ValueError("no luck")

    @job.on_failure("bad", "undo")
    async def undo(ctx: Context) -> dict[str, Any]:
        return {}

    @job.cleanup("last")
    async def last(ctx: Context) -> dict[str, Any]:
        return {}

    return job


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", SECRET)
    (tmp_path / "vars.json").write_text('{"who": "you"}')


def test_every_option_is_here() -> None:
    names = {action.option_strings[-1] for action in _parser(noisy())._actions}
    assert names == {*OPTIONS, *DATA}


@pytest.mark.parametrize(
    "arguments", [[], *(one for cases in OPTIONS.values() for one in cases)], ids=" ".join
)
def test_nothing_is_written_there(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(noisy(), None, arguments) in (1, 2, 124)
    out, err = capfd.readouterr()
    assert out == ""
    assert err


@pytest.mark.parametrize("option", DATA)
def test_data_alone_is_written_there(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    main(noisy(), None, DATA[option])
    out = capfd.readouterr().out
    match option:
        case "--report":
            assert read_report(out)["playbook_name"] == "noisy"
        case "--report-html":
            assert out.startswith("<!DOCTYPE html>") and out.rstrip().endswith("</html>")
        case "--describe":
            assert isinstance(json.loads(out), dict)
        case "--events":
            assert all(json.loads(line)["event"] for line in out.splitlines())
        case "--metrics":
            assert all(line.startswith(("#", "gxo_")) for line in out.splitlines())
        case "--version":
            assert out == "noisy\n"
        case "--help":
            assert out.startswith("usage: ")
