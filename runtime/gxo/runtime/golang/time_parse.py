"""Read a time by a Go layout: see `gotime` for what a layout is."""

from gxo.runtime.golang.times import (
    LAYOUT,
    MONTHS,
    UTC,
    WEEKDAYS,
    Time,
    days_from_civil,
    fixed_zone,
    from_calendar,
)

_DIGITS = "0123456789"


def parse_time(layout: str, text: str) -> Time | None:
    """Return the moment that a text means in a layout, None where it does not fit.

    What the layout does not show is the first moment of the year 0 in UTC, as in Go.
    """
    try:
        return _Reader(layout, text).read()
    except _Mismatch:
        return None


class _Mismatch(Exception):  # noqa: N818 - never leaves this file
    """The text does not fit the layout."""


class _Reader:
    """What is left of the text, and what has been read from it."""

    def __init__(self, layout: str, text: str) -> None:
        self.layout = layout
        self.rest = text
        self.fields: dict[str, int] = {}
        self.half = ""
        self.offset: int | None = None
        self.zone = ""
        self.is_utc = False

    def read(self) -> Time:
        at = 0
        parts = [*LAYOUT.finditer(self.layout)]
        for index, match in enumerate(parts):
            self.skip(self.layout[at : match.start()])
            following = parts[index + 1] if index + 1 < len(parts) else None
            self.part(match[0], following is not None and following[0][0] in ".,")
            at = match.end()
        self.skip(self.layout[at:])
        if self.rest:
            raise _Mismatch
        return self.moment()

    def skip(self, literal: str) -> None:
        """Take the text between two parts; a run of spaces stands for any number of them."""
        while literal:
            if literal[0] == " ":
                if self.rest and self.rest[0] != " ":
                    raise _Mismatch
                literal, self.rest = literal.lstrip(" "), self.rest.lstrip(" ")
            elif self.rest[:1] == literal[0]:
                literal, self.rest = literal[1:], self.rest[1:]
            else:
                raise _Mismatch

    def part(self, part: str, fraction_follows: bool) -> None:
        if part[0] in ".,":
            self.fraction(part)
        elif part == "MST":
            self.zone_name()
        elif part[0] in "-Z":
            self.zone_offset(part)
        elif part[0] == "J":
            self.fields["month"] = self.name(MONTHS, len(part) == 3) + 1
        elif part[0] == "M":
            self.name(WEEKDAYS, len(part) == 3)
        elif part in ("PM", "pm"):
            self.half = self.take(2)
            if self.half not in (("PM", "AM") if part == "PM" else ("pm", "am")):
                raise _Mismatch
        else:
            self.number_part(part)
            if part in ("5", "05") and not fraction_follows:
                self.unasked_fraction()

    def number_part(self, part: str) -> None:
        if part == "2006":
            self.fields["year"] = self.number(4, 4)
        elif part == "06":
            short = self.number(2, 2)
            self.fields["year"] = short + (1900 if short >= 69 else 2000)
        elif part in ("002", "__2"):
            for _ in range(2 if part == "__2" else 0):
                self.rest = self.rest.removeprefix(" ")
            self.fields["year_day"] = self.number(3 if part == "002" else 1, 3)
        else:
            if part == "_2":
                self.rest = self.rest.removeprefix(" ")
            name, least, most = _NUMBERS["15" if part == "15" else part[-1]]
            number = self.number(2 if part[0] == "0" else 1, 2)
            if not least <= number <= most:
                raise _Mismatch
            self.fields[name] = number

    def take(self, count: int) -> str:
        if len(self.rest) < count:
            raise _Mismatch
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, least: int, most: int) -> int:
        """Take a number of `least` to `most` digits."""
        count = 0
        while count < min(most, len(self.rest)) and self.rest[count] in _DIGITS:
            count += 1
        if count < least:
            raise _Mismatch
        return int(self.take(count))

    def name(self, names: tuple[str, ...], short: bool) -> int:
        for index, full in enumerate(names):
            name = full[:3] if short else full
            if self.rest[: len(name)].lower() == name.lower():
                self.rest = self.rest[len(name) :]
                return index
        raise _Mismatch

    def fraction(self, part: str) -> None:
        """Take the fraction of a second: just the digits of `.000`, or any number for `.999`."""
        has_digits = self.rest[:1] in (".", ",") and self.rest[1:2] in tuple(_DIGITS)
        if part[1] == "9" and not has_digits:
            return
        if not has_digits:
            raise _Mismatch
        self.rest = self.rest[1:]
        count = len(part) - 1
        digits = str(self.rest[:count])
        if part[1] == "0":
            if len(digits) < count or not set(digits) <= set(_DIGITS):
                raise _Mismatch
        else:
            count = min(self.digits_ahead(), 9)
            digits = self.rest[:count]
        self.rest = self.rest[count:]
        self.fields["nanosecond"] = int(digits[:9].ljust(9, "0"))

    def unasked_fraction(self) -> None:
        """Take a fraction that the layout does not show, as Go does after seconds."""
        if self.rest[:1] in (".", ",") and self.rest[1:2] in tuple(_DIGITS):
            self.rest = self.rest[1:]
            digits = self.take(self.digits_ahead())
            self.fields["nanosecond"] = int(digits[:9].ljust(9, "0"))

    def digits_ahead(self) -> int:
        return len(self.rest) - len(self.rest.lstrip(_DIGITS))

    def zone_offset(self, part: str) -> None:
        pairs = (len(part.replace(":", "")) - 1) // 2
        if part[0] == "Z" and pairs < 3 and self.rest.startswith("Z"):
            self.rest = self.rest[1:]
            self.is_utc = True
            return
        sign = self.take(1)
        numbers = [self.number(2, 2)]
        for _ in range(pairs - 1):
            if ":" in part:
                self.skip(":")
            numbers.append(self.number(2, 2))
        if sign not in ("+", "-"):
            raise _Mismatch
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
        offset = (hours * 60 + minutes) * 60 + seconds
        self.offset = -offset if sign == "-" else offset

    def zone_name(self) -> None:
        if self.rest.startswith("UTC"):
            self.rest = self.rest[3:]
            self.is_utc = True
        else:
            self.zone = self.take(_zone_length(self.rest))

    def moment(self) -> Time:
        fields = self.fields
        year, hour = fields.get("year", 0), fields.get("hour", 0)
        if self.half in ("PM", "pm") and hour < 12:
            hour += 12
        elif self.half in ("AM", "am") and hour == 12:
            hour = 0
        month, day = self.date(year)
        clock = (hour, fields.get("minute", 0), fields.get("second", 0))
        moment = from_calendar((year, month, day, *clock), fields.get("nanosecond", 0), UTC)
        if self.is_utc or (self.offset is None and not self.zone):
            return moment
        if self.offset is None:
            hours = self.zone[3:] if self.zone.startswith("GMT") else ""
            return moment.within(fixed_zone(self.zone, int(hours) * 3600 if hours else 0))
        moment.seconds -= self.offset
        if self.offset == 0 and not self.zone:
            return moment
        return moment.within(fixed_zone(self.zone, self.offset))

    def date(self, year: int) -> tuple[int, int]:
        """Return month and day, from the day of the year where that was read."""
        month, day = self.fields.get("month", 1), self.fields.get("day", 1)
        if "year_day" in self.fields:
            wanted = self.fields["year_day"]
            month, day = _month_of(year, wanted)
            agrees = {self.fields.get("month", month), self.fields.get("day", day)} == {month, day}
            if not agrees:
                raise _Mismatch
        if not 1 <= day <= _days_in(year, month):
            raise _Mismatch
        return month, day


