"""data:aggregate against Python's own arithmetic, however the stream is cut into batches."""

import math
import statistics
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from gxo.stdlib.data import _groups, _operations, _windows
from tests.stdlib.data.live import Live, live
from tests.stdlib.data.oracle import cut, play

Values = list[Any]
OPS = [
    "count", "sum", "avg", "min", "max", "first", "last", "distinct", "stddev", "median", "p95",
    "collect",
]  # fmt: skip

finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = (
    st.integers(-5, 5) | st.integers(-(2**63), 2**64) | finite | st.sampled_from([-0.0, 0.1, 1e308])
)
records = st.lists(
    st.fixed_dictionaries(
        {}, optional={"k": st.sampled_from("ab") | st.none(), "n": numbers | st.none()}
    ),
    max_size=40,
)


def rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def total(values: Values) -> int | float:
    exact = sum(map(Fraction, values))
    if all(isinstance(value, int) for value in values) and -(2**63) <= exact < 2**64:
        return int(exact)
    return rounded(Fraction(exact))


def mean(values: Values) -> float | None:
    return rounded(Fraction(sum(map(Fraction, values)), len(values))) if values else None


def at(values: Values, share: Fraction) -> int | float | None:
    """The value at a share of the way through the sorted values, interpolated exactly."""
    if not values:
        return None
    ordered = sorted(values)
    below, rest = divmod(share * (len(ordered) - 1), 1)
    if not rest:
        return ordered[below]
    low, high = Fraction(ordered[below]), Fraction(ordered[below + 1])
    return rounded(low + (high - low) * rest)


def deviation(values: Values) -> float | None:
    try:
        return statistics.stdev(map(Fraction, values)) if len(values) > 1 else None
    except OverflowError:
        return math.inf


ORACLES: dict[str, Callable[[Values], Any]] = {
    "count": len,
    "sum": total,
    "avg": mean,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "first": lambda values: next(iter(values), None),
    "last": lambda values: next(reversed(values), None),
    "distinct": lambda values: len(set(values)),
    "stddev": deviation,
    "median": lambda values: at(values, Fraction(1, 2)),
    "p95": lambda values: at(values, Fraction(95, 100)),
    "collect": list,
}


def expected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[Any, Values] = {}
    for row in rows:
        groups.setdefault(row.get("k"), []).append(row.get("n"))
    found = []
    for key, values in groups.items():
        given_values = [value for value in values if value is not None]
        found.append({"k": key} | {op: ORACLES[op](given_values) for op in OPS})
    return found


@given(records, st.lists(st.integers(1, 7), max_size=10), st.integers(1, 9), st.integers(1, 4))
def test_every_operation_is_exact_however_the_stream_is_cut(
    rows: list[dict[str, Any]], sizes: list[int], waiting: int, parts: int
) -> None:
    """And however often what waits is folded, and a sum condensed."""
    fields = [{"name": op, "op": op, "source_field": "n"} for op in OPS]
    params = {"group_by_fields": ["k"], "aggregate_fields": fields}
    with (
        mock.patch.object(_groups, "WAITING", (waiting, waiting)),
        mock.patch.object(_operations, "_PARTS", parts),
    ):
        outcome = play("data:aggregate", params, {"rows": cut(rows, sizes)})
    # repr, because it tells 1 from 1.0 and 0.0 from -0.0.
    assert repr(outcome.sent) == repr(expected(rows))


events = st.lists(
    st.fixed_dictionaries({"k": st.sampled_from("ab"), "at": st.integers(0, 60) | st.none()}),
    max_size=40,
)


def by_time(
    rows: list[dict[str, Any]], window: int, lateness: int
) -> tuple[list[tuple[int, str, int]], int]:
    """The counts of each window and group, in order, and how many records are left out."""
    latest, lost = -math.inf, 0
    windows: dict[int, Counter[str]] = {}
    for row in rows:
        at = row["at"]
        if at is None or at // window * window + window <= latest - lateness:
            lost += 1
            continue
        latest = max(latest, at)
        windows.setdefault(at // window, Counter())[row["k"]] += 1
    return [
        (number * window, key, count)
        for number in sorted(windows)
        for key, count in windows[number].items()
    ], lost


@given(events, st.lists(st.integers(1, 7), max_size=10), st.integers(1, 20), st.integers(0, 20))
def test_windows_by_time(
    rows: list[dict[str, Any]], sizes: list[int], window: int, lateness: int
) -> None:
    params = {
        "group_by_fields": ["k"],
        "aggregate_fields": [{"name": "n", "op": "count"}],
        "window": float(window),
        "time_field": "at",
        "allowed_lateness": float(lateness),
    }
    with mock.patch.object(_windows, "WAITING", (5, 5)):
        outcome = play("data:aggregate", params, {"rows": cut(rows, sizes)})
    found = [
        (datetime.fromisoformat(result["window_start"]).timestamp(), result["k"], result["n"])
        for result in outcome.sent
    ]
    wanted, lost = by_time(rows, window, lateness)
    assert found == wanted
    assert len(outcome.record_errors) == lost


def test_windows_by_arrival_end_by_the_clock(tmp_path: Path) -> None:
    """It is 22:13:20 when the first record comes."""

    async def play(module: Live) -> None:
        await module.send({"k": "a"}, {"k": "b"})
        await module.send({"k": "a"})
        assert module.sent() == []
        assert module.clock.held == [40.0]
        assert await module.wait() == 40.0
        bounds = {"window_start": "2023-11-14T22:13:00Z", "window_end": "2023-11-14T22:14:00Z"}
        assert module.sent() == [{"k": "a", "n": 2, **bounds}, {"k": "b", "n": 1, **bounds}]
        module.clock.time += 600  # windows without records
        await module.settle()
        assert module.clock.held == [40.0]
        await module.send({"k": "a"})
        module.clock.time -= 300  # the clock is put back: still the same window
        await module.send({"k": "a"})
        module.clock.time += 400
        await module.send({"k": "b"})
        bounds = {"window_start": "2023-11-14T22:24:00Z", "window_end": "2023-11-14T22:25:00Z"}
        assert module.sent() == [{"k": "a", "n": 2, **bounds}]
        assert await module.finish() == {"records": 4}
        bounds = {"window_start": "2023-11-14T22:25:00Z", "window_end": "2023-11-14T22:26:00Z"}
        assert module.sent() == [{"k": "b", "n": 1, **bounds}]

    params = {
        "group_by_fields": ["k"],
        "aggregate_fields": [{"name": "n", "op": "count"}],
        "window": 60.0,
    }
    live(tmp_path, "data:aggregate", params, play)


def test_a_window_by_count_says_when_its_records_arrived(tmp_path: Path) -> None:
    async def play(module: Live) -> None:
        await module.send({"n": 1})
        module.clock.time += 1.5
        await module.send({"n": 2}, {"n": 3})
        assert module.sent() == [
            {
                "total": 3,
                "window_start": "2023-11-14T22:13:20Z",
                "window_end": "2023-11-14T22:13:21.500Z",
            }
        ]
        assert await module.finish() == {"records": 2}
        assert [record["total"] for record in module.sent()] == [3]

    params = {
        "aggregate_fields": [{"name": "total", "op": "sum", "source_field": "n"}],
        "count": 2,
    }
    live(tmp_path, "data:aggregate", params, play)
