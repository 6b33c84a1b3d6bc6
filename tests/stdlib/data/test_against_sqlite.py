"""Joins and aggregates compute what SQL computes for the same data."""

import contextlib
import math
import sqlite3
import statistics
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.stdlib.data.oracle import play

Rows = list[dict[str, Any]]

keys = st.none() | st.integers(0, 4) | st.sampled_from(["x", "y", ""]) | st.just(1.5)
values = st.none() | st.integers(-5, 5)


def rows(name: str) -> st.SearchStrategy[Rows]:
    return st.lists(st.fixed_dictionaries({"k": keys, name: values}), max_size=8)


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


def bag(found: list[tuple[Any, ...]]) -> Counter[Any]:
    return Counter((type(value).__name__, value) for row in found for value in [row])


def sides(*builds: str) -> list[dict[str, str]]:
    named = [("p", "probe"), *((build, "build") for build in builds)]
    return [{"stream": stream, "role": role, "field": "k"} for stream, role in named]


@given(rows("p"), rows("a"), st.sampled_from(["inner", "left", "right", "outer"]))
def test_a_join_is_what_sql_makes_of_it(p: Rows, a: Rows, kind: str) -> None:
    sent = play("data:join", {"join_type": kind, "on": sides("a")}, {"p": [p] if p else [], "a": a})
    word = "full outer" if kind == "outer" else kind
    expected = query(f"SELECT coalesce(p.k, a.k), p, a FROM p {word} JOIN a ON p.k = a.k", p=p, a=a)
    assert bag([(r["k"], r.get("p"), r.get("a")) for r in sent.sent]) == bag(expected)


@given(rows("p"), rows("a"), rows("b"), st.sampled_from(["inner", "left", "right", "outer"]))
def test_a_join_of_three(p: Rows, a: Rows, b: Rows, kind: str) -> None:
    sent = play("data:join", {"join_type": kind, "on": sides("a", "b")}, {"p": p, "a": a, "b": b})
    probe = "left" if kind in ("left", "outer") else "inner"
    core = f"SELECT p.k AS k, p, a, b, p.rowid AS np, a.rowid AS na, b.rowid AS nb FROM p {probe} JOIN a ON p.k = a.k {probe} JOIN b ON p.k = b.k"
    sql = f"WITH core AS ({core}) SELECT k, p, a, b FROM core"
    if kind in ("right", "outer"):
        sql += " UNION ALL SELECT k, NULL, a, NULL FROM a WHERE rowid NOT IN (SELECT na FROM core WHERE na IS NOT NULL)"
        sql += " UNION ALL SELECT k, NULL, NULL, b FROM b WHERE rowid NOT IN (SELECT nb FROM core WHERE nb IS NOT NULL)"
    expected = query(sql, p=p, a=a, b=b)
    found = [(r["k"], r.get("p"), r.get("a"), r.get("b")) for r in sent.sent]
    assert bag(found) == bag(expected)


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
