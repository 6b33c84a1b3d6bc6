"""Text in columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.reporting.text import columns, fit


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("fetch", 5, "fetch"),
        ("fetch", 4, "fet…"),
        ("fetch", 1, "…"),
        ("fetch", 0, ""),
        ("", 0, ""),
        ("注文を読む", 10, "注文を読む"),
        ("注文を読む", 9, "注文を読…"),
        ("注文を読む", 6, "注文…"),
        ("cafe\u0301", 4, "cafe\u0301"),
        ("ab\u200bc", 3, "ab\u200bc"),
    ],
)
def test_fit(text: str, most: int, expected: str) -> None:
    assert fit(text, most) == expected


@given(st.text(), st.integers(0, 20))
def test_it_is_never_wider(text: str, most: int) -> None:
    found = fit(text, most)
    assert columns(found) <= most
    assert found == text or columns(text) > most
