"""Find secrets in a text, also where line breaks stand inside them.

a text with       "...hunt\\n   er22..."     is searched as it is, and once more
without breaks    "...hunter22..."          each match is put back where it was
"""

import re
from bisect import bisect_right

from gxo.runtime.secrets.forms import BREAK, pattern_of

Span = tuple[int, int]


class Finder:
    """Finds all forms of a set of secrets, the `values`."""

    def __init__(self, values: frozenset[str]) -> None:
        self.values = values
        self._plain = pattern_of(values)
        self._squeezed: re.Pattern[str] | None = None  # for text without its line breaks

    def spans(self, text: str) -> list[Span]:
        """Where secrets stand, in order, without overlaps."""
        spans = _matches(self._plain, text)
        if BREAK.search(text) is not None:
            if self._squeezed is None:
                self._squeezed = pattern_of(self.values, squeezed=True)
            spans += _matches_across_breaks(self._squeezed, text)
        return _merged(spans)


def _matches(finder: re.Pattern[str], text: str) -> list[Span]:
    spans = []
    found = finder.search(text)
    while found is not None:
        start, end = found.span()
        # The character before a base64 form that begins inside it: see redact_forms.
        partial = found.lastindex is not None and start > 0 and _is_base64(text[start - 1])
        spans.append((start - 1 if partial else start, end))
        found = finder.search(text, start + 1)  # secrets may overlap
    return spans


def _is_base64(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "+/-_")


def _matches_across_breaks(finder: re.Pattern[str], text: str) -> list[Span]:
    """Matches in the text without its line breaks, as spans of the text with them."""
    pieces: list[str] = []
    begins = [0]  # of each piece, in the squeezed text and in the original
    originals = [0]
    length = at = 0
    for found in BREAK.finditer(text):
        pieces.append(text[at : found.start()])
        length += found.start() - at
        at = found.end()
        begins.append(length)
        originals.append(at)
    pieces.append(text[at:])

    def original(position: int) -> int:
        piece = bisect_right(begins, position) - 1
        return originals[piece] + position - begins[piece]

    found_in = _matches(finder, "".join(pieces))
    return [(original(start), original(end - 1) + 1) for start, end in found_in]


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
