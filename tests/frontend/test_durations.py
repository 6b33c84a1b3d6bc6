"""Go's duration strings and sizes in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.frontend.durations import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("-0", 0.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("5.s", 5.0),
        ("2us", 2e-6),
        ("2µs", 2e-6),
        ("2μs", 2e-6),
        ("1ns", 1e-9),
        ("+1m1m", 120.0),
        ("-1.5h", -5400.0),
        ("0.1s", 0.1),
        ("1h0m0.001s", 3600.001),
        ("00000000000000000000000000000000000000000000000001s", 1.0),
        ("9223372036854775807ns", 9223372036.854775807),
        ("1.00000000000000000000000000000000000000000000000009s", 1.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "1", "s", ".s", "1 s", " 1s", "1s ", "1d", "1S", "1h-1m", "1s\n", "٣s", "1e3s"),
        *("--1s", "9223372036854775808ns", "300y", "10000000h", "9" * 5000 + "h"),
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(0, 10**9), st.sampled_from([("ms", 1e3), ("s", 1), ("us", 1e6)]))
def test_whole_numbers_of_a_unit(number: int, unit: tuple[str, float]) -> None:
    assert parse_duration(f"{number}{unit[0]}") == number / unit[1]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("1B", 1),
        ("64KB", 64_000),
        ("64KiB", 65_536),
        ("1.5MiB", 1_572_864),
        ("2 GB", 2_000_000_000),
        ("1TiB", 2**40),
        ("0.3KB", 300),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "KB", "-1", "1kb", "1K", "1,5MB", "1.MB", "MiB1", "9" * 5000])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
