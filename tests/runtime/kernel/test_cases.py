"""Every case under `cases/`: a job, and how it must run. A new case needs no Python.

A case names what it expects; what it leaves out is not compared. `exit` and `statuses` must be there.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.reporting.report import report
from tests.reports import checked
from tests.runtime.kernel.harness import Played, play_case

FOLDER = Path(__file__).parent / "cases"


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}/{name}")
        for path in sorted(FOLDER.glob("*.yaml"))
        for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
    ]


@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any]) -> None:
    played = play_case(case)
    checked(report(played.run))
    expected = dict(case["expect"])
    assert (played.code, played.statuses) == (expected.pop("exit"), expected.pop("statuses")), (
        played.log
    )
    for what, value in expected.items():
        assert CHECKS[what](played) == value if what != "log" else _logged(played, value), (
            what,
            played.log,
            played.trace,
        )


def _field(name: str) -> Any:
    def values(played: Played) -> dict[str, Any]:
        found = {node.name: getattr(node, name) for node in played.run.nodes.values()}
        return {name: value for name, value in found.items() if value}

    return values


def _outlooks(played: Played) -> dict[str, str]:
    """What a dry run found out about each workload: `change`, `unknown` or `same`."""
    forecast = played.run.forecast
    assert forecast is not None
    return {
        node.name: "change"
        if forecast.of(node.name).changing
        else "unknown"
        if forecast.of(node.name).unknown
        else "same"
        for node in played.run.nodes.values()
    }


def _unknown(played: Played) -> dict[str, str]:
    """Which value each workload of a dry run lacked."""
    forecast = played.run.forecast
    assert forecast is not None
    found = {node.name: forecast.of(node.name).unknown for node in played.run.nodes.values()}
    return {name: what for name, what in found.items() if what}


def _logged(played: Played, texts: list[str]) -> bool:
    missing = [text for text in texts if text not in played.log]
    assert not missing, played.log
    return True


CHECKS = {
    "attempts": _field("attempts"),
    "error": lambda played: played.run.ending.error,
    "errors": _field("error"),
    "ignored": _field("ignored"),
    "iterations": _field("iterations"),
    "outlooks": _outlooks,
    "overflows": lambda played: played.log.count(" overflows: "),
    "overall": lambda played: played.run.ending.status,
    "reasons": _field("reason"),
    "record_errors": _field("record_errors"),
    "records_dropped": _field("records_dropped"),
    "records_in": _field("records_in"),
    "records_out": _field("records_out"),
    "state": lambda played: dict(played.run.state),
    "time": lambda played: played.time,
    "unknown": _unknown,
    "trace": lambda played: played.trace,
}
