"""Places in a text at which secrets stand."""

from bisect import bisect_right
from collections.abc import Callable

from gxo.runtime.secrets.forms import BREAK

Span = tuple[int, int]


def is_base64(character: str) -> bool:
    """Whether it may be one of a base64 text, without its padding."""
    return character.isascii() and (character.isalnum() or character in "+/-_")


def across_breaks(find: Callable[[str], list[Span]], text: str) -> list[Span]:
    """What is found in the text without its line breaks, as spans of the text with them."""
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

    found_in = find("".join(pieces))
    return [(original(start), original(end - 1) + 1) for start, end in found_in]


def merged(spans: list[Span]) -> list[Span]:
    """The spans in order; those that overlap are one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
