"""Sprig's regular expressions: RE2's syntax, linear time. See `gxo.runtime.regex` for how."""

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import NilList, whole
from gxo.runtime.functions import function
from gxo.runtime.regex import Pattern, compile_pattern, translate

__all__ = ["translate"]

_META = frozenset("\\.+*?()|[]{}^$")


@function("regexMatch")
def regex_match(pattern: str, text: str) -> bool:
    """Return whether the pattern matches somewhere; a wrong pattern matches nowhere."""
    try:
        return compile_pattern(pattern).search(text) is not None
    except ExpressionError:
        return False


@function("mustRegexMatch")
def must_regex_match(pattern: str, text: str) -> bool:
    """Return whether the pattern matches somewhere."""
    return compile_pattern(pattern).search(text) is not None


@function("regexFind", "mustRegexFind")
def regex_find(pattern: str, text: str) -> str:
    """Return the first match, "" without one."""
    spans = compile_pattern(pattern).search(text)
    return "" if spans is None else text[spans[0] : spans[1]]


@function("regexFindAll", "mustRegexFindAll")
def regex_find_all(pattern: str, text: str, count: int) -> list[str]:
    """Return the matches, at most `count` of them, all with -1."""
    matches = compile_pattern(pattern).matches(text, count)
    return [text[spans[0] : spans[1]] for spans in matches] or NilList()


@function("regexReplaceAll", "mustRegexReplaceAll")
def regex_replace_all(pattern: str, text: str, replacement: str) -> str:
    """Return the text with each match replaced; `$1`, `${name}` in the replacement are groups."""
    compiled = compile_pattern(pattern)
    result: list[str] = []
    at = 0
    for spans in compiled.matches(text):
        result += (text[at : spans[0]], _expand(replacement, compiled, text, spans))
        at = spans[1]
    return whole("".join(result) + text[at:])


@function("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral")
def regex_replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    """Return the text with each match replaced by the replacement as it is."""
    result: list[str] = []
    at = 0
    for spans in compile_pattern(pattern).matches(text):
        result += (text[at : spans[0]], replacement)
        at = spans[1]
    return whole("".join(result) + text[at:])


@function("regexSplit", "mustRegexSplit")
def regex_split(pattern: str, text: str, count: int) -> list[str]:
    """Return the parts between the matches, at most `count`, all with -1."""
    compiled = compile_pattern(pattern)
    if count == 0:
        return NilList()
    if pattern and not text:
        return [""]
    parts: list[str] = []
    start = end = 0
    for spans in compiled.matches(text):
        if 0 < count <= len(parts) + 1:
            break
        end = spans[0]
        if spans[1] != 0:
            parts.append(text[start:end])
        start = spans[1]
    if end != len(text):
        parts.append(text[start:])
    return parts


@function("regexQuoteMeta")
def regex_quote_meta(text: str) -> str:
    """Return a pattern that matches just the text."""
    return "".join([f"\\{char}" if char in _META else char for char in text])


def _expand(replacement: str, pattern: Pattern, text: str, spans: tuple[int, ...]) -> str:
    """Return the replacement with `$1`, `$name`, `${name}` filled in, and `$$` as a dollar."""
    result: list[str] = []
    before, dollar, rest = replacement.partition("$")
    while dollar:
        result.append(before)
        if rest.startswith("$"):
            result.append("$")
            rest = rest[1:]
        elif (name := _reference(rest)) is None:
            result.append("$")
        else:
            rest = rest[len(name) :]
            result.append(_group(name.strip("{}"), pattern, text, spans))
        before, dollar, rest = rest.partition("$")
    return "".join(result) + before


def _reference(text: str) -> str | None:
    """Return the `name` or `{name}` that a text starts with, None without one."""
    braced = text.startswith("{")
    end = 1 if braced else 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if braced:
        return text[: end + 1] if end > 1 and text[end : end + 1] == "}" else None
    return text[:end] or None


def _group(name: str, pattern: Pattern, text: str, spans: tuple[int, ...]) -> str:
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 9 else None
    if number is None:
        number = pattern.names.get(name, -1)
    if not 0 <= number <= pattern.groups:
        return ""
    start, end = spans[2 * number : 2 * number + 2]
    return text[start:end] if start >= 0 else ""
