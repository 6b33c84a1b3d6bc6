"""What the compiler says about a playbook: spans, diagnostics, and what collects them.

This file is the bottom of the compiler: it imports no other stage. The table of codes is in
`codes/`, the text and JSON forms are in `rendering.py`.
"""

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text; lines and columns count characters from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@contextmanager
def working_on(span: Span) -> Iterator[None]:
    """Let a crash inside say which place of the playbook it met: the innermost one counts."""
    try:
        yield
    except Exception as error:
        if not hasattr(error, "working_on"):
            error.working_on = span  # type: ignore[attr-defined]
        raise


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that belongs to a diagnostic, such as "registered here"."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: its code in `codes.table()`, where it is, what is wrong, and what to do."""

    code: str
    level: Level
    span: Span
    message: str
    hint: str | None = None
    notes: tuple[Note, ...] = ()


@dataclass(slots=True)
class Diagnostics:
    """Collects the findings of all stages, so that a user sees every error of a file in one run."""

    items: list[Diagnostic] = field(default_factory=list)

    def error(
        self,
        code: str,
        span: Span,
        message: str,
        hint: str | None = None,
        notes: Iterable[Note] = (),
    ) -> None:
        self.items.append(Diagnostic(code, "error", span, message, hint, tuple(notes)))

    def warning(
        self,
        code: str,
        span: Span,
        message: str,
        hint: str | None = None,
        notes: Iterable[Note] = (),
    ) -> None:
        self.items.append(Diagnostic(code, "warning", span, message, hint, tuple(notes)))

    def promote(self, codes: Container[str]) -> None:
        """Make errors of the warnings with these codes."""
        self.items = [
            replace(item, level="error") if item.code in codes else item for item in self.items
        ]

    @property
    def has_errors(self) -> bool:
        return any(item.level == "error" for item in self.items)

    def sorted(self) -> list[Diagnostic]:
        """Every finding once, in the order of the source."""
        return sorted(set(self.items), key=lambda item: (item.span, item.code, item.message))


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a misspelt word most likely stands for, or None when none is near."""
    near = get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The hint for a misspelt name: `did you mean "users"?`, or None when nothing is near."""
    near = nearest(word, candidates)
    return f'did you mean "{near}"?' if near else None
