r"""Write a parsed pattern for Python's `re`, where it means what it means in RE2.

\d+$       [0-9]+\Z          \d and \w are ASCII only, $ is the very end
(?i)k      [Kk\u212a]        the cases are spelled out
"""

from gxo.runtime.regex.classes import Ranges, complement
from gxo.runtime.regex.syntax import (
    Alternate,
    Assertion,
    Chars,
    Concat,
    Group,
    Node,
    Parsed,
    Repeat,
)

_PLACES = {
    "\\A": "\\A",
    "\\z": "\\Z",
    "^": "(?m:^)",
    "$": "(?m:$)",
    "\\b": "(?a:\\b)",
    "\\B": "(?a:\\B|\\A\\Z)",
}
_LETTERS = {"\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}
_SPECIAL = frozenset("\\.^$*+?{}[]()|&~#-")


def to_python(parsed: Parsed) -> str:
    """Return the pattern for Python's `re`, to be used without flags."""
    return _write(parsed.root)


def _write(node: Node) -> str:
    if isinstance(node, Chars):
        return _write_chars(node.ranges)
    if isinstance(node, Assertion):
        return _PLACES[node.kind]
    if isinstance(node, Concat):
        return "".join(
            f"(?:{_write(item)})" if isinstance(item, Alternate) else _write(item)
            for item in node.items
        )
    if isinstance(node, Alternate):
        return "|".join(map(_write, node.items))
    if isinstance(node, Group):
        return f"({f'?P<{node.name}>' if _is_name(node.name) else ''}{_write(node.item)})"
    assert isinstance(node, Repeat)
    body = _write(node.item)
    if not isinstance(node.item, (Chars, Group)):
        body = f"(?:{body})"
    return f"{body}{_write_counts(node)}{'' if node.greedy else '?'}"


def _is_name(name: str | None) -> bool:
    return name is not None and name.isidentifier()


def _write_counts(node: Repeat) -> str:
    counts = (node.least, node.most)
    if counts in _SIGNS:
        return _SIGNS[counts]
    if node.least == node.most:
        return f"{{{node.least}}}"
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


_SIGNS: dict[tuple[int, int | None], str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}


def _write_chars(ranges: Ranges) -> str:
    if not ranges:
        return "[^\\x00-\\U0010ffff]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _write_char(ranges[0][0])
    if ranges == ((0, 9), (11, 0x10FFFF)):
        return "."
    negated = ranges[0][0] == 0 and ranges[-1][1] == 0x10FFFF and len(ranges) > 1
    shown = complement(ranges) if negated else ranges
    body = "".join(
        _write_char(first)
        + (f"-{_write_char(last)}" if last > first + 1 else "")
        + (_write_char(last) if last == first + 1 else "")
        for first, last in shown
    )
    return f"[{'^' if negated else ''}{body}]"


def _write_char(code: int) -> str:
    char = chr(code)
    if char in _SPECIAL:
        return f"\\{char}"
    if char.isprintable():
        return char
    if char in _LETTERS:
        return _LETTERS[char]
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
