"""`--log-format json`: lines by their schema, for every kernel case."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gxo.runtime import Context, Job, Loop
from gxo.runtime.main import main
from tests.runtime.kernel.harness import play_case

CASES = Path(__file__).parents[1] / "kernel" / "cases"
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/logs.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_cases(path: Path) -> None:
    for case in yaml.safe_load(path.read_text(encoding="utf-8")).values():
        settings = {**case.get("settings", {}), "log_format": "json"}
        played = play_case({**case, "settings": settings})
        lines = [json.loads(line) for line in played.log.splitlines()]
        for line in lines:
            VALIDATOR.validate(line)
            assert line["run_id"] == played.run.run_id
            assert line.get("workload") in {None, *played.statuses}


def test_a_line_says_who_speaks_and_nobody_can_speak_for_another(
    capfd: pytest.CaptureFixture[str],
) -> None:
    job = Job("case")

    @job.workload("each", loop=Loop(["a"]))
    async def each(ctx: Context, item: str) -> None:
        ctx.log("info", "two\nlines", count=3, time="never", run_id="mine", password="x")

    assert main(job, None, ["--log-format", "json"]) == 0
    line: dict[str, Any] = json.loads(capfd.readouterr().err.splitlines()[0])
    VALIDATOR.validate(line)
    assert list(line) == [
        *("time", "level", "run_id", "workload", "attempt", "iteration", "message"),
        *("count", "password"),
    ]
    assert line["time"] != "never"
    assert line["run_id"] != "mine"
    assert (line["workload"], line["attempt"], line["iteration"]) == ("each", 1, 0)
    assert (line["message"], line["count"]) == ("two\nlines", 3)
    assert line["password"] == "[REDACTED_SECRET]"
