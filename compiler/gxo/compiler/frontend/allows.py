"""The comments with which an author accepts a finding, and what each of them is about.

    command: "sh {{ .x }}"   # gxo: allow GXO08nn checked by the team      the value of `command`
    # gxo: allow GXO08nn only on our own hosts
    args: [...]                                                            the value of `args`

A comment is about the keys that begin in its line, or in the next line that is no comment when it
stands alone; in a list also about a value there. Where a value is an alias, or a key merges a map,
it is about the text behind the anchor, in its own workload only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gxo.compiler.diagnostics import Span, nearest
from gxo.compiler.frontend.comments import comments
from gxo.compiler.frontend.positions import Lines
from gxo.compiler.frontend.yaml import Entry, Mapping, Node, Scalar, Sequence

_MARK = re.compile(r"#\s*gxo:")
_FORM = re.compile(r"#\s*gxo:\s*(?P<word>\w+)[ \t]*(?P<code>GXO\w*)?[ \t]*(?P<reason>.*)", re.S)


@dataclass(frozen=True, slots=True)
class Cover:
    """A stretch of text; `elsewhere` when it stands behind an anchor that others may use too."""

    span: Span
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Allow:
    """One such comment: `line` and `covers` are what it is about; "" what it lacks."""

    code: str
    reason: str
    span: Span
    line: int
    covers: tuple[Cover, ...]


def read_allows(tree: Node, text: str, file: str) -> tuple[Allow, ...]:
    """The `gxo: allow` comments of a text whose tree is known."""
    if not _MARK.search(text):
        return ()
    lines = Lines(text)
    found = [(lines.place(index), comment) for index, comment in comments(text)]
    alone = {place[0] for place, _ in found if not _before(text, lines, place).strip()}
    starts = _starts(tree)
    allows = []
    for place, comment in found:
        form = _FORM.fullmatch(comment)
        if form is None or nearest(form["word"], ["allow"]) is None:
            continue
        target = place[0]
        while target in alone:
            target += 1
        span = Span(file, *place, place[0], place[1] + len(comment))
        code = form["code"] if form["word"] == "allow" else None
        allows.append(
            Allow(code or "", form["reason"], span, target, tuple(starts.get(target, ())))
        )
    return tuple(allows)


def _before(text: str, lines: Lines, place: tuple[int, int]) -> str:
    start = lines.start(place[0])
    return text[start : start + place[1] - 1]


def _starts(tree: Node) -> dict[int, list[Cover]]:
    """By line, the stretches of text that the keys and values beginning there stand for."""
    found: dict[int, list[Cover]] = {}
    seen: set[int] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        if id(node) in seen:  # an alias is the anchor's own node
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            for entry in (*node.entries, *node.merges):
                found.setdefault(entry.key.span.line, []).extend(_of_entry(entry))
                pending.append(entry.value)
        elif isinstance(node, Sequence):
            for item in node.items:
                if isinstance(item, Scalar):
                    found.setdefault(item.span.line, []).append(Cover(item.span))
                pending.append(item)
    return found


def _of_entry(entry: Entry) -> Iterator[Cover]:
    yield Cover(entry.key.span)
    value = entry.value
    merged = value.items if entry.key.text.value == "<<" and isinstance(value, Sequence) else ()
    for one in merged or (value,):
        yield Cover(one.span, elsewhere=one.span < entry.key.span)
