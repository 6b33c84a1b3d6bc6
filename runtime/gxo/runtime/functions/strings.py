"""Sprig's string functions.

Go counts bytes where these cut (`trunc`, `substr`, `wrap`...), so a cut may go through a character;
what is left of it stays in the text as the bytes it was.
"""

import re
from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import NilList, describe, format_value, in_order, whole
from gxo.runtime.functions import function
from gxo.runtime.golang.kinds import quote as quoted

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` takes as white space."""

_LONGEST = 1 << 28


def upper_char(char: str) -> str:
    """Return Go's simple upper case of a character: always one character."""
    upper = char.upper()
    if len(upper) == 1:
        return upper
    title = char.title()
    return title if len(title) == 1 else char


def lower_char(char: str) -> str:
    """Return Go's simple lower case of a character: always one character."""
    return "i" if char == "İ" else char.lower()


def title_char(char: str) -> str:
    """Return Go's simple title case of a character: always one character."""
    title = char.title()
    return title if len(title) == 1 else char


def to_bytes(text: str) -> bytes:
    """Return a text's bytes."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(data: bytes) -> str:
    """Return the text of bytes; those that are not UTF-8 stay what they are."""
    return data.decode("utf-8", "surrogateescape")


_NO_CHAR = re.compile("[\udc80-\udcff]")


def runes(text: str) -> str:
    """Return the characters that Go's loops see: U+FFFD for each byte that is none."""
    return text if text.isascii() else _NO_CHAR.sub("\ufffd", text)


# Case ------------------------------------------------------------------------------------------


@function("upper")
def upper(text: str) -> str:
    """Return the text in upper case, one character for each."""
    return text.upper() if text.isascii() else "".join(map(upper_char, runes(text)))


@function("lower")
def lower(text: str) -> str:
    """Return the text in lower case, one character for each."""
    return text.lower() if text.isascii() else "".join(map(lower_char, runes(text)))


@function("title")
def title(text: str) -> str:
    """Return the text with the first letter of each word in title case."""
    result = []
    previous = " "
    for char in runes(text):
        result.append(title_char(char) if _separates(previous) else char)
        previous = char
    return "".join(result)


def _separates(char: str) -> bool:
    if char.isascii():
        return not (char.isalnum() or char == "_")
    return not (char.isalpha() or char.isdecimal()) and char in SPACES


@function("untitle")
def untitle(text: str) -> str:
    """Return the text with the first letter of each word in lower case."""
    result = []
    at_start = True
    for char in runes(text):
        result.append(lower_char(char) if at_start and char not in SPACES else char)
        at_start = char in SPACES
    return "".join(result)


@function("swapcase")
def swapcase(text: str) -> str:
    """Return the text with upper and lower case swapped."""
    result = []
    after_space = True
    for char in runes(text):
        if char.isupper() or char.istitle():
            result.append(lower_char(char))
        elif char.islower():
            result.append(title_char(char) if after_space else upper_char(char))
        else:
            result.append(char)
            after_space = char in SPACES
            continue
        after_space = False
    return "".join(result)


# Ends and parts --------------------------------------------------------------------------------


@function("trim")
def trim(text: str) -> str:
    """Return the text without white space at its ends."""
    return text.strip(SPACES)


@function("trimAll", "trimall")
def trim_all(cutset: str, text: str) -> str:
    """Return the text without any of the characters of `cutset` at its ends."""
    return text.strip(cutset) if cutset else text


@function("trimSuffix")
def trim_suffix(suffix: str, text: str) -> str:
    """Return the text without the suffix, if it ends in it."""
    if suffix.isascii():
        return text.removesuffix(suffix)
    return from_bytes(to_bytes(text).removesuffix(to_bytes(suffix)))


@function("trimPrefix")
def trim_prefix(prefix: str, text: str) -> str:
    """Return the text without the prefix, if it starts with it."""
    if prefix.isascii():
        return text.removeprefix(prefix)
    return from_bytes(to_bytes(text).removeprefix(to_bytes(prefix)))


@function("contains")
def contains(part: str, text: str) -> bool:
    """Return whether the text contains the part."""
    return part in text if part.isascii() else to_bytes(part) in to_bytes(text)


@function("hasPrefix")
def has_prefix(prefix: str, text: str) -> bool:
    """Return whether the text starts with the prefix."""
    if prefix.isascii():
        return text.startswith(prefix)
    return to_bytes(text).startswith(to_bytes(prefix))


@function("hasSuffix")
def has_suffix(suffix: str, text: str) -> bool:
    """Return whether the text ends in the suffix."""
    return text.endswith(suffix) if suffix.isascii() else to_bytes(text).endswith(to_bytes(suffix))


@function("trunc")
def trunc(count: int, text: str) -> str:
    """Return the first `count` bytes, or the last ones when it is negative."""
    if text.isascii():
        return text[:count] if count >= 0 else text[count:]
    data = to_bytes(text)
    if count < 0 and len(data) + count > 0:
        return from_bytes(data[count:])
    return from_bytes(data[:count]) if 0 <= count < len(data) else text


@function("substr")
def substr(start: int, end: int, text: str) -> str:
    """Return the bytes from `start` to `end`; a negative start is 0, a negative end the text's."""
    data = to_bytes(text)
    first = max(start, 0)
    last = len(data) if start >= 0 and (end < 0 or end > len(data)) else end
    if not first <= last <= len(data):
        raise ExpressionError(f"substr: there are no bytes {start} to {end} in {describe(text)}")
    return from_bytes(data[first:last])


@function("abbrev")
def abbrev(width: int, text: str) -> str:
    """Return the text cut to `width` bytes, the last three being `...` (4 at least)."""
    return text if width < 4 else from_bytes(_abbreviate(to_bytes(text), 0, width))


@function("abbrevboth")
def abbrevboth(left: int, right: int, text: str) -> str:
    """Return `right` bytes of the text around the position `left`, with `...` for what is cut."""
    if right < 4 or (left > 0 and right < 7):
        return text
    return from_bytes(_abbreviate(to_bytes(text), left, right))


def _abbreviate(data: bytes, offset: int, width: int) -> bytes:
    if len(data) <= width:
        return data
    offset = min(offset, len(data))
    if len(data) - offset < width - 3:
        offset = len(data) - (width - 3)
    if offset <= 4:
        return data[: width - 3] + b"..."
    if width < 7:
        return b""
    if offset + width - 3 < len(data):
        rest = data[offset:]
        return b"..." + (rest if width - 3 < 4 else _abbreviate(rest, 0, width - 3))
    return b"..." + data[len(data) - (width - 3) :]


@function("initials")
def initials(text: str) -> str:
    """Return the first byte of each word."""
    result = []
    gap = True
    for char in to_bytes(text).decode("latin-1"):
        if char not in SPACES and gap:
            result.append(char)
        gap = char in SPACES
    return "".join(result)


@function("nospace")
def nospace(text: str) -> str:
    """Return the text without its white space."""
    chars = to_bytes(text).decode("latin-1")
    kept = "".join(char for char in chars if char not in SPACES)
    return text if len(kept) == len(chars) else kept


# Building --------------------------------------------------------------------------------------


@function("repeat")
def repeat(count: int, text: str) -> str:
    """Return the text `count` times."""
    if count < 0 or count * len(text) > _LONGEST:
        raise ExpressionError(f"repeat: {describe(text)} cannot be repeated {count} times")
    return whole(text * count)


@function("replace")
def replace(old: str, new: str, text: str) -> str:
    """Return the text with every `old` replaced by `new`."""
    if not old:
        return whole(text.replace("", new))
    if old.isascii():
        return whole(text.replace(old, new))
    return from_bytes(to_bytes(text).replace(to_bytes(old), to_bytes(new)))


@function("quote")
def quote(*values: Any) -> str:
    """Return the values in double quotes, escaped as in Go; nil is left out."""
    if len(values) == 1 and type(values[0]) is str:
        return quoted(values[0])
    return " ".join([quoted(format_value(value)) for value in values if value is not None])


@function("squote")
def squote(*values: Any) -> str:
    """Return the values in single quotes, not escaped; nil is left out."""
    return " ".join([f"'{format_value(value)}'" for value in values if value is not None])


@function("cat")
def cat(*values: Any) -> str:
    """Return the values with spaces between; nil is left out."""
    return " ".join([format_value(value) for value in values if value is not None])


@function("indent")
def indent(spaces: int, text: str) -> str:
    """Return the text with `spaces` spaces at the start of each line."""
    if spaces < 0:
        raise ExpressionError(f"indent wants a number of spaces, not {spaces}")
    padding = repeat(spaces, " ")
    return padding + text.replace("\n", "\n" + padding)


@function("nindent")
def nindent(spaces: int, text: str) -> str:
    """Return a line's end, and the text with `spaces` spaces at the start of each line."""
    return "\n" + indent(spaces, text)


@function("wrap")
def wrap(width: int, text: str) -> str:
    """Return the text in lines of at most `width` bytes where words allow it."""
    return from_bytes(_wrap(to_bytes(text), width, b"\n", cut=False))


@function("wrapWith")
def wrap_with(width: int, separator: str, text: str) -> str:
    """Return the text in parts of at most `width` bytes; long words are cut."""
    return from_bytes(_wrap(to_bytes(text), width, to_bytes(separator) or b"\n", cut=True))


def _wrap(data: bytes, width: int, separator: bytes, cut: bool) -> bytes:
    width = max(width, 1)
    result = b""
    at = 0
    while len(data) - at > width:
        if data[at : at + 1] == b" ":
            at += 1
            continue
        space = data.rfind(b" ", at, at + width + 1)
        if space < 0 and cut:
            result += data[at : at + width] + separator
            at += width
            continue
        if space < 0:
            space = data.find(b" ", at + width)
        if space < 0:
            return result + data[at:]
        result += data[at:space] + separator
        at = space + 1
    return result + data[at:]


@function("plural")
def plural(one: str, many: str, count: int) -> str:
    """Return `one` for a count of 1, else `many`."""
    return one if count == 1 else many


# To and from lists -----------------------------------------------------------------------------


@function("toString")
def to_string(value: Any) -> str:
    """Return the value as text."""
    return format_value(value)


@function("toStrings")
def to_strings(value: Any) -> list[str]:
    """Return a list's values as texts, without nil; another value is a list of itself."""
    if isinstance(value, list):
        return [
            item if type(item) is str else format_value(item) for item in value if item is not None
        ]
    return [] if value is None else [format_value(value)]


@function("join")
def join(separator: str, value: Any) -> str:
    """Return a list's values as one text with the separator between them; nil is left out."""
    return whole(separator.join(to_strings(value)))


@function("sortAlpha")
def sort_alpha(value: Any) -> list[str]:
    """Return a list's values as texts in the order of their bytes."""
    return in_order(to_strings(value)) if value is not None else ["<nil>"]


@function("splitList")
def split_list(separator: str, text: str) -> list[str]:
    """Return the parts of the text between the separators; characters, if it is empty."""
    if not separator:
        return _exploded(text, len(text))
    if separator.isascii():
        return text.split(separator)
    return [from_bytes(part) for part in to_bytes(text).split(to_bytes(separator))]


def _exploded(text: str, count: int) -> list[str]:
    """Return the text's characters, at most `count`; the last is what is left, as it is."""
    chars = list(runes(text[: count - 1]))
    return [*chars, text[count - 1 :]] if text else []


@function("split")
def split(separator: str, text: str) -> dict[str, str]:
    """Return the parts of the text between the separators as a map: `_0`, `_1`, ..."""
    return _numbered(split_list(separator, text))


@function("splitn")
def splitn(separator: str, count: int, text: str) -> dict[str, str]:
    """Return at most `count` parts of the text as a map; the last is what is left. All, below 0."""
    if count == 0:
        return _numbered(NilList())
    if count < 0:
        return split(separator, text)
    if not separator:
        return _numbered(_exploded(text, min(count, len(text))))
    parts = to_bytes(text).split(to_bytes(separator), count - 1)
    return _numbered([from_bytes(part) for part in parts])


def _numbered(parts: list[Any]) -> dict[str, Any]:
    return {f"_{position}": part for position, part in enumerate(parts)}


@function("hello")
def hello() -> str:
    """Return a greeting."""
    return "Hello!"
