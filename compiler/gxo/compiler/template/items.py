"""A template with the item of a loop written into it.

    item "web1":    {{ .item | upper }}-{{ .port }}      {{ "web1" | upper }}-{{ .port }}

Only what is then decided is written in: an action, or a whole expression, in which nothing else is
read. A list or map stays what the loop gives, since that is one value for all who get it; so does a
float, which as a literal would be Go's untyped constant.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gxo.compiler.template import ast
from gxo.compiler.template.constants import is_decided


def with_item(
    template: ast.Template | ast.Expr, values: Mapping[str, Any]
) -> ast.Template | ast.Expr:
    """The template for one instance; `values`: what the loop's variables are there, by name."""
    if not isinstance(template, ast.Template):
        return _decided(template, values)
    return replace(template, nodes=tuple(_node(node, values) for node in template.nodes))


def _node(node: ast.Node, values: Mapping[str, Any]) -> ast.Node:
    if isinstance(node, ast.Action):
        return replace(node, pipe=_decided(node.pipe, values))
    return node


def _decided(expression: ast.Expr, values: Mapping[str, Any]) -> ast.Expr:
    written = _written(expression, values)
    return written if is_decided(written) else expression


def _written(expression: ast.Expr, values: Mapping[str, Any]) -> ast.Expr:
    match expression:
        case ast.Root(kind="loop") | ast.Field(ast.Root(kind="loop")):
            return _scalar(expression, values)
        case ast.Field(base) | ast.Method(base):
            base = _written(base, values)
            if isinstance(expression, ast.Field):
                return replace(expression, base=base)
            return replace(expression, base=base, args=_all(expression.args, values))
        case ast.Call(args=args):
            return replace(expression, args=_all(args, values))
        case ast.Binary(_, left, right):
            return replace(expression, left=_written(left, values), right=_written(right, values))
        case ast.Not(operand):
            return replace(expression, operand=_written(operand, values))
        case ast.And(operands) | ast.Or(operands):
            return replace(expression, operands=_all(operands, values))
    return expression


def _all(parts: tuple[ast.Expr, ...], values: Mapping[str, Any]) -> tuple[ast.Expr, ...]:
    return tuple(_written(part, values) for part in parts)


def _scalar(chain: ast.Root | ast.Field, values: Mapping[str, Any]) -> ast.Expr:
    """The literal for `.item` or `.item.a.0`; itself where that is none, or is missing."""
    root, names = (chain, ()) if isinstance(chain, ast.Root) else (chain.base, chain.names)
    assert isinstance(root, ast.Root)
    value: Any = values.get(root.name)
    for name in names:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return chain
    if isinstance(value, str | int) and chain.span is not None:
        return ast.Literal(value, chain.span)
    return chain
