"""data:dedupe, data:batch and data:sample, however the stream is cut, and by the clock."""

from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.expr import Int64
from gxo.stdlib.data import _keys
from tests.stdlib.data.live import Live, live
from tests.stdlib.data.oracle import cut, play

Rows = list[dict[str, Any]]

values = (
    st.integers(-2, 2)
    | st.integers(2**63, 2**63 + 1)
    | st.integers(-2, 2).map(Int64)
    | st.sampled_from([0.5, 1.0, -0.0, "1", "x" * 40, "x" * 41, True, False, None])
    | st.lists(st.integers(0, 1), max_size=2)
)
rows = st.lists(st.fixed_dictionaries({}, optional={"a": values, "b": values}), max_size=30)
sizes = st.lists(st.integers(1, 7), max_size=10)


def same(one: Any, two: Any) -> bool:
    """Whether values are the same: as Python has it, but that a bool is no number."""
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
    return bool(one == two) and isinstance(one, bool) == isinstance(two, bool)


@given(rows, sizes, st.sampled_from([None, ["a"], ["b", "a"]]))
def test_each_record_goes_on_once(rows: Rows, sizes: list[int], by: list[str] | None) -> None:
    params = {} if by is None else {"by": by}
    outcome = play("data:dedupe", params, {"rows": cut(rows, sizes)})
    expected: Rows = []
    for row in rows:
        key = row if by is None else {name: row.get(name) for name in by}
        keys = [one if by is None else {name: one.get(name) for name in by} for one in expected]
        if not any(same(key, other) for other in keys):
            expected.append(row)
    assert outcome.sent == expected
    assert outcome.summary["dropped"] == len(rows) - len(expected)


def test_a_record_goes_on_again_after_some_time(tmp_path: Path) -> None:
    async def play(module: Live) -> None:
        await module.send({"n": 1}, {"n": 1})
        assert module.sent() == [{"n": 1}]
        module.clock.time += 6
        await module.send({"n": 2}, {"n": 1})
        assert module.sent() == [{"n": 2}]
        module.clock.time += 4  # 10 s after the one that was sent, 4 s after the one that was not
        await module.send({"n": 1}, {"n": 2})
        assert module.sent() == [{"n": 1}]
        module.clock.time += 6
        await module.send({"n": 1}, {"n": 2})
        assert module.sent() == [{"n": 2}]
        assert await module.finish() == {"records": 4, "dropped": 4}

    # No more than two are remembered at any time.
    params = {"within": 10.0, "limits": {"max_keys": 2}}
    live(tmp_path, "data:dedupe", params, play)


@given(rows, sizes, st.integers(1, 9))
def test_batches_hold_all_records_in_order(rows: Rows, sizes: list[int], size: int) -> None:
    outcome = play("data:batch", {"size": size}, {"rows": cut(rows, sizes)})
    assert [record["records"] for record in outcome.sent] == [
        rows[at : at + size] for at in range(0, len(rows), size)
    ]
    assert all(record["count"] == len(record["records"]) for record in outcome.sent)


def test_a_batch_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    async def play(module: Live) -> None:
        await module.send({"n": 1})
        module.clock.time += 3
        await module.send({"n": 2})
        assert module.clock.held == [5.0]
        assert module.sent() == []
        module.clock.time -= 3
        await module.wait()
        assert module.sent() == [{"records": [{"n": 1}, {"n": 2}], "count": 2}]
        module.clock.time += 60  # nothing waits
        await module.settle()
        assert module.clock.held == [5.0]
        await module.send({"n": 3}, {"n": 4}, {"n": 5}, {"n": 6})
        assert module.sent() == [{"records": [{"n": 3}, {"n": 4}, {"n": 5}], "count": 3}]
        assert module.clock.held == [5.0, 5.0]
        await module.wait()
        assert module.sent() == [{"records": [{"n": 6}], "count": 1}]
        await module.send({"n": 7})
        assert await module.finish() == {"records": 4}
        assert module.sent() == [{"records": [{"n": 7}], "count": 1}]

    live(tmp_path, "data:batch", {"size": 3, "within": 5.0}, play)


@given(
    st.integers(0, 40),
    sizes,
    st.sampled_from([{"rate": 0.3}, {"count": 5}, {"every": 4}]),
    st.integers(0, 5),
)
def test_a_sample_does_not_depend_on_batches(
    length: int, sizes: list[int], params: dict[str, Any], seed: int
) -> None:
    rows = [{"n": number} for number in range(length)]
    seeded = params if "every" in params else {**params, "seed": seed}
    whole = play("data:sample", seeded, {"rows": [rows] if rows else []}).sent
    assert play("data:sample", seeded, {"rows": cut(rows, sizes)}).sent == whole
    numbers = [record["n"] for record in whole]
    assert numbers == sorted(set(numbers))
    if "count" in params:
        assert len(numbers) == min(length, 5)
    if "every" in params:
        assert numbers == list(range(0, length, 4))


def test_each_record_has_the_same_chance() -> None:
    """Of 400 samples of 5 of 20, each record is in about 100; 4.5 deviations are 39."""
    rows = [{"n": number} for number in range(20)]
    for params in ({"count": 5}, {"rate": 0.25}):
        found: Counter[int] = Counter()
        for seed in range(400):
            sent = play("data:sample", {**params, "seed": seed}, {"rows": [rows]}).sent
            found.update(record["n"] for record in sent)
        assert all(61 <= found[number] <= 139 for number in range(20)), found


def test_without_a_seed_samples_differ() -> None:
    rows = [{"n": number} for number in range(1000)]
    one, two = (play("data:sample", {"count": 20}, {"rows": [rows]}).sent for _ in range(2))
    assert one != two


def test_integers_of_any_length_are_told_apart() -> None:
    """Also those that Python refuses to write as decimal text."""
    rows = [{"n": 10**5000 + more, "ratio": 0.5} for more in (0, 1, 0)]
    assert play("data:dedupe", {}, {"rows": rows}).sent == rows[:2]


def nested(depth: int, inmost: Any) -> Any:
    for _ in range(depth):
        inmost = {"b": [inmost, 2.0], "a": None}
    return inmost


@given(st.recursive(values, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_nested_deeply_is_told_apart_as_anything_else(value: Any) -> None:
    assert _keys._deep_content(value) == _keys.content(value)


def test_values_as_deep_as_no_function_of_pythons_goes() -> None:
    assert _keys.content(nested(5000, 1)) == _keys.content(nested(5000, 1.0))
    assert _keys.content(nested(5000, 1)) != _keys.content(nested(5000, 2))
