"""String values of a playbook, with the place of each of their characters in the file."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from gxo.compiler.diagnostics import Span

Locate = Callable[[int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SourceText:
    """A string value and where it stands.

    `locate` gives the line and column (from 1) in the file of the value's character at an offset;
    the offset just past the end is allowed. YAML's escapes, folds and indentation make it more than
    a sum.
    """

    value: str
    span: Span
    locate: Locate

    def at(self, start: int, end: int) -> Span:
        """The span of `value[start:end]` in the file."""
        line, column = self.locate(start)
        if end <= start:
            return Span(self.span.file, line, column, line, column + 1)
        end_line, end_column = self.locate(end - 1)
        return Span(self.span.file, line, column, end_line, end_column + 1)


def plain(value: str, file: str, line: int = 1, column: int = 1) -> SourceText:
    """A text that stands in its file as it is, from the given place on."""

    ends = [match.end() for match in re.finditer("\n", value)]

    def locate(offset: int) -> tuple[int, int]:
        newlines = bisect_right(ends, offset)
        if not newlines:
            return line, column + offset
        return line + newlines, offset - ends[newlines - 1] + 1

    last_line, last_column = locate(len(value))
    return SourceText(value, Span(file, line, column, last_line, last_column), locate)
