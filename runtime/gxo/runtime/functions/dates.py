"""Sprig's date functions. Layouts and durations are Go's, the time zone is UTC unless one is named.

A date is a time value (`toDate`, `dateModify`), an int of seconds since 1970, or the text of `now`.
"""

from typing import Any

from gxo.runtime.durations import NANOSECONDS, format_duration, parse_duration
from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import Int64, describe, wrap
from gxo.runtime.functions import function
from gxo.runtime.golang.time_parse import parse_time
from gxo.runtime.golang.times import UTC, ZERO, Time, format_time, load_zone, to_time
from gxo.runtime.host.clock import Process

_HTML = "2006-01-02"
_LARGEST = (1 << 63) - 1


def _moment(value: object, what: str) -> Time:
    if isinstance(value, int) and not isinstance(value, bool):
        return Time(int(value))
    return to_time(value, what)


@function("date")
def date(layout: str, value: Any) -> str:
    """Return a date in a Go layout: `date "2006-01-02" 1700000000`."""
    return format_time(_moment(value, "date").within(UTC), layout)


@function("dateInZone", "date_in_zone")
def date_in_zone(layout: str, value: Any, zone: str) -> str:
    """Return a date in a Go layout as clocks show it in a zone such as `Europe/Paris`."""
    return format_time(_moment(value, "dateInZone").within(load_zone(zone)), layout)


@function("htmlDate")
def html_date(value: Any) -> str:
    """Return a date as HTML's date inputs have it: 2006-01-02."""
    return format_time(_moment(value, "htmlDate").within(UTC), _HTML)


@function("htmlDateInZone")
def html_date_in_zone(value: Any, zone: str) -> str:
    """Return a date in a zone as HTML's date inputs have it: 2006-01-02."""
    return format_time(_moment(value, "htmlDateInZone").within(load_zone(zone)), _HTML)


@function("toDate")
def to_date(layout: str, text: str) -> Time:
    """Return the time value that a text means in a Go layout; the year 1 where it does not fit."""
    return parse_time(layout, text) or ZERO


@function("mustToDate")
def must_to_date(layout: str, text: str) -> Time:
    """Return the time value that a text means in a Go layout."""
    moment = parse_time(layout, text)
    if moment is None:
        raise ExpressionError(f"mustToDate: {describe(text)} does not fit the layout {layout}")
    return moment


@function("dateModify", "date_modify")
def date_modify(duration: str, value: Any) -> Time:
    """Return a time value moved by a duration such as `-1h30m`; as it is if that is none."""
    return to_time(value, "dateModify").plus(parse_duration(duration) or 0)


@function("mustDateModify", "must_date_modify")
def must_date_modify(duration: str, value: Any) -> Time:
    """Return a time value moved by a duration such as `-1h30m`."""
    nanoseconds = parse_duration(duration)
    if nanoseconds is None:
        raise ExpressionError(f"mustDateModify: {describe(duration)} is no duration such as 1h30m")
    return to_time(value, "mustDateModify").plus(nanoseconds)


@function("unixEpoch")
def unix_epoch(value: Any) -> str:
    """Return the seconds since 1970 of a time value, as text."""
    return str(to_time(value, "unixEpoch").seconds)


@function("ago", pure=False)
def ago(value: Any) -> str:
    """Return how long ago a date was, in whole seconds: `1h2m3s`."""
    passed = _since(_moment(value, "ago"))
    sign = -1 if passed < 0 else 1
    rounded = (abs(passed) + NANOSECONDS // 2) // NANOSECONDS * NANOSECONDS
    return format_duration(sign * rounded)


def _since(moment: Time) -> int:
    now = round(Process.clock.seconds() * NANOSECONDS)
    return now - moment.seconds * NANOSECONDS - moment.nanoseconds


@function("duration")
def duration(seconds: Any) -> str:
    """Return seconds, given as text or as the result of a calculation, as `1h2m3s`."""
    count = 0
    if isinstance(seconds, str):
        digits = seconds[1:] if seconds[:1] in ("+", "-") else seconds
        count = int(seconds) if digits.isascii() and digits.isdecimal() and digits else 0
        count = max(-_LARGEST - 1, min(_LARGEST, count))
    elif isinstance(seconds, Int64):
        count = int(seconds)
    return format_duration(wrap(count * NANOSECONDS))


_UNITS = (
    ("y", 365 * 24 * 3600),
    ("mo", 30 * 24 * 3600),
    ("d", 24 * 3600),
    ("h", 3600),
    ("m", 60),
    ("s", 1),
)


@function("durationRound", pure=False)
def duration_round(value: Any) -> str:
    """Return the largest unit of a duration, or of the time since a date: `3h`, `2d`, `5mo`."""
    nanoseconds = 0
    if isinstance(value, str):
        nanoseconds = parse_duration(value) or 0
    elif isinstance(value, Int64):
        nanoseconds = int(value)
    elif isinstance(value, Time):
        nanoseconds = _since(value)
    for unit, seconds in _UNITS:
        if abs(nanoseconds) > seconds * NANOSECONDS:
            return f"{abs(nanoseconds) // (seconds * NANOSECONDS)}{unit}"
    return "0s"
