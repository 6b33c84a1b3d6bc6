"""What cron expressions mean; what is no expression is tested where the compiler says so."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.cron import WORDS, CronError, parse_cron

ALL = {
    "minutes": set(range(60)),
    "hours": set(range(24)),
    "days": set(range(1, 32)),
    "months": set(range(1, 13)),
    "weekdays": set(range(7)),
}


@pytest.mark.parametrize(
    ("text", "restricted"),
    [
        ("* * * * *", {}),
        ("*/1 * * * */1", {}),
        ("*/20 * * * *", {"minutes": {0, 20, 40}}),
        ("5,10-12,50-59/3 07 * * *", {"minutes": {5, 10, 11, 12, 50, 53, 56, 59}, "hours": {7}}),
        ("* 9-17/4 * * *", {"hours": {9, 13, 17}}),
        ("* * */10 * *", {"days": {1, 11, 21, 31}}),
        ("* * * jan,JUN-Aug *", {"months": {1, 6, 7, 8}}),
        ("* * * */3 *", {"months": {1, 4, 7, 10}}),
        ("* * * * MON-FRI", {"weekdays": {1, 2, 3, 4, 5}}),
        ("* * * * FRI-SUN", {"weekdays": {5, 6, 0}}),
        ("* * * * 5-7", {"weekdays": {5, 6, 0}}),
        ("* * * * 0", {"weekdays": {0}}),
        ("* * * * 7", {"weekdays": {0}}),
        ("* * * * SUN-TUE", {"weekdays": {0, 1, 2}}),
        ("\t0  0 *  * *  ", {"minutes": {0}, "hours": {0}}),
        ("@hourly", {"minutes": {0}}),
        ("@weekly", {"minutes": {0}, "hours": {0}, "weekdays": {0}}),
        ("@yearly", {"minutes": {0}, "hours": {0}, "days": {1}, "months": {1}}),
    ],
)
def test_values(text: str, restricted: dict[str, set[int]]) -> None:
    found = parse_cron(text)
    assert {name: set(getattr(found, name)) for name in ALL} == ALL | restricted
    assert not found.either


def test_words_are_expressions() -> None:
    assert [parse_cron(word) for word in WORDS] == [parse_cron(text) for text in WORDS.values()]


@pytest.mark.parametrize(
    ("text", "either", "fires"),
    [
        ("0 0 13 * FRI", True, True),
        ("0 0 31 2 FRI", True, True),
        ("0 0 31 2 *", False, False),
        ("0 0 31 2 */2", False, False),
        ("0 0 */30 2 5", False, True),
        ("0 0 30-31 2 *", False, False),
        ("0 0 29 2 *", False, True),
        ("0 0 31 4,6,9,11 *", False, False),
        ("0 0 31 4-5 *", False, True),
    ],
)
def test_days(text: str, either: bool, fires: bool) -> None:
    found = parse_cron(text)
    assert (found.either, found.fires) == (either, fires)


@given(st.text(alphabet="0123456789*/,-@ \t\nMONFRIJ?L\u0664", max_size=30))
def test_any_text_is_read_or_refused_at_its_place(text: str) -> None:
    try:
        found = parse_cron(text)
    except CronError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert str(error)
        assert error.hint
    else:
        assert all(found[:5])


@pytest.mark.parametrize(
    ("text", "zone", "moment", "fires"),
    [
        ("*/15 * * * *", "UTC", "2026-01-31T12:00:00", "2026-01-31T12:15:00"),
        ("*/15 * * * *", "UTC", "2026-01-31T12:14:59.5", "2026-01-31T12:15:00"),
        ("0 0 29 2 *", "UTC", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 29 2 *", "UTC", "2096-03-01T00:00:00", "2104-02-29T00:00:00"),
        ("0 9 1 * MON", "UTC", "2026-01-31T12:00:00", "2026-02-01T09:00:00"),
        ("0 9 */30 * MON", "UTC", "2026-01-31T12:00:00", "2026-06-01T09:00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-30T02:30:00"),  # left out
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T02:29:00", "2026-10-25T02:30:00"),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T02:30:00",
            "2026-10-26T02:30:00",
        ),  # comes twice
    ],
)
def test_the_next_time(text: str, zone: str, moment: str, fires: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    assert parse_cron(text).next_after(at).replace(tzinfo=None).isoformat() == fires


def test_there_is_no_next_time_of_what_never_fires() -> None:
    with pytest.raises(ValueError, match="never fires"):
        parse_cron("0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_every_minute_fires_within_the_next_one_that_there_is(moment: datetime, zone: str) -> None:
    at = moment.replace(tzinfo=ZoneInfo(zone))
    passed = parse_cron("* * * * *").next_after(at).astimezone(UTC) - at.astimezone(UTC)
    assert timedelta() < passed <= timedelta(minutes=61)
