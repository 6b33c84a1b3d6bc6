"""Effects as a list that can be read, searched and compared: each once, whoever has it.

commands      df  (df -P)
hosts         dynamic: {{ .api }}/orders
secrets       API_TOKEN
"""

import unicodedata
from collections.abc import Callable, Iterable

from gxo.compiler.effects import KINDS, Capability, Effect, capabilities

_ASCII = ("hosts", "ports", "listens", "lookups")
"""What is compared by eye, and in which other alphabets have letters that look the same."""

WIDTH = max(map(len, KINDS))


def as_data(effects: Iterable[Effect], line_of: Callable[[str], int]) -> list[dict[str, object]]:
    """The capabilities for programs; `by` says which workloads have each, and at which line."""
    return [
        {
            **one._asdict(),
            "by": [
                {
                    "workload": effect.workload or None,
                    "module": effect.module or None,
                    "line": line_of(effect.workload) or None,
                }
                for effect in found
            ],
        }
        for one, found in capabilities(effects).items()
    ]


def line(one: Capability) -> str:
    """The capability on a line, in which nothing can hide or move the cursor."""
    return f"{one.kind:<{WIDTH}}  {shown(one)}"


def shown(one: Capability) -> str:
    """What is touched, with all that is known of it."""
    text = f"dynamic: {one.what}" if one.dynamic else one.what
    more = [one.detail] if one.detail not in ("", one.what) else []
    more += [f"by default, {one.expression}"] if one.expression else []
    return visible(f"{text}  ({'; '.join(more)})" if more else text, strict=one.kind in _ASCII)


def visible(text: str, strict: bool = False) -> str:
    """The text with all that a reader could not see, or not tell from something else, as escapes.

    strict: only ASCII is left, as letters of other alphabets look like its own.
    """
    return "".join(map(_strictly_seen if strict else _seen, text))


def _strictly_seen(character: str) -> str:
    return _seen(character) if character.isascii() else _escaped(character)


def _seen(character: str) -> str:
    if " " <= character <= "~":
        return character
    hidden = unicodedata.category(character)[0] in "CZ" or unicodedata.combining(character)
    return _escaped(character) if hidden else character


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
