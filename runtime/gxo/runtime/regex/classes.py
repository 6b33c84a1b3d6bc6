"""Sets of characters as sorted, disjoint ranges of code points: ((48, 57), (97, 102)): [0-9a-f]."""

from bisect import bisect_right
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF

DIGIT: Ranges = ((48, 57),)
SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
ANY: Ranges = ((0, LAST),)
ANY_IN_LINE: Ranges = ((0, 9), (11, LAST))

POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


def union(*parts: Ranges) -> Ranges:
    """Return all characters that are in some part."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(pair for part in parts for pair in part):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return tuple(result)


def complement(ranges: Ranges) -> Ranges:
    """Return all characters that are not in the ranges."""
    result = []
    start = 0
    for first, last in ranges:
        if first > start:
            result.append((start, first - 1))
        start = last + 1
    if start <= LAST:
        result.append((start, LAST))
    return tuple(result)


def overlap(left: Ranges, right: Ranges) -> bool:
    """Return whether some character is in both."""
    at = 0
    for first, last in left:
        while at < len(right) and right[at][1] < first:
            at += 1
        if at < len(right) and right[at][0] <= last:
            return True
    return False


def holds(ranges: Ranges, code: int) -> bool:
    """Return whether a character is in the ranges."""
    at = bisect_right(ranges, (code, LAST)) - 1
    return at >= 0 and ranges[at][0] <= code <= ranges[at][1]


def folded(ranges: Ranges) -> Ranges:
    """Return the ranges with every other case of their characters."""
    extra: list[tuple[int, int]] = []
    for first, last in ranges:
        if last - first > 2000:
            orbits = _orbits()
            codes = [code for code in orbits if first <= code <= last]
            extra += [(other, other) for code in codes for other in orbits[code]]
        else:
            for code in range(first, last + 1):
                extra += [(other, other) for other in _other_cases(code)]
    return union(ranges, tuple(extra))


_TRIPLES: tuple[str, ...] = (
    "kK\u212a",
    "sS\u017f",
    "\xe5\xc5\u212b",
    "\u03b2\u0392\u03d0",
    "\u03b5\u0395\u03f5",
)
_TRIPLES += ("\u03b8\u0398\u03d1\u03f4", "\u03b9\u0399\u0345\u1fbe", "\u03ba\u039a\u03f0")
_TRIPLES += ("\u03bc\u039c\xb5", "\u03c0\u03a0\u03d6", "\u03c1\u03a1\u03f1", "\u03c3\u03a3\u03c2")
_TRIPLES += ("\u03c6\u03a6\u03d5", "\u03c9\u03a9\u2126", "\u1e61\u1e60\u1e9b", "\xdf\u1e9e")
_GROUPS = {char: group for group in _TRIPLES for char in group}


def _other_cases(code: int) -> list[int]:
    """Return the characters that differ from one only in case (Unicode's simple folding)."""
    char = chr(code)
    if char in _GROUPS:
        return [ord(other) for other in _GROUPS[char] if other != char]
    if char in "\u0130\u0131":  # the Turkish i's fold to nothing else
        return []
    others = {char.upper(), char.lower(), char.title(), char.upper().lower()}
    return [ord(other) for other in others if len(other) == 1 and other != char]


@lru_cache(maxsize=1)
def _orbits() -> dict[int, list[int]]:
    """Return every character that has other cases, with them."""
    cases = {code: _other_cases(code) for code in range(0x1E944)}
    return {code: others for code, others in cases.items() if others}


def named(name: str) -> Ranges | None:
    r"""Return the characters of what `\p{...}` names: any, a category such as `L` or `Lu`, or a
    script such as `Greek`; None if there is none."""
    if name == "Any":
        return ANY
    if len(name) > 2:
        from gxo.runtime.regex.scripts import script  # only for patterns that name one

        return script(name)
    return category(name) if name else None


@lru_cache(maxsize=32)
def category(name: str) -> Ranges | None:
    r"""Return the characters of a Unicode category such as `L` or `Lu`; None if there is none."""
    from unicodedata import category as category_of  # only for patterns with \p

    ranges: list[tuple[int, int]] = []
    for code in range(LAST + 1):
        if category_of(chr(code)).startswith(name):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return tuple(ranges) or None
