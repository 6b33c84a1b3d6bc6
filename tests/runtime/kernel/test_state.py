"""Copies of state, and what a reader can and cannot change."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime import Context, Job, deep_copy
from gxo.runtime.jsontext import to_json
from tests.runtime.kernel.harness import Stage, play

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def containers(value: Any) -> list[int]:
    """The identities of all lists and maps in a value without cycles."""
    if isinstance(value, dict):
        return [id(value)] + [one for item in value.values() for one in containers(item)]
    if isinstance(value, list):
        return [id(value)] + [one for item in value for one in containers(item)]
    return []


@given(VALUES)
def test_a_copy_is_equal_and_shares_no_container(value: Any) -> None:
    copy = deep_copy(value)
    assert copy == value
    assert not set(containers(copy)) & set(containers(value))


def test_a_cycle_stays_a_cycle() -> None:
    value: dict[str, Any] = {"list": [1]}
    value["list"].append(value)
    value["again"] = value["list"]
    copy = deep_copy(value)
    assert copy is not value
    assert copy["list"][1] is copy
    assert copy["again"] is copy["list"]
    assert copy["list"] is not value["list"]


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    copy = deep_copy(value)
    depth = 0
    while copy:
        copy, depth = copy[0], depth + 1
    assert depth == 100_000
    while value:  # taken apart by hand, as the interpreter's own way of freeing it is recursive
        value = value.pop()


def test_what_is_no_list_or_map_is_not_copied() -> None:
    handle = object()
    assert deep_copy({"handle": handle})["handle"] is handle


@pytest.mark.parametrize(("copied", "expected"), [(True, [1, 2]), (False, [1, 2, "changed"])])
def test_only_a_copy_protects_the_state(copied: bool, expected: list[Any]) -> None:
    job = Job("case")

    @job.workload("a", register="a")
    async def a(ctx: Context) -> dict[str, Any]:
        return {"rows": [1, 2]}

    @job.workload("b", after=["a"])
    async def b(ctx: Context) -> dict[str, Any]:
        rows = ctx.state["a"]["rows"]
        (deep_copy(rows) if copied else rows).append("changed")
        return {}

    played = play(job, Stage())
    assert played.run.state["a"] == {"rows": expected}


def test_json_of_anything() -> None:
    rows: list[Any] = [1]
    rows.append(rows)
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    text = to_json(
        {"rows": rows, "nan": float("nan"), "raw": b"a\xff", ("k", 1): {2}, "deep": deep}
    )
    assert text.startswith(
        '{"rows": [1, "[circular]"], "nan": "nan", "raw": "a\udcff", "(\'k\', 1)": [2], "deep": [[['
    )
    assert "[nested too deeply]" in text


@given(VALUES.filter(lambda value: "inf" not in repr(value)))
def test_json_of_plain_data_is_json(value: Any) -> None:
    assert json.loads(to_json(value)) == value


def test_a_redacted_summary_may_contain_itself_and_many_secrets() -> None:
    job = Job("case", secrets=["TOKEN"])

    @job.workload("a", register="a", secrets=["TOKEN"])
    async def a(ctx: Context) -> dict[str, Any]:
        summary: dict[str, Any] = {f"field{number}": ctx.secret("TOKEN") for number in range(100)}
        summary["self"] = summary
        return summary

    @job.workload("b", after=["a"])
    async def b(ctx: Context) -> dict[str, Any]:
        assert ctx.state["a"]["self"]["field7"] == "[REDACTED_SECRET]"
        assert ctx.state["a"]["field8"] == "[REDACTED_SECRET]"
        return {}

    played = play(job, Stage(), environment={"TOKEN": "s3cr3t-value"})
    assert played.code == 0
    assert played.log.count("is redacted in a.field0, a.field1, a.field2, a.field3, a.field4 ") == 1
