"""Find many secrets, or long ones, in time that hardly depends on how many they are.

An index says where one of them may stand. Most often it stands there as it is, or as JSON has it,
which is compared; for what is escaped in other ways expressions are made, of the begin first:

    secret   user: "bob" ... (60 KiB)     may stand around 17, where `user` is
    found    as it is, or as JSON; or by the expression of its first 200 characters, and where
             that matches by the next
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from json import dumps

from gxo.runtime.secrets import forms
from gxo.runtime.secrets.index import SHORT, Form, Index
from gxo.runtime.secrets.redact import GROWTH
from gxo.runtime.secrets.spans import Span, is_base64

_PIECE = 200  # characters of which an expression is made, or some more
# Behind such letters the expressions of two pieces join: what is before them has one end only.
_JOINT = re.compile(r"[A-Za-z0-9]{6}[A-Za-z](?=[A-Za-z0-9])")
_AROUND = 40  # characters that are compared before an expression is made
_BEGINS = frozenset("%\\+-_'\r")  # what an escaped form of a character begins with
_LONGER = frozenset("'%\\")  # with what an escaped form of themselves begins
_ESCAPES = frozenset("\\\"'\r")  # behind which a character of its own stands in an escaped form
_URL = {ord("+"): "-", ord("/"): "_"}
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2}){6,}")
_PADDING = re.compile(forms.PADDING)
_TAIL = re.compile(rf"{forms.BASE64}?{forms.PADDING}")


class Many:
    """Finds all forms of many secrets, as an expression of `forms.pattern_of` does."""

    def __init__(self, values: Iterable[str]) -> None:
        """values: of 6 bytes and more."""
        self._index = Index(sorted(values))
        self.others = self._index.others

    def spans(self, text: str, *, squeezed: bool) -> list[Span]:
        """Where they stand. squeezed: line breaks were taken out of the text."""
        found: list[Span] = []
        widest = (0, 0)
        escaped: dict[Form, list[range]] = {}  # where they may begin
        for at, form in self._index.met(text):
            if form.squeezed is (not squeezed):
                continue
            reach = GROWTH * len(forms.encoded(form.text))
            if widest[0] <= at - reach and at + reach <= widest[1]:
                continue  # it would add nothing
            if not _fits(form, text, at):
                continue
            span = _as_it_is(form, text, at)
            if span is not None:
                widest = max(widest, span, key=_length)
                found.append(span)
            else:
                _add(escaped.setdefault(form, []), range(max(at - reach, 0), at + 1))
        for form, places in escaped.items():
            if _holds_all(form, text):
                for starts in places:
                    found += _escaped(form, text, starts, squeezed)
        for run in _ENCODED.finditer(text):
            found += self._encoded(run)
        return found

    def _encoded(self, run: re.Match[str]) -> Iterator[Span]:
        """Where every byte is URL-encoded, also those that need not be."""
        text = bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "surrogateescape")
        for at, form in self._index.met(text):
            begin = at - form.at
            if form.base64 is None and not form.squeezed and text.startswith(form.text, begin):
                start = run.start() + 3 * len(forms.encoded(text[:begin]))
                yield start, start + 3 * len(forms.encoded(form.text))


def _add(ranges: list[range], more: range) -> None:
    """Add a range, to the last one if it begins there: they come nearly in order."""
    if ranges and ranges[-1].start <= more.start <= ranges[-1].stop:
        more = range(ranges.pop().start, more.stop)
    ranges.append(more)


def _length(span: Span) -> int:
    return span[1] - span[0]


def _as_it_is(form: Form, text: str, at: int) -> Span | None:
    """The span of the form whose listed characters stand there, if nothing but JSON escapes it.

    None also where an escape may begin before it.
    """
    for written, before in _ways(form):
        start = at - before
        if start >= 0 and text.startswith(written, start):
            if start and text[start - 1] in _ESCAPES and not _is_plain(written[0]):
                return None
            return _whole(form, text, start, start + len(written))
    return None


@lru_cache(1024)
def _ways(form: Form) -> list[tuple[str, int]]:
    """What the form is without escapes and in JSON, and how much of that stands before `at`."""
    text, before = form.text, form.text[: form.at]
    if "\\" in text or "%" in text or "'\"" in text:
        return []  # what is escaped then may look like what is not
    if form.base64 is not None:
        return [(text, form.at), (text.translate(_URL), form.at)]
    ways = [(text, form.at)]
    for ascii_only in (True, False):
        in_json = partial(dumps, ensure_ascii=ascii_only)
        ways.append((in_json(text)[1:-1], len(in_json(before)) - 2))
    if "\n" in text:
        ways.append((text.replace("\n", "\r\n"), len(before.replace("\n", "\r\n"))))
    return ways


def _fits(form: Form, text: str, at: int) -> bool:
    """Whether what is around may be the form, as it is or escaped: letters and digits never are."""
    own, end = form.text, form.at + SHORT
    if at + len(own) - form.at - own.count(" ") > len(text):
        return False
    if not text.startswith(own[form.at : end], at):
        return True
    ours = own[end : end + _AROUND]
    theirs = text[at + SHORT : at + SHORT + _AROUND]
    same = _alike(ours, theirs)
    other = ours[same : same + 1]
    may_go_on = other in ("", " ") or (not _is_plain(other) and theirs[same : same + 1] in _BEGINS)
    if not may_go_on and _LONGER.isdisjoint(own[form.at : end + same]):
        return False
    ours = own[max(form.at - _AROUND, 0) : form.at][::-1]
    theirs = text[max(at - _AROUND, 0) : at][::-1]
    same = _alike(ours, theirs)
    if not _is_plain(ours[same : same + 1]):
        return True
    return not _is_plain(own[form.at - same]) and theirs[same : same + 1] in _ESCAPES


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    both = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in both if a != b), min(len(one), len(other)))


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _escaped(form: Form, text: str, starts: range, squeezed: bool) -> Iterator[Span]:
    """The spans of the form that begin in the range."""
    first, *others = _cuts(form.text)
    expression = partial(_expression, base64=form.base64 is not None, squeezed=squeezed)
    last = starts.stop + GROWTH * len(forms.encoded(first))
    start = starts.start
    while (found := expression(first).search(text, start, last)) and found.start() in starts:
        start = found.start() + 1
        end = found.end()
        for piece in others:
            if (more := expression(piece).match(text, end)) is None:
                break
            end = more.end()
        else:
            yield _whole(form, text, found.start(), end)


def _holds_all(form: Form, text: str) -> bool:
    """Whether the text holds all letters and digits of the form, which have no other form."""
    return all(run[0] in text for run in re.finditer("[A-Za-z0-9]+", form.text))


def _cuts(text: str) -> Iterator[str]:
    """The text in pieces."""
    at = 0
    while (found := _JOINT.search(text, at + _PIECE)) is not None:
        yield text[at : found.end()]
        at = found.end()
    yield text[at:]


@lru_cache(256)
def _expression(text: str, base64: bool, squeezed: bool) -> re.Pattern[str]:
    """What finds a piece of a form."""
    if base64:
        parts = [forms.base64_forms(character) for character in text]
    else:
        parts = forms.characters(text, squeezed=squeezed)
    return re.compile("".join(map(forms.one_of, parts)))


def _whole(form: Form, text: str, start: int, end: int) -> Span:
    """The span with the characters around it that hold bits of it."""
    if form.base64 is None:
        return start, end
    tail = (_TAIL if form.is_partial else _PADDING).match(text, end)
    shared = form.base64 > 0 and start > 0 and is_base64(text[start - 1])
    return start - shared, end if tail is None else tail.end()
