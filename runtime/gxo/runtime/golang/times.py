"""Go's `time.Time` and its layouts: a moment with a zone, printed and read by example.

    format_time(moment, "Mon Jan _2 15:04:05 MST 2006")      "Thu Feb 29 13:04:05 UTC 2024"
    parse_time("02 Jan 2006", "29 Feb 2024")                 the moment, None where it does not fit

The calendar is Go's: Gregorian without end, in both directions.
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from gxo.runtime.durations import NANOSECONDS, format_duration
from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import Int64, NamedInt, Native, describe, wrap

MONTHS: tuple[str, ...] = ("January", "February", "March", "April", "May", "June")
MONTHS += ("July", "August", "September", "October", "November", "December")
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_DAY = 86400

Calendar = tuple[int, int, int, int, int, int]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date; a month or day out of range carries over."""
    carry, index = divmod(month - 1, 12)
    year += carry - (index < 2)
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * ((index + 10) % 12) + 2) // 5
    return (
        era * 146097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + (day_of_year + day - 719469)
    )


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Return year, month and day of the date that many days after 1970-01-01."""
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    index = (5 * day_of_year + 2) // 153
    month = index + 3 if index < 10 else index - 9
    return year_of_era + era * 400 + (month < 3), month, day_of_year - (153 * index + 2) // 5 + 1


class Zone:
    """A time zone: `at(seconds)` is its offset from UTC in seconds, and its name, at a moment."""

    __slots__ = ("at", "name")

    def __init__(self, name: str, at: Callable[[int], tuple[int, str]]) -> None:
        self.name = name
        self.at = at


UTC = Zone("UTC", lambda _: (0, "UTC"))


def fixed_zone(name: str, offset: int) -> Zone:
    """Return a zone of one offset; without a name it prints as its offset."""
    return Zone(name, lambda _: (offset, name))


def load_zone(name: str) -> Zone:
    """Return a zone of the time zone database. As in Go, an unknown name is UTC. Jobs have no local
    time (they mean the same on every host), so `Local` is UTC too."""
    if name in ("", "UTC", "Local"):
        return UTC
    from datetime import UTC as PYTHON_UTC  # zones are rare, and cost
    from datetime import datetime
    from zoneinfo import ZoneInfo, available_timezones

    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        if not available_timezones():
            raise ExpressionError(
                f"the time zone {name} is unknown: this host has no time zone database",
                hint="install the package tzdata",
            ) from None
        return UTC

    def at(seconds: int) -> tuple[int, str]:
        inside = min(max(seconds, -62135500000), 253402200000)
        moment = datetime.fromtimestamp(inside, PYTHON_UTC).astimezone(zone)
        offset = moment.utcoffset()
        return (int(offset.total_seconds()) if offset else 0), moment.tzname() or ""

    return Zone(name, at)


class Month(NamedInt):
    """A month, which prints as its English name."""

    __slots__ = ()
    GO_TYPE = "time.Month"

    def __str__(self) -> str:
        return MONTHS[self - 1]


class Weekday(NamedInt):
    """A day of the week, Sunday being 0, which prints as its English name."""

    __slots__ = ()
    GO_TYPE = "time.Weekday"

    def __str__(self) -> str:
        return WEEKDAYS[self]


class Duration(NamedInt):
    """A number of nanoseconds, which prints as `1h30m0s`."""

    __slots__ = ()
    GO_TYPE = "time.Duration"
    METHODS: ClassVar[dict[str, Callable[..., Any]]] = {
        "Hours": lambda duration: duration / (3600 * NANOSECONDS),
        "Minutes": lambda duration: duration / (60 * NANOSECONDS),
        "Seconds": lambda duration: duration / NANOSECONDS,
        "Milliseconds": lambda duration: Int64(int(duration / 1_000_000)),
        "Microseconds": lambda duration: Int64(int(duration / 1000)),
        "Nanoseconds": lambda duration: Int64(duration),
        "String": lambda duration: str(duration),
    }

    def __str__(self) -> str:
        return format_duration(int(self))


class Time(Native):
    """A moment: seconds since 1970-01-01 in UTC, nanoseconds, and the zone it is shown in."""

    __slots__ = ("nanoseconds", "seconds", "zone")
    GO_TYPE = "time.Time"
    METHODS: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(self, seconds: int, nanoseconds: int = 0, zone: Zone = UTC) -> None:
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.zone = zone

    def __str__(self) -> str:
        return format_time(self, "2006-01-02 15:04:05.999999999 -0700 MST")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and (self.key(), self.zone.name) == (
            other.key(),
            other.zone.name,
        )

    def __hash__(self) -> int:
        return hash(self.key())

    def key(self) -> tuple[int, int]:
        """Return what orders moments."""
        return self.seconds, self.nanoseconds

    def calendar(self) -> Calendar:
        """Return year, month, day, hour, minute, second where it is shown."""
        days, rest = divmod(self.seconds + self.offset(), _DAY)
        hour, rest = divmod(rest, 3600)
        return (*civil_from_days(days), hour, *divmod(rest, 60))

    def offset(self) -> int:
        return self.zone.at(self.seconds)[0]

    def weekday(self) -> int:
        return ((self.seconds + self.offset()) // _DAY + 4) % 7

    def year_day(self) -> int:
        year, month, day = self.calendar()[:3]
        return days_from_civil(year, month, day) - days_from_civil(year, 1, 1) + 1

    def plus(self, nanoseconds: int) -> "Time":
        """Return the moment that many nanoseconds later."""
        carry, rest = divmod(self.nanoseconds + nanoseconds, NANOSECONDS)
        return Time(self.seconds + carry, rest, self.zone)

    def within(self, zone: Zone) -> "Time":
        """Return the same moment shown in another zone."""
        return Time(self.seconds, self.nanoseconds, zone)

    def json_text(self) -> str:
        return format_time(self, RFC3339)


RFC3339 = "2006-01-02T15:04:05.999999999Z07:00"
ZERO = Time(days_from_civil(1, 1, 1) * _DAY)
"""Go's zero time, which stands for none."""


