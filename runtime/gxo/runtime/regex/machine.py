r"""Search without backtracking: all ways through the pattern at once, one character after another.

The pattern becomes a program (Thompson's construction, as in RE2 and Go's `regexp`); a search keeps
the list of the places in the program that the text so far can lead to, best first. Its length is
bounded by the program, so the time is linear in the text whatever the pattern.

    a+b      0 char a    1 split 0 2    2 char b    3 match
"""

from gxo.runtime.regex.classes import Ranges, holds
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

CHAR, SPLIT, SAVE, ASSERT, MATCH = range(5)

_WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")

Spans = tuple[int, ...]
Thread = tuple[int, Spans]


class Instruction:
    """One step: `x` (and for a split the second choice `y`) is where to go on."""

    __slots__ = ("kind", "operation", "ranges", "seen", "slot", "x", "y")

    def __init__(self, operation: int) -> None:
        self.operation = operation
        self.x = self.y = self.slot = -1
        self.ranges: Ranges = ()
        self.seen: dict[str, bool] = {}
        self.kind = ""

    def takes(self, char: str) -> bool:
        """Return whether a CHAR instruction accepts the character."""
        known = self.seen.get(char)
        if known is None:
            known = self.seen[char] = holds(self.ranges, ord(char))
        return known


def build(parsed: Parsed) -> "Program":
    """Return the program of a pattern."""
    program = Program(2 * (parsed.groups + 1))
    start, holes = program.fragment(Group(parsed.root, 0, None))
    program.start = start
    program.fill(holes, program.add(MATCH))
    return program


