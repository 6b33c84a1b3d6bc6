"""Joins send what a chain of SQL's joins would give."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gxo.runtime.streams.tables import Batch, Table
from tests.stdlib.data.oracle import play

Rows = list[dict[str, Any]]

BUILDS = ["a", "b", "c"]
KEYS = [None, 0, 1, 2, "1", "2", "01", "", "x", 1.0, 1.5, -0.0, "1.5", True, 2**60, str(2**60)]


TEXTS = [None, "1", "2", "2", "missing"]
"""Keys that records in tables can have."""


@st.composite
def tables(draw: st.DrawFn, keys: Sequence[Any] = (*KEYS, "missing")) -> dict[str, Rows]:
    """The probe `p` and up to three build streams; each row has its number under the stream's name."""
    names = ["p", *BUILDS[: draw(st.integers(1, 3))]]
    some_keys = st.lists(st.sampled_from(keys), max_size=6)
    shared = draw(st.booleans())
    return {
        name: [
            ({"k": key} if key != "missing" else {})
            | ({"s": name} if shared else {})
            | {name: number}
            for number, key in enumerate(draw(some_keys))
        ]
        for name in names
    }


def sql_key(key: Any) -> Any:
    """The key as SQL has to see it to compare as the catalogue says: "1" joins 1, and true nothing."""
    if isinstance(key, bool):
        return f"bool {key}"
    return str(int(key)) if isinstance(key, int | float) and key == int(key) else key


def in_sql(streams: dict[str, Rows], kind: str) -> list[tuple[Any, ...]]:
    """The numbers of the rows that come together."""
    chain, where = "p", ""
    # Of several RIGHT JOINs only the last one would keep the rows of its table: so it is a filter.
    several_right = kind == "right" and len(streams) > 2
    for name in list(streams)[1:]:
        chain += f" {'full' if several_right else kind} JOIN {name} ON p.k = {name}.k"
    if several_right:
        where = (
            f"WHERE coalesce({', '.join(f'{name}.i' for name in list(streams)[1:])}) IS NOT NULL"
        )
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for name, rows in streams.items():
            connection.execute(f"CREATE TABLE {name} (k, i)")
            values = [(sql_key(row.get("k")), row[name]) for row in rows]
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?)", values)
        columns = ", ".join(f"{name}.i" for name in streams)
        return connection.execute(f"SELECT {columns} FROM {chain} {where}").fetchall()


def as_table(batch: Rows) -> Batch:
    """The batch as a table, if all its records have the same fields."""
    names = {tuple(row) for row in batch}
    return Table(names.pop(), [[*row.values()] for row in batch]) if len(names) == 1 else batch


def joined(
    streams: dict[str, Rows], kind: str, cut: int = 3, forms: Sequence[bool] = (False,), **more: Any
) -> Rows:
    """What `data:join` sends; the streams come in batches of `cut`, by turns in these forms."""
    on = [
        {"stream": name, "role": "probe" if name == "p" else "build", "field": "k"}
        for name in streams
    ]
    in_table = cycle(forms)
    cuts = {
        name: [
            as_table(rows[at : at + cut]) if next(in_table) else rows[at : at + cut]
            for at in range(0, len(rows), cut)
        ]
        for name, rows in streams.items()
    }
    return play("data:join", {"join_type": kind, "on": on, **more}, cuts, buffer_size=0).sent


@pytest.mark.parametrize("kind", ["inner", "left", "right", "full"])
@given(streams=tables(), cut=st.integers(1, 6))
def test_the_rows_that_come_together(streams: dict[str, Rows], kind: str, cut: int) -> None:
    sent = joined(streams, kind.replace("full", "outer"), cut, output={"merge_strategy": "nested"})
    found = [tuple(row[name] and row[name][name] for name in streams) for row in sent]
    assert Counter(found) == Counter(in_sql(streams, kind))
    assert all(row[name] in [None, *streams[name]] for row in sent for name in streams)


@given(tables(), st.sampled_from(["inner", "left", "right", "outer"]))
def test_flat_is_nested_merged(streams: dict[str, Rows], kind: str) -> None:
    nested = joined(streams, kind, output={"merge_strategy": "nested"})
    flat = joined(streams, kind)
    assert len(flat) == len(nested)
    for merged, parts in zip(flat, nested, strict=True):
        expected: dict[str, Any] = {}
        for name in reversed(streams):
            expected |= parts[name] or {}
        assert {name: merged[name] for name in expected} == expected
        assert set(map(type, expected.values())) == {type(merged[name]) for name in expected}
        assert all(merged[name] is None for name in merged.keys() - expected.keys())


KINDS = st.sampled_from(["inner", "left", "right", "outer"])


@given(tables(), st.integers(1, 6), KINDS)
def test_batches_make_no_difference(streams: dict[str, Rows], cut: int, kind: str) -> None:
    assert joined(streams, kind, cut) == joined(streams, kind, 1000)


@example({"p": [{"k": "1", "p": 0}, {"p": 1}], "a": [{"k": "1", "a": 0}]}, 1, "left", [1])
@given(tables(TEXTS), st.integers(1, 4), KINDS, st.lists(st.integers(0, 3), min_size=1))
def test_tables_make_no_difference(
    streams: dict[str, Rows], cut: int, kind: str, lists: list[int]
) -> None:
    """lists: every so often not even a batch that could be a table is one."""
    sent = joined(streams, kind, cut, [one > 0 for one in lists])
    assert [[*row.items()] for row in sent] == [[*row.items()] for row in joined(streams, kind)]
