"""What the compiler says about a playbook: spans, diagnostics, and what collects them.

This file is the bottom of the compiler: it imports no other stage. The table of codes is in
`codes/`, the text and JSON forms are in `rendering.py`.
"""

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal, NamedTuple

Level = Literal["error", "warning"]

_FEW_NAMES, _MOST_NAMES, _LONGEST_NAME = 500, 5000, 100


class Span(NamedTuple):
    """A stretch of source text; lines and columns count characters from 1, the end is exclusive.

    A tuple, as none of a playbook's values is there as often: it is made and compared in C.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class working_on:  # noqa: N801 - it is used as the function that it would be, were that as fast
    """Let a crash inside say which place of the playbook it met: the innermost one counts."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not hasattr(error, "working_on"):
            error.working_on = self._span  # type: ignore[attr-defined]


class Note(NamedTuple):
    """A second place that belongs to a diagnostic, such as "registered here"."""

    span: Span
    message: str


class Place(NamedTuple):
    """What a finding is about: a workload ("" for none), and `params.command`, `when`, `vars.x`."""

    workload: str
    parameter: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: its code in `codes.table()`, where it is, what is wrong, and what to do.

    Findings with the same `root` have one cause, such as a name that nothing defines: they are
    shown as one. `place` is there for findings that can be accepted; two of one text are one.
    """

    code: str
    level: Level
    span: Span
    message: str
    hint: str | None = None
    notes: tuple[Note, ...] = ()
    root: str = ""
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that a comment in the playbook accepts, and the reason that it gives."""

    finding: Diagnostic
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class Explanation:
    """What a pass did with a place of the playbook, or why it did nothing: no finding."""

    span: Span
    text: str
    pass_name: str


@dataclass(slots=True)
class Diagnostics:
    """Collects the findings of all stages, so that a user sees every error of a file in one run.

    `accepted` are no findings any more: they count nowhere. `explanations` is None while nobody
    asks for them.
    """

    items: list[Diagnostic] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    explanations: list[Explanation] | None = None

    def error(
        self,
        code: str,
        span: Span,
        message: str,
        hint: str | None = None,
        notes: Iterable[Note] = (),
        root: str = "",
        place: Place | None = None,
    ) -> None:
        self.items.append(Diagnostic(code, "error", span, message, hint, tuple(notes), root, place))

    def warning(
        self,
        code: str,
        span: Span,
        message: str,
        hint: str | None = None,
        notes: Iterable[Note] = (),
        place: Place | None = None,
    ) -> None:
        item = Diagnostic(code, "warning", span, message, hint, tuple(notes), place=place)
        self.items.append(item)

    def add(self, other: "Diagnostics") -> None:
        """Take over what was found in another file, where each cause is one of its own."""
        self.items += (
            replace(item, root=item.root and f"other {item.root}") for item in other.items
        )
        self.accepted += other.accepted
        if self.explanations is not None:
            self.explanations += other.explanations or ()

    def explain(self, pass_name: str, span: Span, text: str) -> None:
        """Tell what the pass did (`folded to 5`), or why it did not (`not fused: ...`)."""
        if self.explanations is not None:
            self.explanations.append(Explanation(span, text, pass_name))

    def promote(self, codes: Container[str]) -> None:
        """Make errors of the warnings with these codes."""
        self.items = [
            replace(item, level="error") if item.code in codes else item for item in self.items
        ]

    @property
    def has_errors(self) -> bool:
        return any(item.level == "error" for item in self.items)

    def sorted(self) -> list[Diagnostic]:
        """Every finding once, in the source's order; one root's others are notes of its first."""
        found = sorted(set(self.items), key=lambda item: (item.span, item.code, item.message))
        first: dict[str, Diagnostic] = {}
        others: dict[str, list[Note]] = {}
        for item in found:
            if item.root and first.setdefault(item.root, item) is not item:
                others.setdefault(item.root, []).append(Note(item.span, item.message))
        return [
            replace(item, notes=(*item.notes, *others.get(item.root, ())))
            for item in found
            if first.get(item.root, item) is item
        ]

    def explained_by(self, pass_name: str) -> list[Explanation]:
        """What the pass explained, each once at a place, in the order of the source."""
        told = [one for one in self.explanations or () if one.pass_name == pass_name]
        # What begins at one place may end at several: an expression, and a part of it.
        once = {(one.span.file, one.span.line, one.span.column, one.text): one for one in told}
        return sorted(once.values())

    def accepted_sorted(self) -> list[Accepted]:
        """Every accepted finding, in the order of the source."""
        return sorted(self.accepted, key=lambda one: (one.finding.span, one.finding.code))


def nearest(word: str, candidates: Collection[str]) -> str | None:
    """The candidate that a misspelt word most likely stands for, or None when none is near.

    Among many candidates only those one slip away are near: comparing with each would make a large
    playbook's many errors slow. What is too long to be a name has no nearest one.
    """
    if len(word) > _LONGEST_NAME or len(candidates) > _MOST_NAMES:
        return None
    names = frozenset(candidates)
    if len(names) > _FEW_NAMES:
        return one_slip_away(word, names)
    near = get_close_matches(word, sorted(names), cutoff=0.6)
    return one_slip_away(word, near) or next(iter(near), None)


def one_slip_away(word: str, candidates: Collection[str]) -> str | None:
    """The candidate that differs in one letter too many, too few, changed or exchanged."""
    known = _by_shortened(frozenset(candidates))
    return next((known[form] for form in _shortened(word) if form in known), None)


@lru_cache(maxsize=4)
def _by_shortened(names: frozenset[str]) -> dict[str, str]:
    """Each name, and each with one character left out, to the name: a slip meets it there."""
    found = {name: name for name in names}
    for name in sorted(names):
        for form in _shortened(name) if len(name) <= _LONGEST_NAME else ():
            found.setdefault(form, name)
    return found


def _shortened(word: str) -> list[str]:
    return [word, *(word[:index] + word[index + 1 :] for index in range(len(word)))]


def did_you_mean(word: str, candidates: Collection[str]) -> str | None:
    """The hint for a misspelt name: `did you mean "users"?`, or None when nothing is near."""
    near = nearest(word, candidates)
    return f'did you mean "{near}"?' if near else None
