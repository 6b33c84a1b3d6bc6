"""The report and the events of a run, and what they cannot be written to."""

import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Input, Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import main
from gxo.runtime.reporting.events import Bus
from gxo.runtime.reporting.report import report
from gxo.runtime.settings import Settings
from tests.reports import checked, read_report
from tests.runtime.kernel.harness import FakeClock, FakeLoop, Stage, play, play_case

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
    assert "cannot write the report: No space left on device" in capfd.readouterr().err


def test_events_in_order(tmp_path: Path) -> None:
    job = simple()

    @job.workload("bad", after=["a"])
    async def bad(ctx: Context) -> Any:
        raise ValueError("no luck")

    assert main(job, None, ["--events", "events"]) == 1
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [(event["event"], event.get("workload")) for event in events] == [
        ("PlaybookStart", None),
        ("WorkloadStatusChanged", "a"),
        ("WorkloadStart", "a"),
        ("ModuleExecutionStart", "a"),
        ("SecretAccessed", "a"),
        ("ModuleExecutionEnd", "a"),
        ("WorkloadStatusChanged", "a"),
        ("WorkloadEnd", "a"),
        ("WorkloadStatusChanged", "bad"),
        ("WorkloadStart", "bad"),
        ("ModuleExecutionStart", "bad"),
        ("ModuleExecutionEnd", "bad"),
        ("FatalErrorOccurred", None),
        ("WorkloadStatusChanged", "bad"),
        ("WorkloadEnd", "bad"),
        ("PlaybookEnd", None),
    ]
    assert (tmp_path / "events").stat().st_mode & 0o777 == 0o600
    assert events[-2]["error"] == "no luck"


def test_secret_accessed_shows_the_key_only(tmp_path: Path) -> None:
    job = Job("case", secrets=["password"])

    @job.workload("a", secrets=["password"])
    async def a(ctx: Context) -> Any:
        return {"length": len(ctx.secret("password"))}

    assert main(job, None, ["--events", "events"]) == 0
    text = (tmp_path / "events").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert [one["key"] for one in events if one["event"] == "SecretAccessed"] == ["password"]
    assert "s3cr3t" not in text


def test_events_go_to_a_descriptor() -> None:
    reading, writing = os.pipe()
    assert main(simple(), None, ["--events", f"fd:{writing}"]) == 0
    os.close(writing)
    with open(reading) as file:
        assert json.loads(file.readlines()[-1])["event"] == "PlaybookEnd"


def test_a_reader_of_events_that_is_gone(capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert main(simple(), None, ["--events", f"fd:{writing}"]) == 0
    os.close(writing)
    assert "events could not be written: Broken pipe" in capfd.readouterr().err


def test_the_bus_drops_and_counts_when_its_buffer_is_full() -> None:
    reading, writing = os.pipe()
    played = play(Job("case"), Stage())
    run = played.run
    bus = Bus(run, writing, most_waiting=5)
    for _ in range(100_000):  # more than a pipe holds, and nobody reads
        bus.emit("PlaybookStart", text="x" * 100)
        if bus.dropped > 10:
            break
    assert bus.dropped > 10
    received = bytearray()

    def read() -> None:
        while piece := os.read(reading, 1 << 16):
            received.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    bus.close(10)
    reader.join()
    os.close(reading)
    assert all(json.loads(line)["text"] == "x" * 100 for line in received.splitlines())


def test_dropped_events_are_told_once_a_second() -> None:
    reading, writing = os.pipe()
    loop = FakeLoop()
    run = Run(Job("case"), Settings(), clock=FakeClock(loop))
    told: list[str] = []
    run.log.write_clean = lambda level, message, workload=None: told.append(message)  # type: ignore[method-assign]
    bus = Bus(run, writing, most_waiting=0)
    for moment in (0.0, 0.5, 0.9, 1.1, 1.2):
        loop.moment = moment
        bus.emit("PlaybookStart")
    bus.close(10)
    os.close(reading)
    loop.close()
    assert told == [
        "events are read too slowly: 1 dropped so far",
        "events are read too slowly: 4 dropped so far",
    ]
