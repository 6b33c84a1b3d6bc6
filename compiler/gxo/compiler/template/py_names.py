"""Python names for what a template calls its own: variables, dots, definitions.

$class, $print, $x and an inner $x, .hosts     class_, print_, x, x_2, host
"""

import re

from gxo.compiler.python_source import Names
from gxo.compiler.template import ast, functions

_MEANT = frozenset(("ctx", "record", "event", "steps", "parts", "deep_copy", "convert")) | {
    *("Any", "Context", "Event", "Record", "Results")
}
"""What stands for something else inside a generated function."""


def local_names(taken: set[str]) -> Names:
    """Hands out names that no other part of one generated function has."""
    return Names(_MEANT.union(functions.families()), taken)


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


_OPERATORS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "per",
    "%": "modulo",
    "add": "plus",
    "sub": "minus",
    "mul": "times",
    "div": "per",
}
_CONVERSIONS = frozenset(("atoi", "float64", "int", "int64", "toString"))
_LONG_NAME = 30


def value_name(expression: ast.Expr) -> str:
    """What one would call the value of a call or an operator: `upper_name`, `price_times_2`."""
    match expression:
        case ast.Call("len", (value,)):
            words = ["number_of", value_name(value)]
        case ast.Call(function, (value,)) if function in _CONVERSIONS:
            words = [value_name(value)]
        case ast.Binary(operator, left, right) | ast.Call(operator, (left, right)) if (
            operator in _OPERATORS
        ):
            words = [value_name(left), _OPERATORS[operator], value_name(right)]
            if words[0].isdecimal() and words[1] in ("plus", "times"):
                words.reverse()
        case ast.Call(function, args):
            words = [_snake_case(function), *map(value_name, args[-1:])]
        case ast.Literal(int() | float() as value):
            words = [str(value)]
        case _:
            words = [noun(expression, "")]
    name = "_".join(word for word in words if word)
    return name if len(name) <= _LONG_NAME else f"{words[0]}_{words[-1]}"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def singular(word: str) -> str:
    """One of several: `hosts` to `host`, `entries` to `entry`; else `item`."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("ses"):
        return "item"  # aliases, houses, cases: their singulars end in three ways
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        return word[:-1]
    return "item"
