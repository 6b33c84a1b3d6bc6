"""Find secrets in a text, also where line breaks stand inside them.

a text with       "...hunt\n   er22..."     is searched as it is, and once more
without breaks    "...hunter22..."          each match is put back where it was

One expression finds few secrets. Many, or long ones, would make it slow: of those only some are
looked for, of which a text holds something (see `many`).
"""

import re
from functools import partial

from gxo.runtime.secrets.forms import BREAK, SHORT, encoded, pattern_of
from gxo.runtime.secrets.redact import FEW
from gxo.runtime.secrets.spans import Span, across_breaks, is_base64, merged


class Finder:
    """Finds all forms of a set of secrets, the `values`."""

    def __init__(self, values: frozenset[str]) -> None:
        self.values = values
        few, self._many = values, None
        if sum(map(len, values)) > FEW:
            from gxo.runtime.secrets.many import Many  # only jobs that have such load it

            few = frozenset(value for value in values if len(encoded(value)) < SHORT)
            self._many = Many(values - few)
            few |= frozenset(self._many.others)
        self._few = few
        self._plain = pattern_of(few) if few else None
        self._squeezed: re.Pattern[str] | None = None  # for text without its line breaks

    def spans(self, text: str) -> list[Span]:
        """Where secrets stand, in order, without overlaps."""
        spans = self._spans(text, squeezed=False)
        if BREAK.search(text) is not None:
            if self._squeezed is None and self._few:
                self._squeezed = pattern_of(self._few, squeezed=True)
            spans += across_breaks(partial(self._spans, squeezed=True), text)
        return merged(spans)

    def _spans(self, text: str, *, squeezed: bool) -> list[Span]:
        pattern = self._squeezed if squeezed else self._plain
        found = [] if pattern is None else matches(pattern, text, 0, len(text))
        return found if self._many is None else found + self._many.spans(text, squeezed=squeezed)


def matches(pattern: re.Pattern[str], text: str, begin: int, end: int) -> list[Span]:
    """Where an expression of `pattern_of` matches in a part of the text."""
    spans = []
    found = pattern.search(text, begin, end)
    while found is not None:
        start, stop = found.span()
        # The character before a base64 form that begins inside it: see `forms`.
        shared = found.lastindex is not None and start > 0 and is_base64(text[start - 1])
        spans.append((start - 1 if shared else start, stop))
        found = pattern.search(text, start + 1, end)  # secrets may overlap
    return spans
