"""The import statements of a Python file that can happen when it runs, read from its syntax tree.

before:  if TYPE_CHECKING:
             from a import A
         def run():
             from b import B
after:   from b import B
"""

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Parse and compile others' Python without its warnings, which each time would print again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def import_statements(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield every import that can happen, also those inside functions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                waiting += node.orelse
            case _:
                waiting += ast.iter_child_nodes(node)


def origin(statement: ast.ImportFrom, package: str) -> str:
    """The module that `from ... import` names, in a file whose own import name is `package`."""
    if not statement.level:
        return statement.module or ""
    above = package.split(".")[: -statement.level]
    return ".".join([*above, *([statement.module] if statement.module else [])])
