"""What is written to a journal is read back as it was, or is said not to be."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.expr import Int64, NilList
from gxo.runtime.golang.times import Duration, Month, Time
from gxo.runtime.journal.values import InexactError, read, written

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers().map(Int64),
    st.floats(),
    st.text(st.characters()),  # with lone surrogates, which stand for bytes that are no UTF-8
    st.just(NilList()),
)
KEYS = st.one_of(st.text(), st.sampled_from(["$int64", "$nil", "$map", "$"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(KEYS, inner)), max_leaves=30
)


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal, of the same types, in the same order."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return (math.isnan(left) and math.isnan(right)) or repr(left) == repr(right)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        pairs = zip(left.items(), right.items(), strict=False)
        return len(left) == len(right) and all(same(list(a), list(b)) for a, b in pairs)
    return bool(left == right)


@given(VALUES)
def test_values_come_back(value: Any) -> None:
    try:
        json_value = written(value)
    except InexactError:
        assert "\\ud" in json.dumps(value, default=str)  # halves that JSON would join
        return
    assert same(read(json.loads(json.dumps(json_value))), value)


class Text(str):
    """A text that can do more."""


CYCLE: list[Any] = []
CYCLE.append({"self": CYCLE})


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        (1, 2),
        {1, 2},
        {1: "a number as key"},
        {Text("a"): 1},
        Text("a"),
        Month(3),
        Duration(5),
        Time(0),
        NilList([1]),
        10**5000,
        "\ud83d" + "\ude00",
        {"\ud83d" + "\ude00": 1},
        CYCLE,
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_exact_form(value: Any) -> None:
    with pytest.raises(InexactError):
        written({"at": [value]})


def test_a_deep_value_is_no_crash() -> None:
    value: Any = "bottom"
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InexactError):
        written(value)