class Program:
    """A pattern's instructions. Holes are the exits of a part that do not lead anywhere yet."""

    def __init__(self, slots: int) -> None:
        self.code: list[Instruction] = []
        self.slots = slots
        self.start = 0

    def add(self, operation: int) -> int:
        self.code.append(Instruction(operation))
        return len(self.code) - 1

    def fill(self, holes: list[tuple[int, str]], target: int) -> None:
        for at, exit_name in holes:
            setattr(self.code[at], exit_name, target)

    def fragment(self, node: Node) -> tuple[int, list[tuple[int, str]]]:
        """Append a part's instructions; return where it starts, and its holes."""
        if isinstance(node, Chars):
            at = self.add(CHAR)
            self.code[at].ranges = node.ranges
            return at, [(at, "x")]
        if isinstance(node, Assertion):
            at = self.add(ASSERT)
            self.code[at].kind = node.kind
            return at, [(at, "x")]
        if isinstance(node, Group):
            return self.group(node)
        if isinstance(node, Alternate):
            return self.alternate(node.items)
        if isinstance(node, Repeat):
            return self.repeat(node)
        assert isinstance(node, Concat)
        return self.concat(node.items)

    def concat(self, items: list[Node]) -> tuple[int, list[tuple[int, str]]]:
        if not items:
            at = self.add(ASSERT)
            return at, [(at, "x")]
        start, holes = self.fragment(items[0])
        for item in items[1:]:
            following, exits = self.fragment(item)
            self.fill(holes, following)
            holes = exits
        return start, holes

    def group(self, node: Group) -> tuple[int, list[tuple[int, str]]]:
        opening = self.add(SAVE)
        self.code[opening].slot = 2 * node.number
        self.code[opening].x, holes = self.fragment(node.item)
        closing = self.add(SAVE)
        self.code[closing].slot = 2 * node.number + 1
        self.fill(holes, closing)
        return opening, [(closing, "x")]

    def alternate(self, items: list[Node]) -> tuple[int, list[tuple[int, str]]]:
        """Write a|b|c as a split between a and a split between b and c."""
        starts: list[int] = []
        holes: list[tuple[int, str]] = []
        for item in items[:-1]:
            starts.append(self.add(SPLIT))
            self.code[starts[-1]].x, exits = self.fragment(item)
            holes += exits
        last, exits = self.fragment(items[-1])
        for split, following in zip(starts, [*starts[1:], last], strict=True):
            self.code[split].y = following
        return starts[0], holes + exits

    def repeat(self, node: Repeat) -> tuple[int, list[tuple[int, str]]]:
        """Write x{n,m} as n copies and m - n nested optional ones, x{n,} with a loop at the end."""
        copies: list[Node] = [node.item] * node.least
        if node.most is None:
            if node.least:
                copies.pop()
            start, holes = self.concat(copies) if copies else (-1, [])
            loop, exits = self.loop(node.item, node.greedy, at_least_once=bool(node.least))
        elif node.most > node.least:
            start, holes = self.concat(copies) if copies else (-1, [])
            loop, exits = self.optional(node.item, node.most - node.least, node.greedy)
        else:
            return self.concat(copies)
        self.fill(holes, loop)
        return (start if copies else loop), exits

    def loop(
        self, item: Node, greedy: bool, at_least_once: bool
    ) -> tuple[int, list[tuple[int, str]]]:
        again, leave = ("x", "y") if greedy else ("y", "x")
        if not at_least_once and nullable(item):  # x* as (x+)?, so that an empty x ranks right
            before = self.add(SPLIT)
            start, exits = self.loop(item, greedy, at_least_once=True)
            setattr(self.code[before], again, start)
            return before, [*exits, (before, leave)]
        split = self.add(SPLIT)
        start, holes = self.fragment(item)
        setattr(self.code[split], again, start)
        self.fill(holes, split)
        return (start if at_least_once else split), [(split, leave)]

    def optional(self, item: Node, count: int, greedy: bool) -> tuple[int, list[tuple[int, str]]]:
        enter, leave = ("x", "y") if greedy else ("y", "x")
        first = -1
        holes: list[tuple[int, str]] = []
        exits: list[tuple[int, str]] = []
        for _ in range(count):
            split = self.add(SPLIT)
            start, inner = self.fragment(item)
            setattr(self.code[split], enter, start)
            exits.append((split, leave))
            self.fill(holes, split)
            first = split if first < 0 else first
            holes = inner
        return first, exits + holes

    def search(self, text: str, start: int) -> Spans | None:
        """Return the spans of the first match from `start` on, -1 where a group took no part."""
        found: Spans | None = None
        threads: list[Thread] = []
        empty = (-1,) * self.slots
        for at in range(start, len(text) + 1):
            char = text[at : at + 1]
            waiting: list[Thread] = []
            seen: set[int] = set()
            for place, spans in threads:
                self.follow(place, spans, text, at, waiting, seen)
            if found is None:
                self.follow(self.start, empty, text, at, waiting, seen)
            elif not waiting:
                break
            threads = []
            for place, spans in waiting:
                instruction = self.code[place]
                if instruction.operation == MATCH:
                    found = spans
                    break
                if char and instruction.takes(char):
                    threads.append((instruction.x, spans))
        return found

    def follow(
        self, place: int, spans: Spans, text: str, at: int, waiting: list[Thread], seen: set[int]
    ) -> None:
        """Append the places that read a character, or match, and can be reached without reading."""
        todo = [(place, spans)]
        while todo:
            place, spans = todo.pop()
            if place in seen:
                continue
            seen.add(place)
            instruction = self.code[place]
            operation = instruction.operation
            if operation == SPLIT:
                todo += ((instruction.y, spans), (instruction.x, spans))
            elif operation == SAVE:
                slot = instruction.slot
                todo.append((instruction.x, (*spans[:slot], at, *spans[slot + 1 :])))
            elif operation == ASSERT:
                if _holds_at(instruction.kind, text, at):
                    todo.append((instruction.x, spans))
            else:
                waiting.append((place, spans))


def _holds_at(kind: str, text: str, at: int) -> bool:
    """Return whether an assertion holds at a place of the text."""
    if not kind:
        return True
    if kind == "\\A":
        return at == 0
    if kind == "\\z":
        return at == len(text)
    if kind == "^":
        return at == 0 or text[at - 1] == "\n"
    if kind == "$":
        return at == len(text) or text[at] == "\n"
    before = at > 0 and text[at - 1] in _WORD
    after = at < len(text) and text[at] in _WORD
    return (before != after) == (kind == "\\b")
