"""A statement with placeholders: where values go, found without taking a text for one.

    before:  SELECT '12:30', a::int FROM t WHERE id = :id AND tags ? :tag
    after:   SELECT '12:30', a::int FROM t WHERE id = $1 AND tags ? $2      and the names id, tag

Values never get into the text: the database is given them beside it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["postgresql", "mysql", "sqlite", "mssql", "oracle"]

_QUOTED = r"'[^']*'?"
_ESCAPED = r"'(?:[^'\\]|\\.)*'?"
_NAMED = r'"[^"]*"?'
_BACKTICKED = r"`[^`]*`?"
_BRACKETED = r"\[[^\]]*\]?"
_LINE = r"--[^\n]*"
_BLOCK = r"/\*.*?(?:\*/|\Z)"
_DOLLARS = r"(?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=tag)|\Z)"

# A colon that follows another, a word or a bracket is a cast or a slice.
_PLACEHOLDER = r"(?<![\w:)\]]):(?P<name>\w+)"

_TOKENS: dict[Kind, tuple[str, ...]] = {
    "postgresql": (rf"(?<!\w)[eE]{_ESCAPED}", _QUOTED, _NAMED, _DOLLARS, _LINE, r"(?P<nested>/\*)"),
    "mysql": (
        *(_ESCAPED, _ESCAPED.replace("'", '"'), _BACKTICKED),
        *(r"#[^\n]*", r"--(?!\S)[^\n]*", _BLOCK),
    ),
    "sqlite": (_QUOTED, _NAMED, _BACKTICKED, _BRACKETED, _LINE, _BLOCK),
    "mssql": (_QUOTED, _NAMED, _BRACKETED, _LINE, r"(?P<nested>/\*)"),
    "oracle": (_QUOTED, _NAMED, _LINE, _BLOCK),
}
_COMMENT = re.compile(r"/\*|\*/")

_READING = frozenset(["select", "values", "table", "show", "with", "explain", "describe", "desc"])
_CHANGING = re.compile(
    r"\b(?:into|insert|update|delete|merge|replace|call|analyze|lock|share|nextval|setval)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Statement:
    """pieces: the text around the placeholders, one more than there are `names`.

    reads: whether it surely only reads, as far as its words tell.
    """

    pieces: tuple[str, ...]
    names: tuple[str, ...]
    verb: str
    reads: bool

    def marked(self, mark: Callable[[int, str], str]) -> str:
        """The text with a mark for each placeholder, by its place and name."""
        text = [self.pieces[0]]
        for place, (name, piece) in enumerate(zip(self.names, self.pieces[1:], strict=True)):
            text += (mark(place, name), piece)
        return "".join(text)


def read_statement(query: str, kind: Kind) -> Statement:
    """Find the placeholders of a query, which each database quotes in its own way."""
    pieces, names, bare = [], [], []
    begin = at = 0
    for start, end, name in _found(query, kind):
        bare.append(query[at:start])
        at = end
        if name is not None:
            pieces.append(query[begin:start])
            names.append(name)
            begin = end
    words = " ".join([*bare, query[at:]])
    verb = (re.findall(r"\w+", words[:1000]) or [""])[0].lower()
    reads = verb in _READING and _CHANGING.search(words) is None
    return Statement((*pieces, query[begin:]), tuple(names), verb, reads)


def _found(query: str, kind: Kind) -> Iterator[tuple[int, int, str | None]]:
    """Yield where texts, quoted names, comments and placeholders are; of these also the name."""
    token = re.compile("|".join([*_TOKENS[kind], _PLACEHOLDER]), re.DOTALL)
    at = 0
    while (found := token.search(query, at)) is not None:
        at = found.end()
        if found.lastgroup == "nested":
            at = _comment_end(query, at)
        yield found.start(), at, found["name"]


def _comment_end(query: str, at: int) -> int:
    """Where a comment ends that may hold others."""
    depth = 1
    while depth and (found := _COMMENT.search(query, at)) is not None:
        depth += 1 if found[0] == "/*" else -1
        at = found.end()
    return len(query) if depth else at
