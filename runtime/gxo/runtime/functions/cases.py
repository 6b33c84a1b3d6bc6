"""Sprig's naming styles: `snakecase`, `kebabcase`, `camelcase`.

Where words end follows the library that Sprig uses (xstrings) to the letter, odd corners included:

    "HTTPServer20xOK"  ->  "http_server_20x_ok"
    "Bld4Floor3rd"     ->  "bld4_floor_3rd"
"""

import re
from collections.abc import Iterator
from unicodedata import category

from gxo.runtime.functions import function
from gxo.runtime.functions.strings import SPACES, lower_char, runes, upper_char

_NO_CHARS = "".join(map(chr, range(0xDC80, 0xDD00)))
_CHARS = re.compile("[\udc80-\udcff]*[^\udc80-\udcff](?:[\udc80-\udcff]+$)?|[\udc80-\udcff]+")
_CJK = ((0x3400, 0x4D85), (0x4E00, 0x9FCC), (0x20000, 0x2B81D))


@function("snakecase")
def snakecase(text: str) -> str:
    """Return the text's words in lower case, joined by underscores."""
    return _joined(_chars(text), "_")


@function("kebabcase")
def kebabcase(text: str) -> str:
    """Return the text's words in lower case, joined by hyphens."""
    return _joined(_chars(text), "-")


@function("camelcase")
def camelcase(text: str) -> str:
    """Return the text's words with capitals and nothing between them."""
    text = runes(text)
    start = next((at for at, char in enumerate(text) if not _connects(char)), len(text))
    if start == len(text):
        return text + text[-1:]  # xstrings adds the last one again
    result = [text[:start]]
    rest = text[start:]
    for at, char in enumerate(rest):
        before = rest[at - 1] if at else "-"
        after = rest[at + 1] if at + 1 < len(rest) else ""
        if not _connects(char):
            result.append((upper_char if _connects(before) else lower_char)(char))
        elif not after or _connects(after):
            result.append(char)
    return "".join(result)


def _connects(char: str) -> bool:
    return char in "-_" or char in SPACES


def _chars(text: str) -> list[str]:
    """Return the characters; bytes that are none go with the next one, the last with the one
    before."""
    return list(text) if text.isascii() else _CHARS.findall(text)


def _kind(char: str) -> str:
    """Name what a character is in a word: connector, mark, upper, letter, number, other."""
    char = char.strip(_NO_CHARS)
    if not char:
        return "none"
    if _connects(char):
        return "connector"
    kind = category(char)
    if kind.startswith("P"):
        return "mark"
    if kind == "Lu":
        return "upper"
    if kind.startswith("L"):
        code = ord(char)
        return "other" if any(first <= code <= last for first, last in _CJK) else "letter"
    return "number" if kind.startswith("N") else "other"


def _words(text: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (kind, word): runs of one kind, but a capital takes the small letters after it."""
    at = 0
    while at < len(text):
        kind = _kind(text[at])
        end = _run(text, at + 1, kind)
        if kind == "mark":
            while end < len(text) and category(text[end].strip(_NO_CHARS)).startswith("P"):
                end += 1  # hyphens and underscores join nothing here
        elif kind == "upper":
            if end == at + 1:
                end = _run(text, end, "letter")
            elif end < len(text) and _kind(text[end]) == "letter":
                end -= 1  # "HTTPStatus" is "HTTP" and "Status"
        yield kind, "".join(text[at:end])
        at = end


def _run(text: list[str], at: int, kind: str) -> int:
    while at < len(text) and _kind(text[at]) == kind:
        at += 1
    return at


def _joined(text: list[str], connector: str) -> str:
    words = [*_words(text), ("", "")]
    result = []
    at = 0
    while at < len(words) - 2:
        kind, word = words[at]
        result.append(_lower(kind, word, connector))
        at += 1
        following = words[at][0]
        if kind == "number":
            at = _take(words, at, result)
            following = words[at][0]
            if following in ("upper", "other"):
                result.append(connector)
        elif kind in ("connector", "mark"):
            continue
        elif following != "number":
            if following not in ("connector", "mark"):
                result.append(connector)
        elif at < len(words) - 2:
            at = _number_after_word(words, at, result, connector)
    result += [_lower(kind, word, connector) for kind, word in words[at:]]
    return "".join(result)


def _take(words: list[tuple[str, str]], at: int, result: list[str]) -> int:
    """Append the small letters and numbers from `at` on; return where they end."""
    while words[at][0] in ("letter", "number"):
        result.append(words[at][1])
        at += 1
    return at


def _number_after_word(
    words: list[tuple[str, str]], at: int, result: list[str], connector: str
) -> int:
    """Append the number at `at`: part of the word before it, unless small letters follow."""
    number = words[at][1]
    following = words[at + 1][0]
    if following != "letter":
        result.append(number)
        if following not in ("connector", "mark"):
            result.append(connector)
        return at + 1
    result += (connector, number)
    at = _take(words, at + 1, result)
    if words[at][0] in ("upper", "other"):
        result.append(connector)
    return at


def _lower(kind: str, word: str, connector: str) -> str:
    if kind == "connector":
        return "".join([connector if _connects(char) else char for char in runes(word)])
    return "".join(map(lower_char, runes(word))) if kind == "upper" else word
