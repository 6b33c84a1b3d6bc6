"""Go's layouts, zones and calendar."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.errors import ExpressionError
from gxo.runtime.functions import dates
from gxo.runtime.golang.time_parse import parse_time
from gxo.runtime.golang.times import (
    UTC,
    Time,
    civil_from_days,
    days_from_civil,
    format_time,
    load_zone,
)
from tests.runtime.functions.test_cases import rows

FORM = "Monday Jan _2 15:04:05.999999999 2006 MST -07:00:00 002 3pm Z0700 06"


@pytest.mark.parametrize(
    "row", rows("times.jsonl"), ids=lambda row: f"{row['layout']}|{row['text']}"
)
def test_reading(row: dict[str, Any]) -> None:
    moment = parse_time(row["layout"], row["text"])
    if "fails" in row:
        assert moment is None
        return
    assert moment is not None
    assert str(moment) == row["prints"]
    assert format_time(moment, FORM) == row["formatted"]
    methods = moment.METHODS
    parts = [str(methods[name](moment)) for name in ("YearDay", "Weekday", "UnixNano")]
    assert " ".join(parts) == row["parts"]


@given(st.integers(-(10**8), 10**8))
def test_the_calendar_goes_both_ways(days: int) -> None:
    assert days_from_civil(*civil_from_days(days)) == days


@given(st.integers(-62135596800, 253402300799), st.integers(0, 999_999_999))
def test_what_is_written_can_be_read(seconds: int, nanoseconds: int) -> None:
    layout = "2006-01-02T15:04:05.999999999Z07:00"
    moment = Time(seconds, nanoseconds)
    assert parse_time(layout, format_time(moment, layout)) == moment


def test_zones_follow_the_database() -> None:
    zone = load_zone("Europe/Paris")
    assert zone.at(1720000000) == (7200, "CEST")
    assert zone.at(1700000000) == (3600, "CET")
    assert load_zone("No/Such") is UTC


def test_the_clock_is_only_asked_where_it_must() -> None:
    assert dates.ago(dates.to_date("2006", "2001")).endswith("s")
    with pytest.raises(ExpressionError, match="wants a time, not nil"):
        dates.date("2006", None)
