"""Visit every part of a template, without recursion."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from gxo.compiler.template import ast

_Parts = Callable[[Any], tuple[ast.Expr, ...]]

# By class: a template has each of its expressions visited fifty times on its way to Python.
_PIPES: dict[type[ast.Node], _Parts] = {
    ast.Action: lambda action: (action.pipe,),
    ast.Assign: lambda assign: (assign.pipe,),
    ast.With: lambda block: (block.pipe,),
    ast.Range: lambda block: (block.pipe,),
    ast.If: lambda choice: tuple([branch.condition for branch in choice.branches]),
    ast.Include: lambda include: () if include.argument is None else (include.argument,),
}
_PARTS: dict[type[ast.Expr], _Parts] = {
    ast.Field: lambda field: (field.base,),
    ast.Shared: lambda shared: (shared.value,),
    ast.Call: attrgetter("args"),
    ast.Method: lambda method: (method.base, *method.args),
    ast.Binary: attrgetter("left", "right"),
    ast.Not: lambda negation: (negation.operand,),
    ast.And: attrgetter("operands"),
    ast.Or: attrgetter("operands"),
}


def parts(expression: ast.Expr) -> tuple[ast.Expr, ...]:
    """The expressions that an expression is made of."""
    parts_of = _PARTS.get(type(expression))
    return parts_of(expression) if parts_of else ()


def nodes(template: ast.Template) -> Iterator[ast.Node]:
    """Every statement of a template and of what it defines, outer ones first."""
    pending = list(template.nodes)
    for define in template.defines:
        pending.extend(define.body)
    return _all(pending)


def variables(nodes: tuple[ast.Node, ...]) -> set[str]:
    """The names of the variables that statements read."""
    roots = [pipe for node in _all([*nodes]) for pipe in pipes(node)]
    parts = [part for pipe in roots for part in expressions(pipe)]
    return {part.name for part in parts if isinstance(part, ast.Variable)}


def _all(pending: list[ast.Node]) -> Iterator[ast.Node]:
    """The statements and those inside them, outer ones first."""
    pending.reverse()
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If):
            pending.extend(reversed(node.otherwise))
            for branch in reversed(node.branches):
                pending.extend(reversed(branch.body))
        elif isinstance(node, ast.With | ast.Range):
            pending.extend(reversed((*node.body, *node.otherwise)))


def pipes(node: ast.Node) -> tuple[ast.Expr, ...]:
    """The expressions that stand in a statement itself."""
    pipes_of = _PIPES.get(type(node))
    return pipes_of(node) if pipes_of else ()


def expressions(template: ast.Template | ast.Expr) -> list[ast.Expr]:
    """Every expression of a template, whole ones before their parts."""
    found: list[ast.Expr] = []
    if isinstance(template, ast.Template):
        for node in nodes(template):
            if pipes_of := _PIPES.get(type(node)):
                found += pipes_of(node)
    else:
        found.append(template)
    for expression in found:  # which grows on the way
        if parts_of := _PARTS.get(type(expression)):
            found += parts_of(expression)
    return found
