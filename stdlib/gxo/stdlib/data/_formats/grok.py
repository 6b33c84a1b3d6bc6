"""Grok: regular expressions whose parts have names, and become fields.

    before:  "203.0.113.9 GET 200" by the pattern "%{IP:client} %{WORD:method} %{INT:status:int}"
    after:   {"client": "203.0.113.9", "method": "GET", "status": 200}

`%{NAME}` matches what the pattern NAME does, `%{NAME:field}` makes a field of it, `:int` and
`:float` a number. Around them is RE2's syntax; its named groups are fields too.
"""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from gxo.runtime.errors import ExpressionError, ParameterError
from gxo.runtime.regex import Pattern, compile_pattern
from gxo.runtime.spec import Record
from gxo.stdlib.data._formats.grok_patterns import PATTERNS
from gxo.stdlib.data._formats.slices import by_line
from gxo.stdlib.data._text import Slice

MAX_PATTERN = 100_000
"""Characters of a pattern with all names replaced."""

_NAME = re.compile(r"%\{([^}]*)\}")
_OPTION = "format_options.pattern"


def _int(digits: str) -> int | float:
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(digits)


_CONVERTERS: dict[str, Callable[[str], Any]] = {"": str, "int": _int, "float": float}


class Grok:
    """A pattern with its fields."""

    def __init__(self, source: str) -> None:
        self._fields: list[tuple[str, str]] = []
        self._groups: list[tuple[str, int, str]] = []
        expanded = self._expanded(source)
        try:
            pattern = compile_pattern(expanded)
        except ExpressionError as error:
            why = str(error).rpartition(" is wrong: ")[2]  # without the pattern, which got long
            raise ParameterError(f"{_OPTION}: {why}", hint=error.hint) from None
        self._search = pattern.search
        self._groups = self._numbered(pattern)
        if not self._groups:
            raise ParameterError(
                f"{_OPTION} names no field, so it would make records without fields",
                hint="name what a record shall have: %{IP:client}",
            )

    def record(self, line: str) -> Record | None:
        """The fields of the first match, null where a part of the pattern did not match.

        None without a match; ValueError where a number is none.
        """
        spans = self._search(line)
        if spans is None:
            return None
        record: Record = {}
        for name, at, kind in self._groups:
            start = spans[at]
            if start >= 0:
                record[name] = _converted(name, line[start : spans[at + 1]], kind)
            else:
                record.setdefault(name)
        return record

    def _expanded(self, source: str) -> str:
        """The pattern without names; a field becomes the group `_N`, N its place in `_fields`."""
        parts: list[str] = []
        at = size = 0
        for found in _NAME.finditer(source):
            part = self._named(found[1])
            parts += source[at : found.start()], part
            at = found.end()
            size += len(part)
            if size > MAX_PATTERN:
                raise ParameterError(f"{_OPTION} becomes longer than {MAX_PATTERN:,} characters")
        return "".join([*parts, source[at:]])

    def _named(self, text: str) -> str:
        name, _, rest = text.partition(":")
        field, _, kind = rest.partition(":")
        if name not in PATTERNS:
            near = get_close_matches(name.upper(), PATTERNS, 1)
            hint = f"did you mean %{{{near[0]}}}?" if near else None
            raise ParameterError(f"{_OPTION}: there is no pattern %{{{name}}}", hint=hint)
        if kind not in _CONVERTERS:
            raise ParameterError(f"{_OPTION}: %{{{text}}}: the types are int and float, not {kind}")
        opening = "(?:"
        if field:
            opening = f"(?P<_{len(self._fields)}>"
            self._fields.append((field, kind))
        return f"{opening}{self._expanded(PATTERNS[name])})"

    def _numbered(self, pattern: Pattern) -> list[tuple[str, int, str]]:
        """Each field's name, where its span is in what a search returns, and its type."""
        groups = []
        for group, number in pattern.names.items():
            own = group[1:] if group[0] == "_" else ""
            is_ours = own.isdecimal() and int(own) < len(self._fields)
            name, kind = self._fields[int(own)] if is_ours else (group, "")
            groups.append((name, 2 * number, kind))
        return groups


def _converted(name: str, text: str, kind: str) -> Any:
    try:
        value = _CONVERTERS[kind](text)
    except ValueError:
        value = None
    if value is None or (value.__class__ is float and value - value != 0.0):
        raise ValueError(f"the field '{name}' is no {kind}")
    return value


def read_grok(pieces: Iterator[bytes], pattern: str) -> Iterator[Slice]:
    """The fields of the first match in each line; other lines may only be blank."""
    return by_line(pieces, Grok(pattern).record)
