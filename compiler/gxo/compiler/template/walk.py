"""Visit every part of a template, without recursion."""

from collections.abc import Iterator

from gxo.compiler.template import ast


def parts(expression: ast.Expr) -> tuple[ast.Expr, ...]:
    """The expressions that an expression is made of."""
    match expression:
        case ast.Field(base):
            return (base,)
        case ast.Shared(_, value):
            return (value,)
        case ast.Call(_, args):
            return args
        case ast.Method(base, _, args):
            return (base, *args)
        case ast.Binary(_, left, right):
            return (left, right)
        case ast.Not(operand):
            return (operand,)
        case ast.And(operands) | ast.Or(operands):
            return operands
        case _:
            return ()


def nodes(template: ast.Template) -> Iterator[ast.Node]:
    """Every statement of a template and of what it defines, outer ones first."""
    pending = list(template.nodes)
    for define in template.defines:
        pending.extend(define.body)
    yield from _all(pending)


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
        inner: list[ast.Node] = []
        if isinstance(node, ast.If):
            for branch in node.branches:
                inner.extend(branch.body)
            inner.extend(node.otherwise)
        elif isinstance(node, ast.With | ast.Range):
            inner = [*node.body, *node.otherwise]
        pending.extend(reversed(inner))


def pipes(node: ast.Node) -> tuple[ast.Expr, ...]:
    """The expressions that stand in a statement itself."""
    match node:
        case ast.Action(pipe) | ast.Assign(pipe=pipe) | ast.With(pipe=pipe) | ast.Range(pipe=pipe):
            return (pipe,)
        case ast.If(branches):
            return tuple([branch.condition for branch in branches])
        case ast.Include(_, argument) if argument is not None:
            return (argument,)
        case _:
            return ()


def expressions(template: ast.Template | ast.Expr) -> Iterator[ast.Expr]:
    """Every expression of a template, whole ones before their parts."""
    pending: list[ast.Expr] = []
    if isinstance(template, ast.Template):
        for node in nodes(template):
            pending.extend(pipes(node))
    else:
        pending.append(template)
    while pending:
        expression = pending.pop()
        yield expression
        pending.extend(parts(expression))
