"""About how large a value is, without a look at all of it where it is large."""

from typing import Any

import pytest

from gxo.runtime.host.eventloop import LARGE
from gxo.runtime.host.weight import weight


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 10),
        (5, 10),
        ("abc", 13),
        (b"abc", 13),
        ([], 10),
        ([1, "abc"], 33),
        ({"name": "abc", "tags": ["x", "y"]}, 55),
        ([{"a": {"b": ("x",)}}], 51),
    ],
)
def test_each_part_counts_and_its_characters(value: Any, expected: int) -> None:
    assert weight(value) == expected


class Untouched(list[Any]):
    """A list that does not want to be gone through."""

    def __iter__(self) -> Any:
        raise AssertionError("it was gone through")


def test_a_long_list_is_not_gone_through() -> None:
    assert weight(["x" * LARGE, Untouched([1])]) > LARGE
    assert weight(Untouched(range(LARGE))) > LARGE
