"""Which of many secrets may stand in a text: those of which it holds a few telling characters.

    secrets     user: bob-dylan                        10.0.0.12
    listed      "dyla"                                 "10.0", "10%2", "10\\u", ...
    in a text   ...in %22bob%2Ddylan%22...             nothing of that is here
                holds "dyla": the first may be here

Letters and digits have one form only (see `forms`), so wherever a secret stands some of its own do.
Those are listed that few others have. Where it has none in a row, all is listed that some of its
characters may become.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from gxo.runtime.secrets import forms

LONG, SHORT = 8, 4  # characters that are listed of a form
AT_ONCE = 1 << 16  # characters of a text
_HEAD = 200  # characters of a form, of which some are listed
_TRIED = 12  # places
_SOME = 100  # places that are looked at one by one sooner than all together
_RUN = re.compile(rf"[A-Za-z0-9]{{{SHORT},}}")
_LONG_RUN = re.compile(rf"[A-Za-z0-9]{{{LONG},}}")
_ATOM = re.compile(
    r"(?:\\(?P<escaped>.)|\[(?P<either>..)\]|\(\?:(?P<group>\d+)\)|(?P<plain>.))"
    r"(?:\{(?P<least>\d+),(?P<most>\d+)\})?",
    re.DOTALL,
)


class Form(NamedTuple):
    """One of the forms that a secret takes, before anything of it is escaped.

    base64: how many bytes stand before it in a group of three; is_partial: a character follows
    there that holds bits of the secret too. squeezed: whether it stands so only where line breaks
    were taken out (True) or not (False). at: where the characters begin that are listed.
    """

    text: str
    base64: int | None = None
    is_partial: bool = False
    squeezed: bool | None = None
    at: int = 0


class Index:
    """The forms of many secrets, by characters that a text holds wherever one of them stands."""

    def __init__(self, values: Iterable[str]) -> None:
        """values: of 6 bytes and more."""
        self._long: dict[str, list[Form]] = {}
        self._short: dict[str, list[Form]] = {}
        self.others: list[str] = []  # that have to be looked for in each text
        for value in values:
            if not (_is_unicode(value) and all(map(self._list, _forms(value)))):
                self.others.append(value)

    def met(self, text: str) -> Iterator[tuple[int, Form]]:
        """Where listed characters stand in the text, and the forms that may be there."""
        if self._long:
            for run in _LONG_RUN.finditer(text):
                yield from _met(self._long, LONG, text, *run.span())
        if self._short:
            yield from _met(self._short, SHORT, text, 0, len(text))

    def _list(self, form: Form) -> bool:
        """Whether something could be listed."""
        text = form.text[:_HEAD]
        if runs := _RUN.findall(text):
            run = max(runs, key=len)
            size, listed = (LONG, self._long) if len(run) >= LONG else (SHORT, self._short)
            begin = text.index(run)
            end = begin + len(run) - size + 1
            at = _rarest(listed, text, size, range(begin, end, max(1, len(run) // _TRIED)))
            listed.setdefault(text[at : at + size], []).append(form._replace(at=at))
            return True
        last = max(len(text) - SHORT, 0)
        at = _rarest(
            self._short, text, SHORT, [at for at in range(last + 1) if _may_begin(text, at)]
        )
        if not (grams := _begins(form, at)):
            at, grams = 0, _begins(form, 0)
        for gram in grams:
            self._short.setdefault(gram, []).append(form._replace(at=at))
        return bool(grams)


def _met(
    listed: dict[str, list[Form]], size: int, text: str, begin: int, end: int
) -> Iterator[tuple[int, Form]]:
    """As `Index.met`, in a part of the text, for what is listed by so many characters."""
    for start in range(begin, end - size + 1, AT_ONCE):
        stop = min(start + AT_ONCE, end - size + 1)
        if stop - start > _SOME and listed.keys().isdisjoint(
            _grams(text[start : stop + size - 1], size)
        ):
            continue
        for at in range(start, stop):
            for form in listed.get(text[at : at + size], ()):
                yield at, form


def _may_begin(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] != "\\"  # a run of backslashes is one


def _rarest(listed: dict[str, list[Form]], text: str, size: int, places: Iterable[int]) -> int:
    """The place where what stands there is listed for the fewest others."""
    best, fewest = 0, -1
    for at in places:
        others = listed.get(text[at : at + size])
        if others is None:
            return at
        if fewest < 0 or len(others) < fewest:
            best, fewest = at, len(others)
    return best


def _forms(value: str) -> Iterator[Form]:
    squeezed = forms.squeeze(value)
    if squeezed == value:
        yield Form(value)
    else:
        yield Form(value, squeezed=False)
        if squeezed:
            yield Form(squeezed, squeezed=True)
    for before, code, is_partial in forms.base64_texts(forms.encoded(value)):
        yield Form(code, before, is_partial)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8
        return False
    return True


def _grams(text: str, size: int) -> Iterator[str]:
    """All pieces of the text of that size."""
    return map("".join, zip(*(text[at:] for at in range(size)), strict=False))


def _begins(form: Form, at: int) -> frozenset[str]:
    """The first characters of all that may stand there in a text; nothing when some are fewer."""
    size = SHORT if " " not in form.text[at : at + SHORT] else 3 * SHORT  # which may be left out
    return _begins_of(form.text[at : at + size], form.base64 is not None)


@lru_cache(4096)
def _begins_of(text: str, base64: bool) -> frozenset[str]:
    if base64:
        parts = [forms.base64_forms(character) for character in text]
    else:
        parts = forms.characters(text, squeezed=True)
    complete: set[str] = set()
    shorter = {""}
    for each in parts:
        longer = {head + more for head in shorter for one in each for more in _written(one)}
        complete.update(head[:SHORT] for head in longer if len(head) >= SHORT)
        shorter = {head for head in longer if len(head) < SHORT}
    return frozenset() if shorter else frozenset(complete)


@lru_cache(4096)
def _written(form: str) -> frozenset[str]:
    """What an expression of `forms` may begin with, as far as four characters tell it apart."""
    texts = {""}
    for atom in _ATOM.finditer(form):
        units = atom["either"] or (atom["escaped"] or atom["group"] or atom["plain"],)
        least, most = int(atom["least"] or 1), int(atom["most"] or 1)
        times = range(least, max(least, min(most, SHORT)) + 1)
        texts = {text + unit * count for text in texts for unit in units for count in times}
    return frozenset(texts)
