"""The report's schema says what a right report is, and refuses a wrong one."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gxo.runtime.reporting.report import report
from tests.reports import SCHEMA, checked
from tests.runtime.kernel.harness import play_case

TESTS = Path(__file__).parents[1]
RUN = play_case(
    {
        "workloads": {
            "good": {"do": ["sleep 1"], "register": "good"},
            "bad": {"do": ["sleep 1", "fail no luck"], "ignore_errors": True},
            "never": {"after": ["bad"]},
            "off": {"when": "False"},
        }
    }
).run

DAMAGES: list[tuple[str, Any]] = [
    ("run_id", "xyz"),
    ("run_id", None),
    ("playbook_name", 3),
    ("overall_status", "completed"),
    ("overall_status", "Failed"),  # without an error
    ("start_time", "2027-01-15T08:00:00.000+01:00"),
    ("start_time", "2027-01-15T08:00:00Z"),
    ("start_time", "2027-02-31T08:00:00.000Z"),
    ("start_time", "2027-01-15T09:00:00.000Z"),
    ("end_time", None),
    ("duration_ms", 1.5),
    ("duration_ms", -1),
    ("duration_ms", 7),
    ("total_workloads", 5),
    ("completed_workloads", 0),
    ("failed_workloads", 0),
    ("skipped_workloads", 2),
    ("cancelled_workloads", 1),
    ("error", "no luck"),
    ("error", ""),
    ("workload_results", []),
    ("more", 1),
    ("workload_results.good.status", "Running"),
    ("workload_results.good.status", "Paused"),
    ("workload_results.good.status", "Skipped"),
    ("workload_results.good.error", "no luck"),
    ("workload_results.good.ignored", True),
    ("workload_results.good.ignored", None),
    ("workload_results.good.attempts", -1),
    ("workload_results.good.iterations", 1.5),
    ("workload_results.good.end_time", None),
    ("workload_results.good.start_time", "2026-01-15T08:00:00.000Z"),
    ("workload_results.good.duration_ms", None),
    ("workload_results.good.records_in", None),
    ("workload_results.good.more", 1),
    ("workload_results.bad.error", None),
    ("workload_results.bad.error", ""),
    ("workload_results.never.start_time", "2027-01-15T08:00:00.000Z"),
    ("workload_results.never.end_time", "2027-01-15T08:00:00.000Z"),
    ("workload_results.never.attempts", 1),
    ("workload_results.off.reason", None),
    ("workload_results.off.records_out", 1),
]


def good() -> dict[str, Any]:
    return copy.deepcopy(report(RUN))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    checked(good())


def test_every_field_is_described() -> None:
    assert SCHEMA["required"] == list(good())
    described = list(SCHEMA["properties"])
    described.remove("dry_run")  # only there after one
    assert described == SCHEMA["required"]
    result = SCHEMA["$defs"]["result"]
    described = list(result["properties"])
    described.remove("assertions")  # only there when some of a test do not hold
    assert described == [*result["required"], "summary"]
    assert described == list(good()["workload_results"]["good"])


@pytest.mark.parametrize(("path", "value"), DAMAGES)
def test_it_refuses(path: str, value: object) -> None:
    damaged = good()
    *folders, name = path.split(".")
    place = damaged
    for folder in folders:
        place = place[folder]
    assert name not in place or place[name] != value
    place[name] = value
    with pytest.raises(AssertionError):
        checked(damaged)


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_nothing_may_be_missing(name: str) -> None:
    damaged = good()
    del damaged[name]
    with pytest.raises(AssertionError):
        checked(damaged)


def test_every_test_that_reads_a_report_checks_it() -> None:
    """Those that ask for one read it through `tests.reports`."""
    asks = re.compile(r'"--report[" ]')
    files = [path for path in TESTS.rglob("*.py") if asks.search(path.read_text("utf-8"))]
    ours = {Path(__file__), *ASK_IN_VAIN}
    unchecked = [
        path
        for path in files
        if path not in ours and "from tests.reports import" not in path.read_text("utf-8")
    ]
    assert files and unchecked == []


ASK_IN_VAIN = {
    TESTS / "cli/test_lifecycles.py",
    TESTS / "runtime/reporting/test_metrics.py",
    TESTS / "bench/scheduler.py",
    TESTS / "proof/soak.py",
}
"""Jobs that are refused, so that there is no report, or whose report is lost or only timed."""
