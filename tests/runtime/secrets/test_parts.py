"""Messages that show a part of a text show no part of a secret: redacted first, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Job
from gxo.runtime.main import main
from gxo.runtime.spec import module
from tests.reports import read_report
from tests.stdlib.stream.test_pipelines import compiled

LONG = "".join(f"{number:03}-" for number in range(300))
"""Longer than every excerpt, as tokens are; each piece of it is unlike what messages say."""

SHORT = LONG[:120]

HEAD = "name: p\nschemaVersion: v1.0.0\nworkloads:\n- name: a\n  process: "

CASES = {
    "the end of what a command says": (
        LONG,
        """{module: exec, params: {command: 'echo "$T" >&2; exit 1', env: {T: '{{ secret "KEY" }}'}}}""",
        "ended with exit code 1: [REDACTED_SECRET]",
    ),
    "a value of the wrong kind": (
        SHORT,
        """{module: exec, params: {command: ls, max_output: '{{ secret "KEY" }}'}}""",
        "not a text of 120 characters",
    ),
    "a path": (
        LONG,
        """{module: filesystem:read, params: {path: '{{ secret "KEY" }}'}}""",
        "cannot read a path of 1200 characters: file name too long",
    ),
    "a path whose file changes": (
        SHORT,
        """{module: filesystem:write, params: {path: '{{ secret "KEY" }}', content: x}}""",
        "creates [REDACTED_SECRET]\n    --- /dev/null\n    +++ [REDACTED_SECRET]",
    ),
}


@module("own:logs-in", changes=True)
async def logs_in(ctx: Context, *, header: str) -> dict[str, Any]:
    return {}


def told(job: Job, folder: Path, capfd: pytest.CaptureFixture[str], *options: str) -> str:
    """All that the job says."""
    main(job, None, ["--workspace", str(folder), "--diff", *options])
    return capfd.readouterr().err


def check(said: str, expected: str) -> None:
    assert expected in said
    assert not [at for at in range(0, len(LONG), 4) if LONG[at : at + 4] in said]


@pytest.mark.parametrize("case", CASES)
def test_no_part_is_told(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, process, expected = CASES[case]
    monkeypatch.setenv("KEY", secret)
    text = f"{HEAD}{process}\n  lifecycle: {{policy: run_once}}\n"
    check(told(compiled(text), tmp_path, capfd), expected)


def test_no_part_of_a_parameter_is_told_in_a_dry_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", LONG)
    job = Job("j", secrets=["KEY"])

    @job.workload("a", secrets=["KEY"])
    async def a(ctx: Context) -> Any:
        return await logs_in(ctx, header=f"Bearer {ctx.secret('KEY')}")

    check(told(job, tmp_path, capfd, "--dry-run"), "header='Bearer [REDACTED_SECRET]'")


@pytest.mark.parametrize("streamed", ["", ", stdout_to: lines"])
def test_no_part_is_kept_of_an_output_that_is_cut(
    streamed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the limit falls on a secret's first character, in it, and behind it."""
    monkeypatch.setenv("KEY", SHORT)
    for limit, left in ((4, "abc "), (5, "abc "), (123, "abc "), (124, "abc [REDACTED_SECRET]")):
        line = """{module: exec, params: {command: 'echo "abc $T def" | tee /dev/stderr', """
        line += f"""env: {{T: '{{{{ secret "KEY" }}}}'}}, max_output: {limit}{streamed}}}}}"""
        text = f"{HEAD}{line}\n  lifecycle: {{policy: run_once}}\n  register: a\n"
        text += "- name: b\n  lifecycle: {policy: run_once}\n  register: b\n"
        text += "  stream_inputs: [a]\n  process: {module: data:collect}\n"
        main(compiled(text), None, ["--workspace", str(tmp_path), "--report", f"{tmp_path}/r"])
        told = read_report(tmp_path / "r")["workload_results"]
        lines = [record["line"] for record in told["b"]["summary"]["records"]]
        assert told["a"]["summary"]["stdout"] == ("" if streamed else left)
        assert told["a"]["summary"]["stderr"] == left
        assert told["a"]["summary"]["truncated"] is True
        assert lines == ([left] if streamed else [])
