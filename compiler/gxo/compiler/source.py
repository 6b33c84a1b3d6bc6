"""String values of a playbook, with the place of each of their characters in the file."""

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

from gxo.compiler.diagnostics import Span

Locate = Callable[[int, int], tuple[int, int, int, int]]
"""Line and column (from 1) in the file of the value's character at an offset, then the same of what
follows the last one before another offset: one character at least."""


class SourceText(NamedTuple):
    """A string value and where it stands.

    `locate` takes two offsets; the one just past the end is allowed. YAML's escapes, folds and
    indentation make it more than a sum.
    """

    value: str
    span: Span
    locate: Locate

    def at(self, start: int, end: int) -> Span:
        """The span of `value[start:end]` in the file."""
        return Span(self.span.file, *self.locate(start, end))


def unwritten(value: str, span: Span) -> SourceText:
    """A text that the file has not so: each part of it has the place where the span begins."""
    line, column = span.line, span.column
    return SourceText(value, span, lambda *_: (line, column, line, column + 1))


def plain(value: str, file: str, line: int = 1, column: int = 1) -> SourceText:
    """A text that stands in its file as it is, from the given place on."""

    ends = [match.end() for match in re.finditer("\n", value)]

    def place(offset: int) -> tuple[int, int]:
        newlines = bisect_right(ends, offset)
        if not newlines:
            return line, column + offset
        return line + newlines, offset - ends[newlines - 1] + 1

    def locate(start: int, end: int) -> tuple[int, int, int, int]:
        last_line, last_column = place(max(start, end - 1))
        return *place(start), last_line, last_column + 1

    last_line, last_column = place(len(value))
    return SourceText(value, Span(file, line, column, last_line, last_column), locate)
