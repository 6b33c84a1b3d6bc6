"""What an action prints when its names have the values that they have by default.

{{ trimSuffix "/" .api }}, {api: https://api.example.com/}     https://api.example.com
{{ .rows.count }}, {{ now }}                                   None: only the run knows
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from gxo.compiler.template import ast
from gxo.compiler.template.constants import NoValueError, is_decided, value_of
from gxo.compiler.template.to_python import Want
from gxo.compiler.template.walk import expressions


class UnknownError(Exception):
    """A name has no value that is known."""


def evaluated(
    action: ast.Action, template: ast.Template, value: Callable[[ast.Root], Any]
) -> str | None:
    """The text, by the code that the job would run; None when it has none.

    value: what a name stands for; it raises UnknownError.
    """
    given: dict[str, Any] = {}
    try:
        for part in expressions(action.pipe):
            if isinstance(part, ast.Root):
                given[_name(part)] = value(part)
        node = _as_loops(action)
        if not is_decided(node.pipe, given):
            return None
        text = value_of(replace(template, nodes=(node,), defines=()), Want("text"), given)
    except (NoValueError, UnknownError):
        return None
    return text if isinstance(text, str) else None


def _name(root: ast.Root) -> str:
    return f"{root.kind}_{root.name}"


def _as_loops(node: Any) -> Any:
    """The node with each name as the variable of a loop, as which a value can be given to it."""
    if isinstance(node, ast.Root):
        name = _name(node)
        return ast.Root("loop", name, node.type, f"given_{node.kind}_{node.name}", span=node.span)
    if isinstance(node, tuple) and type(node) is tuple:
        return tuple(map(_as_loops, node))
    if is_dataclass(node) and not isinstance(node, type) and type(node).__module__ == ast.__name__:
        made = {one.name: _as_loops(getattr(node, one.name)) for one in fields(node)}
        return replace(node, **made)
    return node
