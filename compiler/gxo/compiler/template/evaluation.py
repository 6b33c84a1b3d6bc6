"""The order in which the expressions of a template are evaluated, and which are in any case.

    {{ .a * .b }} {{ or .c (upper .d) }}    .a * .b, .a, .b, .c || upper .d, .c    in any case
                                            upper .d, .d                           or not

This is the order of the Python that a template is printed as where that needs no function. What a
function's own spelling does with its arguments (`py_spellings`) is not looked into: each of them
may be evaluated late, or never.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gxo.compiler.frozen import replace
from gxo.compiler.template import ast
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.py_spellings import SPELLINGS

_LATE = SPELLINGS.keys() | {"default", "empty"}
"""Functions that are not printed as a call, with their arguments in order."""

Visit = Callable[[ast.Expr, bool, Callable[[], ast.Expr]], ast.Expr]
"""What becomes of an expression. It is told whether that is evaluated in any case, and gets the
expression with what becomes of its parts by calling the function that it is given."""


def visited(
    template: ast.Template | ast.Expr, visit: Visit, *, holds: bool = False
) -> ast.Template | ast.Expr:
    """The template with what `visit` makes of each expression, in the order of their evaluation.

    holds: it is a condition, and what is evaluated later is so only where it holds, so that all
    sides of its outermost `and` were.
    """
    visitor = _Visitor(visit)
    outermost = visitor.condition if holds else visitor.certain
    if not isinstance(template, ast.Template):
        return outermost(template)
    if single_action(template) is None:
        outermost = visitor.certain
    nodes = tuple(
        replace(node, pipe=outermost(node.pipe))
        if isinstance(node, ast.Action)
        else visitor.statement(node)
        for node in template.nodes
    )
    return replace(template, nodes=nodes)


def without_shared(expression: ast.Expr) -> ast.Expr:
    """The expression as it was before something in it was shared."""

    def plain(part: ast.Expr, certain: bool, inside: Callable[[], ast.Expr]) -> ast.Expr:
        del certain
        return without_shared(part.value) if isinstance(part, ast.Shared) else inside()

    return _Visitor(plain).certain(expression)


@dataclass(frozen=True, slots=True)
class _Visitor:
    visit: Visit

    def certain(self, expression: ast.Expr) -> ast.Expr:
        return self.visit(expression, True, lambda: self._inside(expression, True))

    def perhaps(self, expression: ast.Expr) -> ast.Expr:
        return self.visit(expression, False, lambda: self._inside(expression, False))

    def condition(self, expression: ast.Expr) -> ast.Expr:
        if not isinstance(expression, ast.And):
            return self.certain(expression)
        choice = expression
        return self.visit(choice, True, lambda: _with(choice, map(self.condition, choice.operands)))

    def statement(self, node: ast.Node, certain: bool = True) -> ast.Node:
        """A choice between texts and actions: what is no action in a template that is printed as an
        expression. Only the first condition of one that is made in any case is evaluated then."""
        if isinstance(node, ast.Action):
            return replace(node, pipe=self.perhaps(node.pipe))
        if not isinstance(node, ast.If):
            return node
        branches = tuple(
            replace(
                branch,
                condition=(self.certain if certain and number == 0 else self.perhaps)(
                    branch.condition
                ),
                body=tuple(self.statement(part, certain=False) for part in branch.body),
            )
            for number, branch in enumerate(node.branches)
        )
        otherwise = tuple(self.statement(part, certain=False) for part in node.otherwise)
        return replace(node, branches=branches, otherwise=otherwise)

    def _inside(self, expression: ast.Expr, certain: bool) -> ast.Expr:
        """The expression with what becomes of its parts."""
        part = self.certain if certain else self.perhaps
        match expression:
            case ast.Shared(_, value, True):
                return replace(expression, value=part(value))
            case ast.Field(base):
                return replace(expression, base=part(base))
            case ast.Call(function, args):
                each = self.perhaps if function in _LATE else part
                return replace(expression, args=tuple(map(each, args)))
            case ast.Method(base, _, args):
                base = part(base)
                return replace(expression, base=base, args=tuple(map(part, args)))
            case ast.Binary(_, left, right):
                left = part(left)
                return replace(expression, left=left, right=part(right))
            case ast.Not(operand):
                return replace(expression, operand=part(operand))
            case ast.And((first, *rest)) | ast.Or((first, *rest)):
                return _with(expression, (part(first), *map(self.perhaps, rest)))
        return expression


def _with(choice: ast.And | ast.Or, operands: Iterable[ast.Expr]) -> ast.Expr:
    return replace(choice, operands=tuple(operands))
