r"""Regular expressions with RE2's syntax and its promise: a search takes linear time.

    pattern = compile_pattern(r"(?P<key>\w+)=(?P<value>\S*)")
    pattern.search("a=1")         (0, 3, 0, 1, 2, 3): start and end of the match and of each group

A pattern is parsed (`syntax`) and written again for Python's `re` (`translate`). `cost` says how
bad `re`'s backtracking can get for it; where that is more than linear for a long text, `machine`
searches instead, which follows all ways at once as RE2 does: slower, and never worse.
"""

from collections.abc import Iterator
from functools import lru_cache

from gxo.runtime.errors import ExpressionError
from gxo.runtime.regex.cost import degree
from gxo.runtime.regex.machine import Program, build
from gxo.runtime.regex.syntax import PatternError, parse
from gxo.runtime.regex.translate import to_python

__all__ = ["Pattern", "compile_pattern", "matches_whole", "translate"]

_STEPS_A_CHARACTER = 2000
"""What backtracking may cost for each character of a text, before the machine is cheaper."""

Spans = tuple[int, ...]


class Pattern:
    """A compiled pattern. `names` maps named groups to their numbers, `groups` counts all."""

    __slots__ = ("_longest", "_machine", "_parsed", "_python", "_within_lines", "source")

    def __init__(self, source: str) -> None:
        import re  # costs more than this file; jobs without patterns do not load it

        self.source = source
        self._parsed = parse(source)
        self._python = re.compile(to_python(self._parsed))
        worst = degree(self._parsed, anchored=False)
        self._longest = _longest_text(worst)
        self._within_lines = self._parsed.within_lines
        self._machine: Program | None = None

    @property
    def groups(self) -> int:
        return self._parsed.groups

    @property
    def names(self) -> dict[str, int]:
        return self._parsed.names

    def search(self, text: str, start: int = 0) -> Spans | None:
        """Return the spans of the first match from `start` on: of the whole, then of each group,
        as start and end in turn (-1 where a group took no part). None without a match."""
        if self._longest is None or self._extent(text) <= self._longest:
            match = self._python.search(text, start)
            return None if match is None else tuple(at for span in match.regs for at in span)
        if self._machine is None:
            self._machine = build(self._parsed)
        return self._machine.search(text, start)

    def matches(self, text: str, limit: int = -1) -> Iterator[Spans]:
        """Yield the matches that do not overlap; an empty one right after a match is left out."""
        start, after_match = 0, -1
        while limit != 0 and start <= len(text):
            spans = self.search(text, start)
            if spans is None:
                return
            if spans[1] > spans[0] or spans[0] != after_match:
                yield spans
                limit -= 1
            after_match = spans[1]
            start = spans[1] if spans[1] > spans[0] else spans[1] + 1

    def _extent(self, text: str) -> int:
        """Return how far backtracking can go in a text: its lines', if no match leaves its line."""
        if not self._within_lines or len(text) <= (self._longest or 0):
            return len(text)
        return max(map(len, text.split("\n")))


def _longest_text(worst: int | None) -> int | None:
    """Return how long a text may be for `re`; None for any length, worst is the cost's degree."""
    if worst is None:
        return -1
    return None if worst == 1 else int(_STEPS_A_CHARACTER ** (1 / (worst - 1)))


@lru_cache(maxsize=256)
def compile_pattern(source: str) -> Pattern:
    """Return the compiled pattern.

    Raises: ExpressionError when the pattern is not one of RE2's.
    """
    try:
        return Pattern(source)
    except PatternError as error:
        raise ExpressionError(f"the pattern {source} is wrong: {error}") from None


def matches_whole(source: str, text: str) -> bool:
    """Whether the pattern matches the whole of the text.

    Raises: ExpressionError when the pattern is not one of RE2's.
    """
    compile_pattern(source)  # so that what stands around it below cannot make it right
    return compile_pattern(rf"\A(?:{source})\z").search(text) is not None


def translate(source: str, *, anchored: bool = False) -> str:
    """Return the pattern for Python's `re`, where that searches in linear time; `anchored` when it
    is only matched at a text's start.

    Raises: ExpressionError when the pattern is not one of RE2's, or linear time is not certain.
    """
    try:
        parsed = parse(source)
    except PatternError as error:
        raise ExpressionError(f"the pattern {source} is wrong: {error}") from None
    if degree(parsed, anchored=anchored) != 1:
        raise ExpressionError(
            f"the pattern {source} can take more than linear time",
            hint="begin it with ^, and let no two neighbouring repetitions match the same text",
        )
    return to_python(parsed)