def from_calendar(fields: Calendar, nanoseconds: int, zone: Zone) -> Time:
    """Return the moment that a zone's clocks show; fields out of range carry over."""
    year, month, day, hour, minute, second = fields
    local = days_from_civil(year, month, day) * _DAY + hour * 3600 + minute * 60 + second
    offset = zone.at(local)[0]
    if offset:
        offset = zone.at(local - offset)[0]
    return Time(local - offset, nanoseconds, zone)


# Layouts ---------------------------------------------------------------------------------------

LAYOUT = re.compile(
    "January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm"
    "|[-Z](?:07:00:00|070000|07:00|0700|07)|[.,](?:0+|9+)(?![0-9])"
)


def format_time(moment: Time, layout: str) -> str:
    """Return a moment as the layout shows Mon Jan 2 15:04:05 MST 2006."""
    fields = moment.calendar()
    return LAYOUT.sub(lambda match: _format_part(moment, fields, match[0]), layout)


def _format_part(moment: Time, fields: Calendar, part: str) -> str:
    if part[0] in ".,":
        return _format_fraction(moment.nanoseconds, part)
    if part[0] in "-Z" or part == "MST":
        offset, name = moment.zone.at(moment.seconds)
        return name if part == "MST" and name else _format_offset(offset, part)
    if part[0] in "JM":
        names, index = (MONTHS, fields[1] - 1) if part[0] == "J" else (WEEKDAYS, moment.weekday())
        return names[index] if len(part) > 3 else names[index][:3]
    if part[0] in "Pp":
        letters = "PM" if fields[3] >= 12 else "AM"
        return letters if part == "PM" else letters.lower()
    number, form = _number_of(moment, fields, part)
    return f"{number:{form}}"


def _number_of(moment: Time, fields: Calendar, part: str) -> tuple[int, str]:
    """Return the number that a part of a layout stands for, and its format."""
    year, month, day, hour, minute, second = fields
    if part in ("002", "__2"):
        return moment.year_day(), "03" if part == "002" else "3"
    if part == "2006":
        return year, "04" if year >= 0 else "05"
    if part == "06":
        return abs(year) % 100, "02"
    if part == "15":
        return hour, "02"
    numbers = {"1": month, "2": day, "3": hour % 12 or 12, "4": minute, "5": second}
    form = "" if len(part) == 1 else "02" if part[0] == "0" else "2"
    return numbers[part[-1]], form


