"""Names and literals of generated Python: every name and every value gets into it through here.

before:  fetch-users, fetch_users, class        it's "so", ^\\S+$
after:   fetch_users, fetch_users_2, class_     'it\\'s "so"', r"^\\S+$"
"""

import builtins
import keyword
import math
import re
from collections.abc import Container, Iterable
from typing import Literal

Quote = Literal['"', "'"]

RESERVED = frozenset((*dir(builtins), *keyword.kwlist, *keyword.softkwlist))
"""Names that generated code leaves to Python."""


def identifier(text: str) -> str:
    """The nearest Python identifier to the text."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return f"_{name}" if not name or name[0].isdigit() else name


class Names:
    """Hands out identifiers that nobody in the same namespace has yet.

    reserved: names that are never given, besides Python's own; taken: those that are given already.
    """

    def __init__(self, reserved: Container[str] = (), taken: Iterable[str] = ()) -> None:
        self._reserved = reserved
        self._taken = set(taken)
        self._around: Names | None = None
        self._inside: set[str] = set()

    def inner(self, taken: Iterable[str] = ()) -> "Names":
        """The names of a function inside: none hides a name of these, and another function may
        have the same ones. taken: those of its parameters."""
        names = Names(self._reserved, taken)
        names._around = self
        return names

    def fresh(self, text: str) -> str:
        """A name for the text: its identifier, with `_` for a reserved word, else with a number."""
        base = identifier(text)
        if base in RESERVED or base in self._reserved:
            base = f"{base}_"
        name, number = base, 2
        while self._has(name):
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name)
        if self._around is not None:
            self._around._inside.add(name)
        return name

    def _has(self, name: str) -> bool:
        around = self._around
        return (
            name in self._taken
            or name in self._inside
            or (around is not None and name in around._taken)
        )


def literal(value: object, quote: Quote = '"') -> str:
    """The expression that evaluates to the value: text, number, bool, None, or a container of them.

    Texts stand in the quotes asked for where that needs no escape. Floats that have no literal are
    written as `float("inf")`. TypeError for anything else.
    """
    match value:
        case bool() | None | int():
            return repr(value)
        case str():
            return quoted(value, quote)
        case float():
            return repr(value) if math.isfinite(value) else f"float({quoted(str(value), quote)})"
        case list() | tuple():
            return f"[{', '.join(literal(item, quote) for item in value)}]"
        case dict():
            pairs = (f"{literal(k, quote)}: {literal(v, quote)}" for k, v in value.items())
            return "{" + ", ".join(pairs) + "}"
    raise TypeError(f"no literal for {type(value).__name__}")


def quoted(text: str, quote: Quote = '"') -> str:
    """A text literal: in other quotes where it holds only these, raw where that saves escapes."""
    other: Quote = "'" if quote == '"' else '"'
    if quote in text and other not in text:
        quote = other
    if "\\" in text and quote not in text and text.isprintable() and not text.endswith("\\"):
        return f"r{quote}{text}{quote}"
    return quote + escaped(text, quote) + quote


def escaped(text: str, quote: str) -> str:
    """The inside of a literal in these quotes."""
    source = repr(text)
    body = source[1:-1]
    if source[0] == '"':
        return body if quote == '"' else body.replace("'", "\\'")
    body = body.replace("\\'", "'")
    return body.replace(quote, "\\" + quote)
