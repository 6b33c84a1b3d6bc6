"""What a test tells while it runs, line by line."""

import json
import os
from typing import Any

import pytest

from gxo.runtime import Context, Job, Retry
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import main
from gxo.runtime.pipelines.steps import Steps
from gxo.runtime.settings import Settings
from gxo.runtime.testing.outcome import Outcome, Teller
from tests.runtime.reporting.jobs import SECRET, simple, talkative


def told(job: Job) -> list[dict[str, Any]]:
    reading, writing = os.pipe()
    try:
        main(job, None, [], lambda run: Outcome(run, Teller(writing)))
    finally:
        os.close(writing)
    with open(reading) as lines:
        return [json.loads(line) for line in lines]


def test_each_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    error = "refused: [REDACTED_SECRET]"
    assert told(talkative()) == [
        {"began": "told"},
        {"ended": "told", "status": "Completed"},
        {"ended": "off", "status": "Skipped", "when": False},
        {"began": "bad"},
        {"failed": f"workload 'bad' failed: {error}"},
        {"ended": "bad", "status": "Failed", "error": error, "ignored": False},
    ]


def test_a_condition_that_holds_is_told() -> None:
    job = Job("case")

    @job.workload("on", when=lambda ctx: True)
    async def on(ctx: Context) -> dict[str, Any]:
        return {}

    assert told(job)[0] == {"began": "on", "when": True}


def test_what_the_failed_assertions_say_is_told_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    job = Job("case", secrets=["TOKEN"])

    class Failed(Exception):
        failures = [{"actual": SECRET, "line": 3}]

    @job.workload("check", secrets=["TOKEN"])
    async def check(ctx: Context) -> dict[str, Any]:
        ctx.secret("TOKEN")
        raise Failed

    [line] = [line for line in told(job) if "ended" in line]
    assert line["assertions"] == [{"actual": "[REDACTED_SECRET]", "line": 3}]


def test_the_failure_of_an_attempt_before_a_good_one_is_forgotten() -> None:
    job = Job("case")

    @job.workload("again", retry=Retry(attempts=2, delay=0.0))
    async def again(ctx: Context) -> dict[str, Any]:
        if ctx.attempt == 1:
            raise ValueError
        return {}

    assert told(job) == [{"began": "again"}, {"ended": "again", "status": "Completed"}]


def test_the_steps_of_a_pipeline_are_told_once_each_way() -> None:
    steps = Steps()

    @steps.inline("all")
    def all_(ctx: Context, record: Any) -> list[dict[str, Any]]:
        return [record]

    @steps.inline("big", needs=["all"], when=lambda record: record["n"] > 1)
    def big(ctx: Context, record: Any) -> list[dict[str, Any]]:
        return [record]

    @steps.inline("never", needs=["all"], when=lambda: False)
    def never(ctx: Context, record: Any) -> list[dict[str, Any]]:
        return [record]

    job = Job("case")

    @job.workload("numbers")
    async def numbers(ctx: Context, out: Any) -> dict[str, Any]:
        await out.send([{"n": n} for n in range(5)])
        return {}

    @job.workload("work", records=["numbers"])
    async def work(ctx: Context, records: Any, out: Any) -> int:
        return await steps.run(ctx, records, out)

    assert [(line["step"], line["wanted"]) for line in told(job) if "step" in line] == [
        ("work.all", True),
        ("work.big", False),
        ("work.never", False),
        ("work.big", True),
    ]


def test_the_included_playbook_is_told_apart() -> None:
    reading, writing = os.pipe()
    outer = Outcome(Run(Job("a"), Settings()), Teller(writing))
    outer.included(Run(Job("b"), Settings())).job_failed("why")
    os.close(writing)
    with open(reading) as lines:
        assert lines.read() == '{"failed": "why", "of": "included"}\n'


def test_nobody_has_to_listen() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert main(simple(), None, [], lambda r: Outcome(r, Teller(writing))) == 0
    os.close(writing)