def _format_fraction(nanoseconds: int, part: str) -> str:
    digits = f"{nanoseconds:09}"[: len(part) - 1]
    if part[1] == "9":
        digits = digits.rstrip("0")
        return part[0] + digits if digits else ""
    return part[0] + digits.ljust(len(part) - 1, "0")


def _format_offset(offset: int, part: str) -> str:
    if part[0] == "Z" and offset == 0:
        return "Z"
    sign = "-" if offset < 0 else "+"
    minutes, seconds = divmod(abs(offset), 60)
    hours, minutes = divmod(minutes, 60)
    shown = [f"{sign}{hours:02}", f"{minutes:02}", f"{seconds:02}"]
    pairs = 2 if part == "MST" else (len(part.replace(":", "")) - 1) // 2
    return (":" if ":" in part else "").join(shown[:pairs])


def to_time(value: Any, what: str) -> Time:
    """Return a time value, or the moment that an RFC 3339 text names (what `now` gives)."""
    if isinstance(value, Time):
        return value
    if isinstance(value, str):
        from gxo.runtime.golang.time_parse import parse_time  # most times are not read from a text

        moment = parse_time("2006-01-02T15:04:05Z07:00", value)
        if moment is not None:
            return moment
    raise ExpressionError(
        f"{what} wants a time, not {describe(value)}", hint='make one with toDate "2006-01-02"'
    )


def _truncated(moment: Time, duration: int) -> Time:
    total = (moment.seconds - ZERO.seconds) * NANOSECONDS + moment.nanoseconds
    return moment.plus(-(total % duration)) if duration > 0 else moment


def _with_date(moment: Time, years: int, months: int, days: int) -> Time:
    year, month, day, *clock = moment.calendar()
    hour, minute, second = clock
    fields = (year + years, month + months, day + days, hour, minute, second)
    return from_calendar(fields, moment.nanoseconds, moment.zone)


def _between(left: Time, right: Any) -> Duration:
    other = to_time(right, "Sub")
    seconds, nanoseconds = left.seconds - other.seconds, left.nanoseconds - other.nanoseconds
    limit = (1 << 63) - 1
    return Duration(max(-limit - 1, min(limit, seconds * NANOSECONDS + nanoseconds)))


Time.METHODS.update(
    {
        "Year": lambda moment: moment.calendar()[0],
        "Month": lambda moment: Month(moment.calendar()[1]),
        "Day": lambda moment: moment.calendar()[2],
        "Hour": lambda moment: moment.calendar()[3],
        "Minute": lambda moment: moment.calendar()[4],
        "Second": lambda moment: moment.calendar()[5],
        "Nanosecond": lambda moment: moment.nanoseconds,
        "Weekday": lambda moment: Weekday(moment.weekday()),
        "YearDay": lambda moment: moment.year_day(),
        "Unix": lambda moment: Int64(moment.seconds),
        "UnixMilli": lambda moment: Int64(moment.seconds * 1000 + moment.nanoseconds // 1_000_000),
        "UnixMicro": lambda moment: Int64(moment.seconds * 1_000_000 + moment.nanoseconds // 1000),
        "UnixNano": lambda moment: wrap(moment.seconds * NANOSECONDS + moment.nanoseconds),
        "Format": lambda moment, layout: format_time(moment, layout),
        "String": str,
        "UTC": lambda moment: moment.within(UTC),
        "Local": lambda moment: moment.within(UTC),
        "Add": lambda moment, duration: moment.plus(duration),
        "AddDate": _with_date,
        "Sub": _between,
        "Truncate": _truncated,
        "IsZero": lambda moment: moment.key() == ZERO.key(),
        "After": lambda moment, other: moment.key() > to_time(other, "After").key(),
        "Before": lambda moment, other: moment.key() < to_time(other, "Before").key(),
        "Equal": lambda moment, other: moment.key() == to_time(other, "Equal").key(),
    }
)
