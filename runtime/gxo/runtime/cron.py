"""Cron expressions: five fields, or a word such as `@hourly`.

    */15 9-17 * * MON-FRI     every quarter of an hour from 9:00 to 17:45, from Monday to Friday
    @daily                    0 0 * * *

Fields are minute, hour, day of the month, month and day of the week; each is a list of values and
ranges, with steps. Where both kinds of days are restricted, a day fits that is in either of them,
as in every cron. The compiler refuses what is no such expression, or never fires; what it lets
through means the same to whoever runs it.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

WORDS: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MOST_DAYS = 366 * 41
"""In which each day of a month, a 29 February too, is each day of the week once."""
FORM = "minute, hour, day of the month, month and day of the week"


class CronError(ValueError):
    """What is wrong with `text[start:end]`, and what to do. Its text is for the user.

    choices: what that word may have been meant to be.
    """

    def __init__(
        self, message: str, start: int, end: int, hint: str, choices: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.hint = hint
        self.choices = choices


class Cron(NamedTuple):
    """The values that each field lets through; 0 is Sunday.

    either: a day fits when it is in `days` or in `weekdays`; else it must be in both.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @property
    def fires(self) -> bool:
        """Whether there is any such day: there is no 31 February, and a 29th every few years."""
        return self.either or any(
            day <= _LENGTHS[month - 1] for month in self.months for day in self.days
        )

    def next_after(self, moment: "datetime") -> "datetime":
        """The first minute after the moment that it lets through, in the moment's time zone.

        ValueError when there is none. An hour that a change of clocks leaves out has none.
        """
        from datetime import UTC, datetime, timedelta  # start-up: to read one needs none of it

        for days in range(_MOST_DAYS):
            date = moment.date() + timedelta(days=days)
            if not self._lets_through(date):
                continue
            for hour, minute in product(sorted(self.hours), sorted(self.minutes)):
                found = datetime(
                    date.year, date.month, date.day, hour, minute, tzinfo=moment.tzinfo
                )
                exact = found.astimezone(UTC)
                if exact > moment.astimezone(UTC) and exact.astimezone(moment.tzinfo) == found:
                    return found
        raise ValueError("the schedule never fires")

    def _lets_through(self, date: "date") -> bool:
        by_day, by_weekday = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        fits = by_day or by_weekday if self.either else by_day and by_weekday
        return fits and date.month in self.months


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    """Names of the values, from `low` on."""


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _WEEKDAYS),
)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MOST_DIGITS = 4


def parse_cron(text: str) -> Cron:
    """What a cron expression means. CronError when it is none."""
    if text.startswith("@"):
        if text not in WORDS:
            hint = f"one of: {', '.join(WORDS)}; or five fields: {FORM}"
            raise CronError(f'there is no schedule "{text}"', 0, len(text), hint, tuple(WORDS))
        text = WORDS[text]
    found = list(re.finditer(r"[^ \t]+", text))
    if len(found) != len(_FIELDS):
        message = f"a cron expression has 5 fields, not {len(found)}"
        raise CronError(message, 0, len(text), f"they are {FORM}")
    minutes, hours, days, months, weekdays = (
        _values(match.group(), field, match.start())
        for match, field in zip(found, _FIELDS, strict=True)
    )
    either = not found[2].group().startswith("*") and not found[4].group().startswith("*")
    sunday_first = frozenset(day % 7 for day in weekdays)
    return Cron(minutes, hours, days, months, sunday_first, either)


def _values(text: str, field: _Field, start: int) -> frozenset[int]:
    """The values of one field, which begins at offset `start` of the expression."""
    values: set[int] = set()
    for part in text.split(","):
        values.update(_range(part, field, start))
        start += len(part) + 1
    return frozenset(values)


def _range(text: str, field: _Field, start: int) -> range:
    """The values of `*`, `5`, `1-5` or `MON-FRI`, each perhaps with a step: `*/15`."""
    body, slash, step = text.partition("/")
    low, high = _bounds(body, field, start)
    if not slash:
        return range(low, high + 1)
    if low == high:
        message = f"a step needs a range, and {body} is one value"
        hint = f"write {body}-{field.high}/{step}"
        raise CronError(message, start, start + len(text), hint)
    return range(low, high + 1, _step(step, high - low, start + len(body) + 1))


def _bounds(text: str, field: _Field, start: int) -> tuple[int, int]:
    """The first and the last value of what stands before a step."""
    if text == "*":
        return field.low, field.high
    first, dash, last = text.partition("-")
    low = _value(first, field, start)
    high = _value(last, field, start + len(first) + 1) if dash else low
    if high == 0 < low and field.words == _WEEKDAYS:
        high = 7  # FRI-SUN
    if high < low:
        message = f"the range {text} runs backwards"
        hint = f"write two ranges: {first}-{field.high},{field.low}-{last}"
        raise CronError(message, start, start + len(text), hint)
    return low, high


def _value(text: str, field: _Field, start: int) -> int:
    """One value: a number, or one of the field's names in any case."""
    end = start + len(text)
    between = f"from {field.low} to {field.high}"
    if re.fullmatch(r"[0-9]+", text):
        number = int(text[:_MOST_DIGITS])
        if len(text) <= _MOST_DIGITS and field.low <= number <= field.high:
            return number
        message = f"{text} is no {field.name}"
        raise CronError(message, start, end, f"it is a number {between}")
    if text.upper() in field.words:
        return field.low + field.words.index(text.upper())
    named = f", or {', '.join(field.words)}" if field.words else ""
    hint = f"it is *, or a number {between}{named}; lists, ranges and steps are made of these"
    message = f'"{text}" is no {field.name}' if text else f"the {field.name} is missing"
    raise CronError(message, start, end, hint, field.words)


def _step(text: str, distance: int, start: int) -> int:
    end = start + len(text)
    if not re.fullmatch(r"0*[1-9][0-9]*", text):
        message = f'"{text}" is no step' if text else "a step is missing"
        raise CronError(message, start, end, "it is a number of at least 1, as in */15")
    step = int(text[:_MOST_DIGITS])
    if len(text) > _MOST_DIGITS or step > distance:
        message = f"a step of {text} is longer than its range"
        raise CronError(message, start, end, "leave it out, and write the one value that is left")
    return step
