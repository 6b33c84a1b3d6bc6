r"""Read RE2's syntax into a tree; refuse what RE2 does not have (look-around, back references).

\d+|a{2,3}?    Alternate([Repeat(Chars(((48, 57),)), 1, None, True),
                          Repeat(Chars(((97, 97),)), 2, 3, False)])
"""

from gxo.runtime.regex import classes
from gxo.runtime.regex.classes import Ranges

_MOST_REPEATS = 1000
_DEEPEST = 100


class PatternError(ValueError):
    """What is wrong with a pattern, in Go's words."""


class Node:
    """A part of a pattern."""

    __slots__ = ()


class Chars(Node):
    """One character of a set."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges


class Assertion(Node):
    r"""A place: `\A`, `\z`, `^` and `$` of lines, `\b`, `\B`."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Concat(Node):
    """Parts in turn; none is the empty text."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items


class Alternate(Node):
    """One of several parts, the first that leads to a match."""

    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items


class Repeat(Node):
    """A part `least` to `most` times (None: without limit), as often as possible if `greedy`."""

    __slots__ = ("greedy", "item", "least", "most")

    def __init__(self, item: Node, least: int, most: int | None, greedy: bool) -> None:
        self.item = item
        self.least = least
        self.most = most
        self.greedy = greedy


class Group(Node):
    """A capturing group."""

    __slots__ = ("item", "name", "number")

    def __init__(self, item: Node, number: int, name: str | None) -> None:
        self.item = item
        self.number = number
        self.name = name


class Parsed:
    """A pattern's tree. `within_lines`: no match contains a line's end."""

    __slots__ = ("groups", "names", "root", "within_lines")

    def __init__(self, root: Node, groups: int, names: dict[str, int], within_lines: bool) -> None:
        self.root = root
        self.groups = groups
        self.names = names
        self.within_lines = within_lines


def parse(pattern: str) -> Parsed:
    """Return the tree of a pattern. Raises: PatternError."""
    parser = _Parser(pattern)
    root = parser.alternatives(0)
    if parser.at < len(pattern):
        raise PatternError(f"unexpected ): {pattern}")
    if _repeated(root) > _MOST_REPEATS:
        raise PatternError("invalid repeat count: nested repeats multiply to more than 1000")
    return Parsed(root, parser.groups, parser.names, parser.within_lines)


def nullable(node: Node) -> bool:
    """Return whether a part matches the empty text."""
    if isinstance(node, Chars):
        return False
    if isinstance(node, Concat):
        return all(map(nullable, node.items))
    if isinstance(node, Alternate):
        return any(map(nullable, node.items))
    if isinstance(node, Repeat):
        return node.least == 0 or nullable(node.item)
    return nullable(node.item) if isinstance(node, Group) else True


def _repeated(node: Node) -> int:
    """Return how many copies of its innermost part the counted repeats of a tree make."""
    if isinstance(node, (Concat, Alternate)):
        return max(map(_repeated, node.items), default=1)
    if isinstance(node, Group):
        return _repeated(node.item)
    if isinstance(node, Repeat):
        counted = node.most if node.most is not None else node.least
        return _repeated(node.item) * max(counted, 1)
    return 1


_ESCAPES = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_PERL = {"d": classes.DIGIT, "s": classes.SPACE, "w": classes.WORD}
_PLACES = {"A": "\\A", "z": "\\z", "b": "\\b", "B": "\\B"}


class _Parser:
    """Where the reading stands, and which flags hold there."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.names: dict[str, int] = {}
        self.flags: frozenset[str] = frozenset()
        self.within_lines = True

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def alternatives(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise PatternError("expression nests too deeply")
        flags = self.flags
        branches = [self.branch(depth)]
        while self.take("|"):
            branches.append(self.branch(depth))
        self.flags = flags
        return branches[0] if len(branches) == 1 else Alternate(branches)

    def branch(self, depth: int) -> Node:
        items: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            if self.take("\\Q"):
                items += self.literal_text()
                continue
            item = self.atom(depth)
            if item is not None:
                items.append(self.repeats(item))
            elif items:
                items[-1] = self.repeats(items[-1])  # flags stand between, as RE2 allows
        return items[0] if len(items) == 1 else Concat(items)

    def literal_text(self) -> list[Node]:
        text, end, _ = self.pattern[self.at :].partition("\\E")
        self.at += len(text) + len(end)
        items: list[Node] = [self.literal(ord(char)) for char in text]
        if items:
            items[-1] = self.repeats(items[-1])
        return items

    def atom(self, depth: int) -> Node | None:
        """Read what can be repeated; None for flags such as (?i)."""
        char = self.peek()
        if char == "(":
            return self.group(depth)
        if char == "[":
            return self.chars(self.character_class())
        if char == "\\":
            return self.escape()
        if char in "*+?" or (char == "{" and self.counts() is not None):
            raise PatternError(f"missing argument to repetition operator: {char}")
        self.at += 1
        if char == ".":
            return self.chars(classes.ANY if "s" in self.flags else classes.ANY_IN_LINE)
        if char == "^":
            return Assertion("^" if "m" in self.flags else "\\A")
        if char == "$":
            return Assertion("$" if "m" in self.flags else "\\z")
        return self.literal(ord(char))

    def literal(self, code: int) -> Node:
        ranges: Ranges = ((code, code),)
        return self.chars(classes.folded(ranges) if "i" in self.flags else ranges)

    def chars(self, ranges: Ranges) -> Node:
        if classes.holds(ranges, 10):
            self.within_lines = False
        return Chars(ranges)

    # Repetition

    def repeats(self, item: Node) -> Node:
        """Read the repetition operators after an atom."""
        start = self.at
        operator = self.peek()
        if operator and operator in "*+?":
            self.at += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[operator]
        elif operator == "{" and (counts := self.counts()) is not None:
            least, most, self.at = counts
            if least > _MOST_REPEATS or (most is not None and not least <= most <= _MOST_REPEATS):
                raise PatternError(f"invalid repeat count: {self.pattern[start : self.at]}")
        else:
            return item
        greedy = self.take("?") == ("U" in self.flags)
        following = self.peek()
        if following and (following in "*+?" or (following == "{" and self.counts() is not None)):
            end = self.at + 1
            raise PatternError(f"invalid nested repetition operator: {self.pattern[start:end]}")
        return Repeat(item, least, most, greedy)

    def counts(self) -> tuple[int, int | None, int] | None:
        """Return least, most and where they end for `{n}`, `{n,}`, `{n,m}`; None for other text."""
        body, brace, _ = self.pattern[self.at + 1 :].partition("}")
        least, comma, most = body.partition(",")
        if not brace or not _is_number(least) or (most and not _is_number(most)):
            return None
        end = self.at + len(body) + 2
        return int(least), (int(most) if most else None) if comma else int(least), end

    # Groups

    def group(self, depth: int) -> Node | None:
        start = self.at
        self.at += 1
        if not self.take("?"):
            return self.capture(None, depth)
        if self.take("P<") or self.take("<"):
            name, end, _ = self.pattern[self.at :].partition(">")
            if not end or not name or not all(char.isalnum() or char == "_" for char in name):
                raise PatternError(f"invalid named capture: {self.pattern[start:]}")
            if not name.isascii() or name in self.names:
                raise PatternError(f"duplicate or invalid name of a group: {name}")
            self.at += len(name) + 1
            return self.capture(name, depth)
        flags = self.read_flags(start)
        if self.take(")"):
            self.flags = flags
            return None
        self.at += 1
        return self.inside(flags, depth)

    def capture(self, name: str | None, depth: int) -> Node:
        self.groups += 1
        number = self.groups
        if name is not None:
            self.names[name] = number
        return Group(self.inside(self.flags, depth), number, name)

    def inside(self, flags: frozenset[str], depth: int) -> Node:
        outer, self.flags = self.flags, flags
        node = self.alternatives(depth + 1)
        self.flags = outer
        if not self.take(")"):
            raise PatternError(f"missing closing ): {self.pattern}")
        return node

    def read_flags(self, start: int) -> frozenset[str]:
        """Read `i`, `m`, `s`, `U` and a minus up to the `)` or `:`."""
        flags = set(self.flags)
        minus = changed = False
        while (char := self.peek()) and char in "imsU-":
            self.at += 1
            if char == "-" and minus:
                break
            if char == "-":
                minus, changed = True, False
                continue
            (flags.discard if minus else flags.add)(char)
            changed = True
        if self.peek() not in (")", ":") or (minus and not changed):
            raise PatternError(
                f"invalid or unsupported Perl syntax: {self.pattern[start : self.at + 1]}"
            )
        return frozenset(flags)

    # Escapes and classes

    def escape(self) -> Node:
        letter = self.pattern[self.at + 1 : self.at + 2]
        if letter in _PLACES and letter:
            self.at += 2
            return Assertion(_PLACES[letter])
        ranges = self.escaped_class()
        if ranges is None:
            return self.literal(self.escaped_char())
        return self.chars(ranges)

    def escaped_class(self) -> Ranges | None:
        r"""Read `\d`, `\pL`, `\p{Lu}` and their opposites; None if something else stands here."""
        letter = self.pattern[self.at + 1 : self.at + 2]
        if letter in ("p", "P"):
            return self.unicode_class(letter)
        ranges = _PERL.get(letter.lower()) if letter else None
        if ranges is None:
            return None
        self.at += 2
        return classes.complement(ranges) if letter.isupper() else ranges

    def unicode_class(self, letter: str) -> Ranges:
        start = self.at
        self.at += 2
        name = self.peek()
        self.at += 1
        if name == "{":
            name, end, _ = self.pattern[self.at :].partition("}")
            self.at += len(name) + len(end)
        negated = (letter == "P") != name.startswith("^")
        name = name.removeprefix("^")
        ranges = classes.named(name)
        if ranges is None:
            raise PatternError(f"unknown Unicode class: {self.pattern[start : self.at]}")
        ranges = classes.folded(ranges) if "i" in self.flags else ranges
        return classes.complement(ranges) if negated else ranges

    def escaped_char(self) -> int:
        start = self.at
        self.at += 1
        char = self.peek()
        self.at += 1
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "x":
            return self.hexadecimal(start)
        if char == "0" or (char and char in "1234567" and self.peek() in tuple("01234567")):
            return self.octal()
        if not char:
            raise PatternError("trailing backslash at end of expression")
        if not char.isascii() or char.isalnum():
            raise PatternError(f"invalid escape sequence: {self.pattern[start : self.at]}")
        return ord(char)

    def octal(self) -> int:
        digits = self.pattern[self.at - 1]
        while len(digits) < 3 and self.peek() and self.peek() in "01234567":
            digits += self.peek()
            self.at += 1
        return int(digits, 8)

    def hexadecimal(self, start: int) -> int:
        if self.take("{"):
            digits, end, _ = self.pattern[self.at :].partition("}")
            self.at += len(digits) + len(end)
        else:
            digits, end = self.pattern[self.at : self.at + 2], "}"
            self.at += 2
        plain = set(digits) <= set("0123456789abcdefABCDEF") and len(digits) >= (1 if end else 9)
        if not plain or len(digits) > 8 or (self.at > len(self.pattern)):
            raise PatternError(f"invalid escape sequence: {self.pattern[start : self.at]}")
        code = int(digits, 16)
        if code > classes.LAST:
            raise PatternError(f"invalid escape sequence: {self.pattern[start : self.at]}")
        return code

    def character_class(self) -> Ranges:
        start = self.at
        self.at += 1
        negated = self.take("^")
        parts: list[Ranges] = []
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise PatternError(f"missing closing ]: {self.pattern[start:]}")
            parts.append(self.class_item(start, first))
            first = False
        self.at += 1
        ranges = classes.union(*parts)
        ranges = classes.folded(ranges) if "i" in self.flags else ranges
        return classes.complement(ranges) if negated else ranges

    def class_item(self, start: int, first: bool) -> Ranges:
        """Read one part of a class: a POSIX name, an escaped class, a character or a range."""
        if self.pattern.startswith("[:", self.at) and ":]" in self.pattern[self.at + 2 :]:
            return self.posix_class()
        if self.peek() == "\\" and (ranges := self.escaped_class()) is not None:
            return ranges
        if self.peek() == "-" and not first and self.pattern[self.at + 1 : self.at + 2] != "]":
            raise PatternError(
                f"invalid character class range: {self.pattern[self.at : self.at + 2]}"
            )
        low = self.class_char(start)
        high = low
        if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("", "]"):
            self.at += 1
            high = self.class_char(start)
        if high < low:
            raise PatternError(f"invalid character class range: {chr(low)}-{chr(high)}")
        return ((low, high),)

    def class_char(self, start: int) -> int:
        if not self.peek():
            raise PatternError(f"missing closing ]: {self.pattern[start:]}")
        if self.peek() == "\\":
            return self.escaped_char()
        self.at += 1
        return ord(self.pattern[self.at - 1])

    def posix_class(self) -> Ranges:
        name, _, _ = self.pattern[self.at + 2 :].partition(":]")
        self.at += len(name) + 4
        ranges = classes.POSIX.get(name.removeprefix("^"))
        if ranges is None:
            raise PatternError(f"invalid character class range: [:{name}:]")
        ranges = classes.folded(ranges) if "i" in self.flags else ranges
        return classes.complement(ranges) if name.startswith("^") else ranges


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and (text == "0" or not text.startswith("0"))
