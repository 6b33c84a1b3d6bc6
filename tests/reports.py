"""Execution reports as the tests read them: each is held against `docs/report.schema.json` first.

A schema cannot compare one field with another, so what has to add up is checked here.
"""

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
CHECKER = Draft202012Validator.FORMAT_CHECKER


@CHECKER.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).utcoffset() == timedelta(0)


VALIDATOR = Draft202012Validator(SCHEMA, format_checker=CHECKER)


def read_report(source: str | bytes | Path) -> dict[str, Any]:
    """The report in a file, or in the text itself, once it has proved to be a right one."""
    text = source.read_bytes() if isinstance(source, Path) else source
    found: dict[str, Any] = json.loads(text, parse_constant=_no_constant)
    return checked(found)


def checked(report: dict[str, Any]) -> dict[str, Any]:
    """The report itself; AssertionError for one that is not right."""
    wrong = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(report)]
    assert not wrong, "\n".join(wrong)
    results = report["workload_results"]
    statuses = Counter(result["status"] for result in results.values())
    counted = {status: report[f"{status.lower()}_workloads"] for status in COUNTED}
    assert counted == {status: statuses[status] for status in COUNTED}
    assert report["total_workloads"] == len(results) == sum(statuses.values())
    _check_times(report)
    for result in results.values():
        if result["start_time"] is not None:
            _check_times(result)
            assert result["end_time"] <= report["end_time"]
            if result["reason"] != RESTORED:
                assert report["start_time"] <= result["start_time"]
    return report


RESTORED = "restored from the journal"
"""The reason of what an earlier run of the job has done."""

COUNTED = ("Completed", "Failed", "Skipped", "Cancelled")


def _check_times(span: dict[str, Any]) -> None:
    start, end = (datetime.fromisoformat(span[f"{which}_time"]) for which in ("start", "end"))
    lasted = (end - start) / timedelta(milliseconds=1)
    assert lasted >= 0
    assert abs(lasted - span["duration_ms"]) <= 1, "the two times are rounded, each by itself"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
