r"""How the time that backtracking takes grows with the text: the degree of a polynomial.

    ^(\S+) (\d+)$     1    each repetition ends where the next part begins: nothing to try again
    \S+ \d+           2    the same, but tried from each place of a text without a match
    ^\s+(.+)$         2    the two repetitions can share white space in many ways
    [a-z]+            1    once it has begun it cannot fail
    ^(a+)+$           no degree: exponential

The reasoning is on positions, the places where a pattern reads a character: which of them can
follow which, and whether two that can follow the same one read a common character.
"""

from gxo.runtime.regex.classes import Ranges, overlap
from gxo.runtime.regex.syntax import (
    Alternate,
    Assertion,
    Chars,
    Concat,
    Group,
    Node,
    Parsed,
    Repeat,
    nullable,
)

_MOST_POSITIONS = 300
_MOST_WAYS = 64
_SHORT = 32
_ENDLESS = 1 << 30


def degree(parsed: Parsed, *, anchored: bool) -> int | None:
    """Return the degree of the time a search takes with Python's `re`; None for no bound.

    anchored: the pattern is only tried at the text's start.
    """
    automaton = _Automaton(parsed.root)
    choices = automaton.choices()
    if choices is None:
        return None
    if anchored or _starts_at_the_beginning(parsed.root):
        return 1 + choices
    if choices == 0 and automaton.cannot_fail_late():
        return 1
    return 2 + choices


def _starts_at_the_beginning(node: Node) -> bool:
    if isinstance(node, Assertion):
        return node.kind == "\\A"
    if isinstance(node, Concat):
        return bool(node.items) and _starts_at_the_beginning(node.items[0])
    if isinstance(node, Alternate):
        return all(map(_starts_at_the_beginning, node.items))
    return isinstance(node, Group) and _starts_at_the_beginning(node.item)


class _Part:
    """A subtree's positions that can come first and last, and whether it can be empty."""

    __slots__ = ("empty", "first", "last")

    def __init__(self, first: list[int], last: list[int], empty: bool) -> None:
        self.first = first
        self.last = last
        self.empty = empty


class _Automaton:
    """The positions of a pattern and what follows each."""

    def __init__(self, root: Node) -> None:
        self.ranges: list[Ranges] = []
        self.follow: list[set[int]] = []
        self.nested: set[int] = set()  # inside a repeated group
        self.looping: set[int] = set()  # the body of a repetition of one character
        self.long: set[int] = set()  # repeated more than a few times
        self.asserts_after_loop = False
        self.endless = False  # some part can be read in more and more ways
        self.ways = 1
        self.root = self.part(root, nested=False, long=False)

    def part(self, node: Node, nested: bool, long: bool) -> _Part:
        if len(self.ranges) > _MOST_POSITIONS:
            self.endless = True
            return _Part([], [], True)
        if isinstance(node, Chars):
            return self.position(node.ranges, nested, long)
        if isinstance(node, Concat):
            return self.concat([self.part(item, nested, long) for item in node.items])
        if isinstance(node, Alternate):
            return self.alternate([self.part(item, nested, long) for item in node.items])
        if isinstance(node, Group):
            return self.part(node.item, nested, long)
        if isinstance(node, Repeat):
            return self.repeat(node, nested, long)
        self.asserts_after_loop = self.asserts_after_loop or long or bool(self.long)
        return _Part([], [], True)

    def position(self, ranges: Ranges, nested: bool, long: bool) -> _Part:
        at = len(self.ranges)
        self.ranges.append(ranges)
        self.follow.append(set())
        if nested:
            self.nested.add(at)
        if long:
            self.long.add(at)
        return _Part([at], [at], False)

    def concat(self, parts: list[_Part]) -> _Part:
        first: list[int] = []
        last: list[int] = []
        empty = True
        for part in parts:
            self.link(last, part.first)
            if empty:
                first = first + part.first
            last = last + part.last if part.empty else part.last
            empty = empty and part.empty
        return _Part(first, last, empty)

    def link(self, before: list[int], after: list[int]) -> None:
        """Note what can follow; if it could already, there are two ways to read the same text."""
        for at in before:
            self.endless = self.endless or not self.follow[at].isdisjoint(after)
            self.follow[at].update(after)

    def alternate(self, parts: list[_Part]) -> _Part:
        self.ways *= max(sum(part.empty for part in parts), 1)
        return _Part(
            [at for part in parts for at in part.first],
            [at for part in parts for at in part.last],
            any(part.empty for part in parts),
        )

    def repeat(self, node: Repeat, nested: bool, long: bool) -> _Part:
        item = node.item.item if isinstance(node.item, Group) else node.item
        most = node.most if node.most is not None else _ENDLESS
        if most != 1 and nullable(item):
            self.endless = True
        if isinstance(item, Chars):
            part = self.part(item, nested, long or most > _SHORT)
            if most > max(node.least, 1):
                self.link(part.last, part.first)
                self.looping.update(part.first)
            return _Part(part.first, part.last, node.least == 0)
        if most > _SHORT:
            part = self.part(item, nested=True, long=True)
            self.link(part.last, part.first)
            return _Part(part.first, part.last, part.empty or node.least == 0)
        return self.copies(item, node.least, most, nested, long)

    def copies(self, item: Node, least: int, most: int, nested: bool, long: bool) -> _Part:
        """Read x{2,4} as xx(x(x)?)?."""
        optional = _Part([], [], True)
        for _ in range(most - least):
            part = self.part(item, nested, long)
            self.ways *= 1 + part.empty
            optional = self.concat([part, optional])
            optional.empty = True
        return self.concat([*(self.part(item, nested, long) for _ in range(least)), optional])

    def choices(self) -> int | None:
        """Return how many repetitions can end in more than one place; None for no bound."""
        loops = 0
        ways = self.ways
        for at, following in enumerate([*self.follow, set(self.root.first)]):
            clashes = self.clashes(sorted(following))
            if not clashes:
                continue
            if at in self.nested:
                return None
            if at in self.looping:
                loops += 1
            else:
                ways *= clashes + 1
        return None if self.endless or ways > _MOST_WAYS else loops

    def clashes(self, positions: list[int]) -> int:
        return sum(
            overlap(self.ranges[left], self.ranges[right])
            for index, left in enumerate(positions)
            for right in positions[:index]
        )

    def cannot_fail_late(self) -> bool:
        """Return whether a match is certain once a long repetition has begun."""
        return not self.asserts_after_loop and self.long <= set(self.root.last)
