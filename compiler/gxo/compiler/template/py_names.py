"""Python names for what a template calls its own: variables, dots, definitions.

$class, $print, $x and an inner $x, .hosts     class_, print_, x, x_2, host
"""

import builtins
import keyword
import re

from gxo.compiler.template import ast, functions

_RESERVED = frozenset(
    (
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *("ctx", "record", "parts", "deep_copy", "Any", "Context", "Record"),
    )
)


class LocalNames:
    """Hands out names that no other part of one generated function has."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)

    def fresh(self, wanted: str) -> str:
        """The name itself, with `_` behind a reserved word, else with a number."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "value"
        if base[0].isdigit():
            base = f"_{base}"
        if base in _RESERVED or base in functions.families():
            base = f"{base}_"
        name, number = base, 2
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name)
        return name


def noun(expression: ast.Expr, fallback: str) -> str:
    """What an expression's value is called: the last name of its chain."""
    match expression:
        case ast.Field(_, names) if isinstance(names[-1], str):
            return names[-1]
        case ast.Root(name=name) if name:
            return name
        case ast.Variable(name) if name:
            return name
        case _:
            return fallback


def singular(word: str) -> str:
    """One of several: `hosts` to `host`, `entries` to `entry`; else `item`."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        return word[:-1]
    return "item"
