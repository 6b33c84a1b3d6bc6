"""The output gate: nothing leaves the code generator that does not parse, that black would change
in meaning, or that names things twice.

    rendered text  ->  parse  ->  black  ->  parse again, the same tree  ->  names unique

A finding here is a defect of gxo, never of the playbook.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator


class GateError(Exception):
    """The code generator wrote something that is not right; the message says what."""


def format_checked(text: str, formatted: Callable[[str], str]) -> tuple[str, ast.Module]:
    """What `formatted` makes of the text, and the syntax tree of that.

    Raises GateError if the text does not parse, or would mean something else.
    """
    before = check(text)
    text = formatted(text)
    after = ast.parse(text)
    if ast.dump(after) != ast.dump(before):
        raise GateError("formatting changed the module's meaning")
    return text, after


def check(text: str) -> ast.Module:
    """The syntax tree of the text. Raises GateError if it does not parse."""
    try:
        return ast.parse(text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise GateError(f"the module does not parse: {error}") from error


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the functions at the top of the tree."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def check_unique(names: Iterable[str]) -> None:
    """Raises GateError if a name is there twice."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise GateError(f"the module defines a name twice: {', '.join(twice)}")