_NUMBERS = {
    "1": ("month", 1, 12),
    "2": ("day", 0, 99),
    "15": ("hour", 0, 23),
    "3": ("hour", 0, 12),
    "4": ("minute", 0, 59),
    "5": ("second", 0, 59),
}


def _days_in(year: int, month: int) -> int:
    return days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1)


def _month_of(year: int, year_day: int) -> tuple[int, int]:
    day = year_day
    for month in range(1, 13):
        if 1 <= day <= _days_in(year, month):
            return month, day
        day -= _days_in(year, month)
    raise _Mismatch


def _zone_length(text: str) -> int:
    """Return how long the abbreviation of a zone is that a text starts with."""
    if text[:4] in ("ChST", "MeST"):
        return 4
    if text.startswith("GMT"):
        return 3 + _offset_length(text[3:])
    if text[:1] in ("+", "-"):
        return _offset_length(text) or _refuse()
    capitals = len(text[:6]) - len(text[:6].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    known = {3: True, 4: text[3:4] == "T" or text[:4] == "WITA", 5: text[4:5] == "T"}
    return capitals if known.get(capitals) else _refuse()


def _offset_length(text: str) -> int:
    """Return how long the hours such as `+3` are that a text starts with, 0 without."""
    digits = text[1 : 1 + len(text[1:]) - len(text[1:].lstrip(_DIGITS))]
    return 1 + len(digits) if text[:1] in ("+", "-") and digits and int(digits) <= 23 else 0


def _refuse() -> int:
    raise _Mismatch
