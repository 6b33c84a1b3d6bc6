"""Pieces of Python source: expressions that know how tightly they bind, literals, f-strings.

ADD level `a + b` times `c`           ->  (a + b) * c
"Hello ", code of .name, "!"          ->  f"Hello {record['name']}!"
"""

from typing import NamedTuple

from gxo.compiler.python_source import escaped, quoted

TERNARY, OR, AND, NOT, COMPARE, ADD, MULTIPLY, UNARY, ATOM = range(9)
"""How tightly an expression binds, from loose to tight."""

_LINE = 72
"""A text longer than this is written one line of it a literal."""


class Code(NamedTuple):
    """An expression's source and how tightly its outermost operator binds."""

    text: str
    level: int = ATOM

    def at(self, level: int) -> str:
        """The source as an operand of an operator that wants at least this level."""
        return self.text if self.level >= level else f"({self.text})"


class Embedded(NamedTuple):
    """An expression inside a text: its source with either quote, and on its own as a text.

    `inside` is what stands in the braces of an f-string; `alone` is an expression of type str.
    """

    inside: str
    alone: Code


Piece = str | Embedded


def joined(pieces: list[Piece]) -> Code:
    """The expression for texts and values one after the other: a literal, an f-string, or a sum."""
    merged = _merged(pieces)
    if not merged:
        return Code('""')
    if len(merged) == 1 and isinstance(merged[0], Embedded):
        return merged[0].alone
    if not all(isinstance(piece, str) or _fits_in_braces(piece.inside) for piece in merged):
        operands = [
            quoted(piece) if isinstance(piece, str) else piece.alone.at(MULTIPLY)
            for piece in merged
        ]
        return Code(" + ".join(operands), ADD)
    lines = _lines(merged)
    if len(lines) == 1:
        return Code(_string(lines[0]))
    return Code("(" + "\n".join(_string(line) for line in lines) + ")")


def _merged(pieces: list[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(before := merged[-1], str):
            merged[-1] = before + piece
        elif piece != "":
            merged.append(piece)
    return merged


def _fits_in_braces(source: str) -> bool:
    """Whether Python 3.11 takes the source inside an f-string in double quotes."""
    return not any(mark in source for mark in '"\\\n') and not source.startswith("{")


def _lines(pieces: list[Piece]) -> list[list[Piece]]:
    """The pieces, split after line ends when they are too long for one line."""
    length = sum(len(piece if isinstance(piece, str) else piece.inside) for piece in pieces)
    if length <= _LINE:
        return [pieces]
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            lines[-1].append(piece)
            continue
        first, *rest = piece.split("\n")
        for part in rest:
            lines[-1].append(first + "\n")
            lines.append([])
            first = part
        if first:
            lines[-1].append(first)
    return [line for line in lines if line]


def _string(pieces: list[Piece]) -> str:
    if all(isinstance(piece, str) for piece in pieces):
        return quoted("".join(piece for piece in pieces if isinstance(piece, str)))
    parts = [
        escaped(piece, '"').replace("{", "{{").replace("}", "}}")
        if isinstance(piece, str)
        else "{" + piece.inside + "}"
        for piece in pieces
    ]
    return 'f"' + "".join(parts) + '"'
