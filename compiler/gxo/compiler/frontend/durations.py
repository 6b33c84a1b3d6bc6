"""Durations as Go writes them, and sizes in bytes.

1h30m  250ms  1.5s  2us  -> seconds          512  64KB  10MiB -> bytes
"""

import re

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek letter mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""Nanoseconds in each unit: whole numbers, so that 0.1s + 0.2s loses nothing."""
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_LONGEST = 2**63 - 1
"""Nanoseconds in Go's longest duration, about 292 years."""

_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?) ?(B|[KMGT]B|[KMGT]iB)?\Z")
_SIZES = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
_MAX_DIGITS = 40


def parse_duration(text: str) -> float:
    """Seconds of a Go duration string (language, section 2); negative with a leading minus.

    Raises ValueError, with a text for the user, for anything else.
    """
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    nanoseconds, index = 0, 0
    while match := _PART.match(rest, index):
        number, unit = match.groups()
        nanoseconds += _scaled(number, _UNITS[unit])
        index = match.end()
    if index == 0 or index != len(rest) or nanoseconds > _LONGEST:
        raise ValueError(f'"{text}" is not a duration')
    return sign * nanoseconds / 1_000_000_000


def _scaled(number: str, unit: int) -> int:
    """A decimal number times a unit, rounded down, without passing through a float."""
    whole, _, fraction = number.partition(".")
    whole, fraction = whole.lstrip("0")[:_MAX_DIGITS], fraction[:_MAX_DIGITS]
    scale = int("1" + "0" * len(fraction))
    return int(whole or "0") * unit + int(fraction or "0") * unit // scale


def parse_size(text: str) -> int:
    """Bytes of a size: a number, or one with B, KB, MB, GB, TB (1000), KiB, MiB, GiB, TiB (1024).

    Raises ValueError, with a text for the user, for anything else.
    """
    match = _SIZE.match(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a size')
    number, unit = match.groups()
    return _scaled(number, _SIZES[unit or "B"])
