"""The report of a run, and what it cannot be written to."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Input, Job
from gxo.runtime.main import main
from gxo.runtime.reporting.report import report
from tests.reports import checked, read_report
from tests.runtime.kernel.harness import play_case

CASE = {
    "secrets": ["TOKEN"],
    "environment": {"TOKEN": "s3cr3t-value"},
    "workloads": {
        "read": {"out": True, "do": ["send 3", "sleep 1.5"]},
        "write": {"records": ["read"], "register": "written", "do": ["read", "return {rows: 3}"]},
        "told": {"secrets": ["TOKEN"], "register": "told", "do": ["secret TOKEN"], "retry": {}},
        "off": {"when": "False", "register": "off"},
        "bad": {"do": ["sleep 1", "fail no luck"], "ignore_errors": True},
        "never": {"after": ["bad"]},
        "each": {"loop": ["a", "b"], "register": "each"},
    },
}


def test_it_has_what_the_language_page_lists() -> None:
    found = checked(report(play_case(CASE).run))
    results = found.pop("workload_results")
    assert re.fullmatch("[0-9a-f]{16}", found.pop("run_id"))
    assert found == {
        "playbook_name": "case",
        "overall_status": "Completed",
        "start_time": "2027-01-15T08:00:00.000Z",
        "end_time": "2027-01-15T08:00:01.500Z",
        "duration_ms": 1500,
        "total_workloads": 7,
        "completed_workloads": 4,
        "failed_workloads": 1,
        "skipped_workloads": 1,
        "cancelled_workloads": 0,
        "error": None,
    }
    assert list(results) == ["read", "write", "told", "off", "bad", "never", "each"]
    assert results["read"] == {
        "status": "Completed",
        "reason": None,
        "error": None,
        "ignored": False,
        "attempts": 1,
        "iterations": None,
        "start_time": "2027-01-15T08:00:00.000Z",
        "end_time": "2027-01-15T08:00:01.500Z",
        "duration_ms": 1500,
        "records_in": 0,
        "records_out": 3,
        "record_errors": 0,
        "records_dropped": 0,
    }
    assert results["write"]["summary"] == {"rows": 3}
    assert results["write"]["records_in"] == 3
    assert results["off"]["summary"] is None
    assert results["each"]["iterations"] == 2
    assert (results["bad"]["status"], results["bad"]["ignored"]) == ("Failed", True)
    never = results["never"]
    assert (never["status"], never["start_time"], never["duration_ms"]) == ("Pending", None, None)
    assert json.loads(json.dumps(found)) == found


def results(workloads: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The report of a case, by workload."""
    found: dict[str, Any] = checked(report(play_case({"workloads": workloads} | more).run))
    return found["workload_results"]


def test_what_did_not_start_says_why() -> None:
    found = results(
        {
            "a": {"do": ["fail no luck"], "ignore_errors": True},
            "blocked": {"after": ["a"]},
            "b": {"do": ["sleep 1", "fail no luck"]},
            "late": {"observes": ["b"]},
        }
    )
    assert found["blocked"]["reason"] == "workload 'a' did not complete"
    assert (found["late"]["status"], found["late"]["reason"]) == ("Pending", "the job ended first")


def test_attempts_are_those_of_the_instance_that_needed_most() -> None:
    found = results(
        {
            "a": {
                "loop": [1, 3, 2],
                "retry": {"attempts": 3},
                "do": ["fail_until_item"],
                "register": "a",
            },
            "b": {"loop": [], "retry": {"attempts": 3}},
        }
    )
    assert (found["a"]["attempts"], found["a"]["iterations"]) == (3, 3)
    assert len(found["a"]["summary"]) == 3
    assert (found["b"]["attempts"], found["b"]["iterations"]) == (0, 0)
    assert "summary" not in found["b"]


def test_workloads_of_blocks_are_in_it_once_their_block_has_started() -> None:
    """In playbook order by block, each with what is counted of any workload."""
    found = results(
        {
            "bad": {
                "do": ["fail no luck"],
                "on_failure": {
                    "send": {"out": True, "do": ["send 3"]},
                    "take": {"records": ["send"], "do": ["read"], "register": "taken"},
                },
            },
            "good": {"on_failure": {"unused": {}}},
        },
        **{"finally": {"last": {"do": ["fail never mind"], "ignore_errors": True}}},
    )
    assert list(found) == ["bad", "good", "send", "take", "last"]
    assert (found["send"]["records_out"], found["take"]["records_in"]) == (3, 3)
    assert found["take"]["summary"] == {}
    assert (found["last"]["status"], found["last"]["ignored"]) == ("Failed", True)


def test_records_that_were_lost_are_counted() -> None:
    found = results(
        {
            "a": {
                "out": True,
                "do": ["send 10"],
                "channel": {"buffer_size": 2, "overflow": "drop_new"},
            },
            "b": {"records": ["a"], "do": ["sleep 1", "reject 2"], "on_record_error": "skip"},
        }
    )
    assert found["a"]["records_out"] == 10
    assert found["a"]["records_dropped"] == 10 - found["b"]["records_in"] > 0
    assert found["b"]["record_errors"] == found["b"]["records_in"] // 2 > 0


def test_texts_from_before_a_secret_was_known_are_redacted_too() -> None:
    found = results(
        {
            "early": {"do": ["fail it is s3cr3t-value"], "ignore_errors": True},
            "doubtful": {"when": "1 / 0 or 's3cr3t-value'"},
            "late": {"observes": ["early"], "secrets": ["TOKEN"], "do": ["secret TOKEN"]},
        },
        secrets=["TOKEN"],
        environment={"TOKEN": "s3cr3t-value"},
    )
    assert found["early"]["error"] == "it is [REDACTED_SECRET]"
    assert "s3cr3t" not in json.dumps(found)


def simple(summary: Any = None) -> Job:
    job = Job("case", inputs={"password": Input(secret=True)})

    @job.workload("a", register="a")
    async def a(ctx: Context) -> Any:
        return {"saw": f"the password {ctx.inputs['password']}"} if summary is None else summary

    return job


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("password", "s3cr3t-value")
    monkeypatch.chdir(tmp_path)


def test_standard_output_gets_the_report_and_nothing_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(simple(), None, ["--report", "-"]) == 0
    out, err = capfd.readouterr()
    found = read_report(out)
    assert found["workload_results"]["a"]["summary"] == {"saw": "the password [REDACTED_SECRET]"}
    assert "s3cr3t" not in out + err


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("before")
    assert main(simple(), None, ["--report", "report.json"]) == 0
    assert read_report(tmp_path / "report.json")["overall_status"] == "Completed"
    assert os.listdir(tmp_path) == ["report.json"]


def test_what_json_has_no_words_for(capfd: pytest.CaptureFixture[str]) -> None:
    summary: dict[str, Any] = {"nan": float("nan"), "name": "caf\udce9", "raw": b"x"}
    summary["self"] = summary
    assert main(simple(summary), None, ["--report", "-"]) == 0
    found = read_report(capfd.readouterr().out)["workload_results"]["a"]["summary"]
    assert found["nan"] == "nan"
    assert found["name"] == "caf\udce9"
    assert found["raw"] == "x"


def test_a_full_disk_fails_a_good_run(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(simple(), None, ["--report", "/dev/full"]) == 1
    assert "cannot write the report to /dev/full: No space left on device" in capfd.readouterr().err
