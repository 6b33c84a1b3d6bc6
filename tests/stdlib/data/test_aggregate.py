"""data:aggregate against Python's own arithmetic, however the stream is cut into batches."""

import math
import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from gxo.stdlib.data import _groups, _operations
from tests.stdlib.data.oracle import play

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


def cut(rows: list[dict[str, Any]], sizes: list[int]) -> list[list[dict[str, Any]]]:
    batches = []
    for size in [*sizes, len(rows)]:
        batches += [rows[:size]] if rows else []
        rows = rows[size:]
    return batches


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
