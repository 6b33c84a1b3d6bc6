"""How two texts differ, as `diff -u` prints it.

    --- made/sync.py
    +++ made/sync.py
    @@ -12,2 +12,2 @@
     async def fetch(ctx: Context) -> http.Response:
    -    return await http.request(ctx, url="https://a.example")
    +    return await http.request(ctx, url="https://b.example")

Lines end at line feeds only. What would move a terminal's cursor, or show a text in another order
than it has, is written as an escape.
"""

import difflib
import io
from collections.abc import Iterator
from itertools import zip_longest

_NO_END = "\\ No newline at end of file"
_COLOURS = {"---": "1", "+++": "1", "@": "36", "-": "31", "+": "32"}


def unified(old: str, new: str, old_name: str, new_name: str) -> list[str]:
    """The lines of the unified diff, without line feeds; none where the texts are the same."""
    lines = difflib.unified_diff(
        _lines(old), _lines(new), shown(old_name), shown(new_name), lineterm="\n"
    )
    return [out for line in lines for out in _ended(line)]


def coloured(line: str) -> str:
    """A line of a diff in the colours that people know, for a terminal."""
    colour = next((of for begin, of in _COLOURS.items() if line.startswith(begin)), None)
    return f"\x1b[{colour}m{line}\x1b[0m" if colour else line


def first_difference(old: str, new: str) -> int:
    """The number of the first line, from 1, that is another one in the other text; 1 of none."""
    lines = enumerate(zip_longest(_lines(old), _lines(new)), 1)
    return next((number for number, (one, other) in lines if one != other), 1)


def shown(text: str) -> str:
    """The text on one line, with an escape for each character that would not be seen as itself."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\t" else _escape(one) for one in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline="\n"))


def _ended(line: str) -> Iterator[str]:
    yield shown(line.removesuffix("\n"))
    if not line.endswith("\n"):
        yield _NO_END
