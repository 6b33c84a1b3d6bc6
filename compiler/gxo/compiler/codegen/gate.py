"""The output gate: nothing leaves the code generator that does not parse, or that names things
twice.

    rendered text  ->  parse  ->  names unique  ->  black  ->  parse again, the same tree

A finding here is a defect of gxo, never of the playbook.
"""

import ast
from collections import Counter

from gxo.compiler.codegen.formatting import format_text


class GateError(Exception):
    """The code generator wrote something that is not right; the message says what."""


def format_module(text: str) -> str:
    """The module as it is written out: what black makes of the text.

    Raises GateError if the text does not parse, defines a name twice, or changes its meaning.
    """
    tree = check_module(text)
    formatted = format_text(text, tree)
    if ast.dump(ast.parse(formatted)) != ast.dump(tree):
        raise GateError("formatting changed the module's meaning")
    return formatted


def check_module(text: str) -> ast.Module:
    """The module's syntax tree. Raises GateError as `format_module` does."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise GateError(f"the module does not parse: {error}") from error
    defined = Counter(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    twice = sorted(name for name, count in defined.items() if count > 1)
    if twice:
        raise GateError(f"the module defines a name twice: {', '.join(twice)}")
    return tree
