"""Sorting gives what Python's `sorted` and SQL's ORDER BY give, through memory or files, in any cut."""

import asyncio
import contextlib
import itertools
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.data import _runs
from tests.stdlib.data.oracle import play
from tests.stdlib.harness import bench, function_of, module_spec, open_descriptors, run

Rows = list[dict[str, Any]]

ORDERS = st.sampled_from(["asc", "desc"])
values = (
    st.none() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "a", "B", "é", "𝄞"])
)
tables = st.lists(st.fixed_dictionaries({}, optional={"a": values, "b": values}), max_size=30)


def numbered(rows: Rows) -> Rows:
    return [row | {"i": number} for number, row in enumerate(rows)]


def played(rows: Rows, cut: int = 4, **params: Any) -> Rows:
    batches = [rows[start : start + cut] for start in range(0, len(rows), cut)]
    return play("data:sort", params, {"rows": batches}).sent


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two records, files of three merged into one."""
    monkeypatch.setattr(_runs, "WAYS", 3)
    monkeypatch.setattr("gxo.stdlib.data.sort.CHUNK", 2)


@given(
    tables,
    ORDERS,
    ORDERS,
    st.integers(1, 9),
    st.sampled_from([0, 500, 2**20]),
    st.none() | st.integers(0, 9),
)
def test_it_is_what_sql_makes_of_it(
    rows: Rows, first: str, second: str, cut: int, memory: int, limit: int | None
) -> None:
    rows = numbered(rows)
    by = [{"field": "a", "order": first}, {"field": "b", "order": second}]
    sent = played(
        rows, cut, by=by, max_memory=memory, **({} if limit is None else {"limit": limit})
    )
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b, i)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?)",
            [(row.get("a"), row.get("b"), row["i"]) for row in rows],
        )
        order = f"a {first} NULLS LAST, b {second} NULLS LAST, i"
        expected = connection.execute(
            f"SELECT i FROM t ORDER BY {order} LIMIT ?", [-1 if limit is None else limit]
        )
        assert [row["i"] for row in sent] == [number for (number,) in expected]
    assert all(rows[row["i"]] == row for row in sent)


@pytest.mark.usefixtures("small_runs")
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("memory", [0, 2000])
def test_runs_of_runs_are_merged_in_their_order(order: str, memory: int) -> None:
    rows = [{"n": number * 7919 % 13, "i": number} for number in range(400)]
    sent = played(rows, 1, by="n", order=order, max_memory=memory)
    assert sent == sorted(rows, key=lambda row: row["n"], reverse=order == "desc")


@pytest.mark.usefixtures("small_runs")
def test_few_files_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    add = _runs.BatchFile.add

    def counted(self: _runs.BatchFile, batch: Rows) -> None:
        nonlocal most
        add(self, batch)
        most = max(most, len(open_descriptors()))

    monkeypatch.setattr(_runs.BatchFile, "add", counted)
    before = len(open_descriptors())
    rows = [{"n": -number} for number in range(500)]  # each a run: five levels of threes
    assert played(rows, 1, by="n", max_memory=0) == rows[::-1]
    assert 3 <= most - before <= 3 * 6 + 10


@given(st.lists(st.integers(0, 3)), st.integers(0, 5), ORDERS)
@settings(max_examples=50)
def test_the_first_ones_are_those_of_all(numbers: list[int], limit: int, order: str) -> None:
    rows = numbered([{"n": number} for number in numbers])
    everything = played(rows, by="n", order=order)
    assert played(rows, 3, by="n", order=order, limit=limit) == everything[:limit]


def test_the_first_ones_take_the_memory_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    add = _runs.Runs.add

    def counted(self: _runs.Runs, records: Rows, size: int) -> None:
        nonlocal most
        most = max(most, len(records) + sum(len(one.records) for one in self._memory))
        add(self, records, size)

    monkeypatch.setattr(_runs.Runs, "add", counted)
    rows = [{"n": -number} for number in range(20_000)]
    assert played(rows, 500, by="n", limit=3) == rows[:-4:-1]
    assert most <= 1000 + 1500 + 2 * 3  # and a batch is what waits in the stream


@pytest.mark.parametrize("turns", range(0, 60, 7))
def test_cancelled_it_leaves_nothing(turns: int, tmp_path: Path) -> None:
    async def cancelled() -> None:
        async with bench(tmp_path) as workbench:
            source = Source("rows", Channel())
            port = Records([source.connect("under-test")])
            sending = asyncio.ensure_future(endless(source))
            sort = function_of(module_spec("data:sort"))
            task = asyncio.ensure_future(
                sort(workbench.context, port, None, by="n", max_memory=10_000)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            sending.cancel()
            await asyncio.wait([sending])
            port.close()
            source.finish()

    run(cancelled())
    assert os.listdir(tmp_path) == []


async def endless(source: Source) -> None:
    for number in itertools.count():
        await source.port().send([{"n": number % 10, "text": "x" * 100}] * 50)


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: _runs.BatchFile, batch: Rows) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(_runs.BatchFile, "add", full)
    with pytest.raises(ModuleError, match=r"cannot write .* No space left on device"):
        played([{"n": 1}] * 9, by="n", max_memory=0)


def test_a_record_that_is_very_deep_has_a_size() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert _runs.memory_of([{"deep": deep}]) > 5000 * 50
