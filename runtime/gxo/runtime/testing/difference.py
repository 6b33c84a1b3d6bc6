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

LONGEST, COMPARED, SHOWN, CONTEXT = 2_000, 200, 40, 2
"""Characters of a line that are shown; lines that are compared from the first that differs on;
lines of a difference that are shown; and lines around each change."""

Redact = Callable[[str], str]


def difference(redact: Redact, expected: Any, actual: Any) -> Iterator[str]:
    """Both values if they are short, else the lines from the first one on in which they differ."""
    wanted, found = shown(redact, expected), shown(redact, actual)
    if len(wanted) == len(found) == 1:
        yield f"expected: {wanted[0]}"
        yield f"actual:   {found[0]}"
        return
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(wanted, found, strict=False))
    first = max(0, sum(1 for _ in alike) - CONTEXT)
    yield f"- expected, + actual, from line {first + 1} on:"
    window = slice(first, first + COMPARED)
    changes = unified_diff(wanted[window], found[window], lineterm="", n=CONTEXT)
    lines = [line for line in islice(changes, 2, None) if not line.startswith("@@")]
    yield from (lines or found)[:SHOWN]
    if max(len(lines), len(wanted) - first, len(found) - first) > SHOWN:
        yield "..."


def shown(redact: Redact, value: Any) -> list[str]:
    """The lines of a value: of JSON, or those of a text that has several."""
    text = value
    if not isinstance(value, str) or "\n" not in value.strip("\n"):
        text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=repr)
    lines = redact(text).splitlines()
    return [line if len(line) <= LONGEST else f"{line[:LONGEST]}..." for line in lines]
