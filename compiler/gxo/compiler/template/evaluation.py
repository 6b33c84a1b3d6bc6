"""The order in which the expressions of a template are evaluated, and which are in any case.

    {{ .a * .b }} {{ or .c (upper .d) }}    .a * .b, .a, .b, .c || upper .d, .c    in any case
                                            upper .d, .d                           or not

This is the order of the Python that a template is printed as, also where that is a function. What
a template function's own spelling does with its arguments (`py_spellings`) is not looked into: each
of them may be evaluated late, or never.
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
        if isinstance(node, ast.Action | ast.Assign)
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
        """What is no action that is evaluated in any case. Of a choice that is made in any case the
        first condition is. What a block goes over stands where nothing can be kept."""
        match node:
            case ast.If():
                return self._choice(node, certain)
            case ast.Action() | ast.Assign():
                return replace(node, pipe=self.perhaps(node.pipe))
            case ast.With() | ast.Range():
                pipe = self.perhaps(node.pipe)
                body, otherwise = self._bodies(node.body), self._bodies(node.otherwise)
                return replace(node, pipe=pipe, body=body, otherwise=otherwise)
            case ast.Include(argument=argument) if argument is not None:
                return replace(node, argument=self.perhaps(argument))
        return node

    def _bodies(self, nodes: tuple[ast.Node, ...]) -> tuple[ast.Node, ...]:
        return tuple(self.statement(node, certain=False) for node in nodes)

    def _choice(self, node: ast.If, certain: bool) -> ast.If:
        branches = tuple(
            replace(
                branch,
                condition=(self.certain if certain and number == 0 else self.perhaps)(
                    branch.condition
                ),
                body=self._bodies(branch.body),
            )
            for number, branch in enumerate(node.branches)
        )
        return replace(node, branches=branches, otherwise=self._bodies(node.otherwise))

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
