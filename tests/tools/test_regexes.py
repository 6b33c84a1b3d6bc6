"""Regular expressions that only newer Pythons match as they are written.

Before 3.11.5, which Debian 12 does not have, a possessive repetition of a group leaves places to come
back to on the matcher's stack and then takes the wrong ones (CPython gh-106052): `(?:a|b)*+` is wrong,
`[ab]*+` and `(?>(?:a|b)*)` are right.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r"\b(?:r|rf|fr|rb|br)[\"'].*", re.IGNORECASE)
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+")


def possessive_groups(name: str, text: str) -> list[str]:
    lines = text.splitlines()
    if not name.endswith(".lark"):
        lines = [found.group() for found in WRITTEN.finditer(text)]
    return [line for line in lines if POSSESSIVE_GROUP.search(line)]


def test_no_group_is_repeated_possessively() -> None:
    files = [
        file
        for part in ("compiler", "runtime", "stdlib")
        for file in sorted((ROOT / part).rglob("*"))
        if file.suffix in (".py", ".lark", ".j2")
    ]
    found = {str(file): possessive_groups(file.name, file.read_text()) for file in files}
    assert len(found) > 100
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "text", ['r"(?:a|b)*+"', "rf'x(a){1,2}+'", 'x = re.compile(r"(?:a)++b")', 'rb"(a)?+"']
)
def test_it_is_found(text: str) -> None:
    assert possessive_groups("some.py", text)


@pytest.mark.parametrize("text", [r'r"[ab]*+\)*+[)]++"', 'r"(?>(?:a|b)*)+"', '"()*+"', 'r"(a)+b+"'])
def test_what_is_right_everywhere_is_not(text: str) -> None:
    assert not possessive_groups("some.py", text)
