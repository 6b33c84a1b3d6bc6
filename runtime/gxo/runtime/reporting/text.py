"""How wide text is where letters stand in a grid: on a terminal, and roughly in the page's boxes.

fit("fetch-orders", 8)     fetch-o…
fit("注文を読む", 6)         注文…      each of them is two columns wide
"""

from unicodedata import category, east_asian_width

ELLIPSIS = "…"


def columns(text: str) -> int:
    """How many columns the text takes."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if character < "\x7f":
        return 1
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def fit(text: str, most: int) -> str:
    """The text, cut to so many columns; what was cut shows as an ellipsis."""
    used = 0
    cut = 0  # characters that leave room for the ellipsis
    for index, character in enumerate(text):
        used += _width(character)
        if used <= most - 1:
            cut = index + 1
        if used > most:
            return text[:cut] + ELLIPSIS if most > 0 else ""
    return text
