"""How what a test expects differs from what is there, as the lines of a message.

expected: "PONG"            - expected, + actual, from line 2 on:
actual:   "PING"             rows
                            -three
                            +four
"""

import json
from collections.abc import Callable, Iterator
from difflib import unified_diff
from itertools import islice, takewhile
from typing import Any
from unicodedata import normalize

LONGEST, COMPARED, SHOWN, CONTEXT = 2_000, 200, 40, 2
"""Characters of a line that are shown; lines that are compared from the first that differs on;
lines of a difference that are shown; and lines around each change."""

SHORT = 80
"""Characters of a list or map that is shown on one line."""

Redact = Callable[[Any], Any]
"""What takes secrets out of data, before any of it is cut."""


def difference(redact: Redact, expected: Any, actual: Any) -> Iterator[str]:
    """Both values if they are short, else the lines from the first one on in which they differ.

    Of texts that look alike, as with another line break at the end, what is around the difference.
    """
    expected, actual = redact(expected), redact(actual)
    wanted, found = _on_one_line(expected), _on_one_line(actual)
    if not (wanted and found):
        lines, other = _lines(expected), _lines(actual)
        if lines != other:
            yield from _changes(lines, other)
            return
    if not (wanted and found) or _look_alike(wanted, found):
        wanted, found = around(_json(expected), _json(actual))
    yield f"expected: {wanted}"
    yield f"actual:   {found}"


def beside(redact: Redact, expected: Any, actual: Any) -> Iterator[str]:
    """The beginnings of two values that are no two forms of one, such as a text and a pattern."""
    for label, value in (("expected:", expected), ("actual:  ", actual)):
        lines = excerpt(redact, value).splitlines()
        if len(lines) == 1:
            yield f"{label} {lines[0]}"
        else:
            yield label.rstrip()
            yield from (f"  {line}" for line in lines)


def excerpt(redact: Redact, value: Any) -> str:
    """The beginning of a value as text."""
    value = redact(value)
    if line := _on_one_line(value):
        return line
    lines = _lines(value)
    return "\n".join([*lines[:SHOWN], *(["..."] if len(lines) > SHOWN else [])])


def _changes(wanted: list[str], found: list[str]) -> Iterator[str]:
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(wanted, found, strict=False))
    first = max(0, sum(1 for _ in alike) - CONTEXT)
    yield f"- expected, + actual, from line {first + 1} on:"
    window = slice(first, first + COMPARED)
    changes = unified_diff(wanted[window], found[window], lineterm="", n=CONTEXT)
    lines = [line for line in islice(changes, 2, None) if not line.startswith("@@")]
    yield from (lines or found)[:SHOWN]
    if max(len(lines), len(wanted) - first, len(found) - first) > SHOWN:
        yield "..."


def _look_alike(one: str, other: str) -> bool:
    return normalize("NFKC", one) == normalize("NFKC", other)


def around(wanted: str, found: str) -> tuple[str, str]:
    """Of two texts the part around their first difference."""
    alike = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(wanted, found, strict=False))
    )
    begin = max(0, alike - SHORT // 2)
    while begin and wanted[begin - 1] == "\\":  # not in the middle of an escape
        begin -= 1
    cut = slice(begin, begin + SHORT)
    before, after = ("..." if begin else ""), slice(begin + SHORT, None)
    parts = (before + text[cut] + ("..." if text[after] else "") for text in (wanted, found))
    return next(parts), next(parts)


def _on_one_line(value: Any) -> str | None:
    """The value as JSON on one line: a list or a map that is short, or what is neither and has one
    line; else None."""
    if isinstance(value, list | dict):
        text = _json(value, ascii_only=False)
        return text if len(text) <= SHORT else None
    lines = _lines(value)
    return lines[0] if len(lines) == 1 else None


def _lines(value: Any) -> list[str]:
    """The lines of a value: of JSON, or those of a text that has several."""
    is_plain = isinstance(value, str) and "\n" in value.strip("\n")
    text = value if is_plain else _json(value, indent=2, ascii_only=False)
    lines = text.splitlines()
    return [line if len(line) <= LONGEST else f"{line[:LONGEST]}..." for line in lines]


def _json(value: Any, *, indent: int | None = None, ascii_only: bool = True) -> str:
    def written(*, in_order: bool) -> str:
        return json.dumps(
            value, indent=indent, ensure_ascii=ascii_only, sort_keys=in_order, default=repr
        )

    try:
        return written(in_order=True)
    except TypeError:  # a module's own map, whose keys have no order
        return written(in_order=False)
