"""Aggregates compute what SQL computes for the same data."""

import contextlib
import math
import sqlite3
import statistics
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.stdlib.data.oracle import play

Rows = list[dict[str, Any]]

keys = st.none() | st.integers(0, 4) | st.sampled_from(["x", "y", ""]) | st.just(1.5)


def query(sql: str, **tables: Rows) -> list[tuple[Any, ...]]:
    """The rows of a query over tables whose columns have no type, so that values stay as they are."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for name, records in tables.items():
            columns = ("k", name)
            connection.execute(f"CREATE TABLE {name} (k, {name})")
            connection.executemany(
                f"INSERT INTO {name} VALUES (?, ?)",
                [tuple(record[column] for column in columns) for record in records],
            )
        return connection.execute(sql).fetchall()


numbers = st.none() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
OPS = ["count", "sum", "avg", "min", "max", "distinct"]


@given(st.lists(st.fixed_dictionaries({"k": keys, "p": numbers}), max_size=20))
def test_aggregates_are_what_sql_makes_of_them(p: Rows) -> None:
    fields = [{"name": op, "op": op, "source_field": "p"} for op in OPS]
    sent = play("data:aggregate", {"group_by_fields": ["k"], "aggregate_fields": fields}, {"p": p})
    expected = query(
        "SELECT k, count(p), coalesce(sum(p), 0), avg(p), min(p), max(p), count(DISTINCT p)"
        " FROM p GROUP BY k",
        p=p,
    )
    by_key = {(type(row[0]), row[0]): row[1:] for row in expected}
    assert len(sent.sent) == len(expected)
    for result in sent.sent:
        for op, value in zip(OPS, by_key[type(result["k"]), result["k"]], strict=True):
            assert result[op] == value or math.isclose(
                result[op], value, rel_tol=1e-9, abs_tol=1e-6
            ), op


@given(st.lists(st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9), min_size=2, max_size=40))
def test_statistics_are_those_of_python(values: list[float]) -> None:
    fields = [{"name": op, "op": op, "source_field": "n"} for op in ("stddev", "median", "p95")]
    [result] = play(
        "data:aggregate", {"aggregate_fields": fields}, {"numbers": [[{"n": n} for n in values]]}
    ).sent
    close = {"rel_tol": 1e-9, "abs_tol": 1e-3}
    assert math.isclose(result["stddev"], statistics.stdev(values), **close)
    assert math.isclose(result["median"], statistics.median(values), **close)
    expected = statistics.quantiles(values, n=100, method="inclusive")[94]
    assert math.isclose(result["p95"], expected, **close)
