"""The events of every kernel case: each by the schema, and all together a whole story.

What is checked holds for whatever a case does: statuses that follow on each other, one end a workload,
attempts that end. So a new way for a workload to end is proven by its kernel case.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gxo.runtime.kernel.run import Run
from gxo.runtime.reporting.events import EventLog
from tests.runtime.kernel.harness import Played, play_case

CASES = Path(__file__).parents[1] / "kernel" / "cases"
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/events.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Event = dict[str, Any]


class Kept:
    """In place of a LineWriter: keeps the events."""

    failure = None

    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, line: bytes, always: bool = False) -> bool:
        self.events.append(json.loads(line))
        return True


def watched(case: dict[str, Any]) -> tuple[Played, list[Event]]:
    kept = Kept()

    def watch(run: Run) -> None:
        run.bus = EventLog(run, kept)  # type: ignore[arg-type]

    return play_case(case, watch), kept.events


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}/{name}")
        for path in sorted(CASES.glob("*.yaml"))
        for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    ]


@pytest.mark.parametrize("case", _cases())
def test_a_case(case: dict[str, Any]) -> None:
    played, events = watched(case)
    for event in events:
        VALIDATOR.validate(event)
    assert [event["sequence"] for event in events] == [*range(1, len(events) + 1)]
    assert {event["run_id"] for event in events} == {played.run.run_id}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    _frame(played, events)
    for name in played.statuses:
        _workload(played, name, [event for event in events if event.get("workload") == name])
    errors = [event["error"] for event in events if event["event"] == "FatalErrorOccurred"]
    assert errors == played.run.ending.errors


def _frame(played: Played, events: list[Event]) -> None:
    first, last = events[0], events[-1]
    ending = played.run.ending
    assert (first["event"], first["workloads"]) == ("PlaybookStart", len(played.run.job.workloads))
    assert (last["event"], last["status"], last["error"]) == (
        "PlaybookEnd",
        ending.status,
        ending.error,
    )
    names = Counter(event["event"] for event in events)
    assert (names["PlaybookStart"], names["PlaybookEnd"]) == (1, 1)


def _workload(played: Played, name: str, events: list[Event]) -> None:
    node = played.run.nodes[name]
    kinds = [event["event"] for event in events]
    status = "Pending"
    for event in events:
        if event["event"] == "WorkloadStatusChanged":
            assert event["before"] == status
            status = event["after"]
    assert status == node.status
    assert kinds.count("WorkloadEnd") == 1
    assert kinds[-1] == "WorkloadEnd"
    end = events[-1]
    assert (end["status"], end["error"], end["ignored"]) == (node.status, node.error, node.ignored)
    assert kinds.count("WorkloadStart") == (node.started is not None)
    starts = Counter(
        _attempt(event) for event in events if event["event"] == "ModuleExecutionStart"
    )
    ends = Counter(_attempt(event) for event in events if event["event"] == "ModuleExecutionEnd")
    assert set(starts.values()) <= {1}
    if "abandoned" not in (node.reason or ""):
        assert starts == ends
    else:
        assert ends < starts
    assert kinds.count("RecordErrorOccurred") == node.record_errors


def _attempt(event: Event) -> tuple[int, int | None]:
    return event["attempt"], event["iteration"]


def test_the_cases_have_every_event_and_every_status() -> None:
    """Or the test above would prove less than it says."""
    seen: set[str] = set()
    changes: set[tuple[str, str]] = set()
    ends: set[str] = set()
    attempts: set[str] = set()
    for param in _cases():
        for event in watched(param.values[0])[1]:
            seen.add(event["event"])
            match event["event"]:
                case "WorkloadStatusChanged":
                    changes.add((event["before"], event["after"]))
                case "WorkloadEnd":
                    ends.add(event["status"])
                case "ModuleExecutionEnd":
                    attempts.add(event["status"])
    assert seen == {reference["$ref"].rpartition("/")[2] for reference in SCHEMA["oneOf"]}
    assert changes == {
        ("Pending", "Running"),
        ("Pending", "Completed"),  # its readers had closed before it began
        ("Pending", "Failed"),
        ("Pending", "Skipped"),
        ("Pending", "Cancelled"),
        ("Running", "Completed"),
        ("Running", "Failed"),
        ("Running", "Cancelled"),
    }
    assert ends == {"Pending", "Completed", "Failed", "Skipped", "Cancelled"}
    assert attempts == {"Completed", "Failed", "Cancelled"}
