"""Templates without what is the same in every run.

    {{ upper "ok" }}-{{ .name }}                       OK-{{ .name }}
    {{ if eq "a" "b" }}x{{ else }}{{ .y }}{{ end }}    {{ .y }}
    {{ 1 + 2 + .n }}                                   {{ 3 + .n }}
    {{ or (lower "A") .x }}                            Decided("a")

The values come from the code that would run (`constants`). What fails stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gxo.compiler.diagnostics import Span
from gxo.compiler.frozen import replace
from gxo.compiler.template import ast, functions
from gxo.compiler.template.constants import NoValueError, is_decided, value_of
from gxo.compiler.template.infer import infer
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.to_python import Want
from gxo.compiler.template.walk import expressions, parts
from gxo.compiler.types import INT

_FOLDABLE = (ast.Literal, ast.Call, ast.Method, ast.Binary, ast.Not, ast.And, ast.Or)
"""The parts one of which a template must have that is not only names."""

Tell = Callable[[Span, str], None]


@dataclass(frozen=True, slots=True)
class Decided:
    """The value of a template that is a constant: a text, number, bool, nil, list or map."""

    value: Any


def ignore(span: Span, text: str) -> None:
    """The default: nobody asks what was folded."""


def fold(
    template: ast.Template | ast.Expr, want: Want, tell: Tell = ignore
) -> ast.Template | ast.Expr | Decided:
    """The template with all in it that is constant computed; itself where there is nothing.

    tell: called with each place where something was folded, or could not be, and what it was.
    """
    if not _may_fold(template):
        return template
    folder = _Folder(tell)
    if not isinstance(template, ast.Template):
        return folder.finished(template, folder.condition(template), want)
    action = single_action(template)
    if action is not None and want.kind != "text":
        if is_decided(action):
            return folder.finished(template, template, want)
        return folder.finished(template, folder.template(template, printed=False), want)
    if want.kind != "condition":
        return folder.finished(template, folder.template(template, printed=True), want)
    # A condition is judged by what its block prints: a block it stays, or it is a constant.
    folded = _Folder(ignore).template(template, printed=True)
    return folder.finished(template, folded, want) if _is_text(folded) else template


def _may_fold(template: ast.Template | ast.Expr) -> bool:
    """Whether something may be decided: in most templates every part needs a name's value.

    The innermost part that is decided has only literals in it. A literal itself decides where
    it stands alone, or among the operands of a choice.
    """
    found = expressions(template)
    if not any(isinstance(part, _FOLDABLE) for part in found):
        return False
    alone = sum(isinstance(part, ast.Literal | ast.Nil) for part in found)
    for whole in found:
        inside = parts(whole)
        if not inside and not isinstance(whole, ast.Call):
            continue
        literals = sum(isinstance(part, ast.Literal | ast.Nil) for part in inside)
        if literals == len(inside):
            return True
        if not isinstance(whole, ast.And | ast.Or):
            alone -= literals
    return alone > 0


@dataclass(frozen=True, slots=True)
class _Folder:
    tell: Tell

    def finished(
        self,
        template: ast.Template | ast.Expr,
        folded: ast.Template | ast.Expr,
        want: Want,
    ) -> ast.Template | ast.Expr | Decided:
        """What was folded, or its value when nothing is left that a run decides."""
        if not _is_decided(folded, want):
            return template if folded == template else folded
        try:
            return Decided(value_of(folded, want))
        except NoValueError as why:
            assert template.span is not None
            self.explain_not(template.span, why)
            return template

    def template(self, template: ast.Template, *, printed: bool) -> ast.Template:
        return replace(template, nodes=self._nodes(template.nodes, template, printed=printed))

    # Statements

    def _nodes(
        self, nodes: tuple[ast.Node, ...], template: ast.Template, *, printed: bool
    ) -> tuple[ast.Node, ...]:
        """The statements folded; `printed`: what an action gives is a text."""
        folded: list[ast.Node] = []
        for node in nodes:
            for part in self._node(node, template, printed):
                before = folded[-1] if folded else None
                if isinstance(part, ast.Text) and isinstance(before, ast.Text):
                    folded[-1] = replace(before, value=before.value + part.value)
                else:
                    folded.append(part)
        return tuple(folded)

    def _node(self, node: ast.Node, template: ast.Template, printed: bool) -> tuple[ast.Node, ...]:
        match node:
            case ast.Action(pipe):
                if printed and is_decided(pipe) and not isinstance(pipe, ast.Literal):
                    return (self._text(node, template),)
                return (replace(node, pipe=self._expression(pipe)),)
            case ast.If():
                return self._if(node, template)
            case ast.With() | ast.Range():
                return (
                    replace(
                        node,
                        pipe=self._expression(node.pipe),
                        body=self._nodes(node.body, template, printed=True),
                        otherwise=self._nodes(node.otherwise, template, printed=True),
                    ),
                )
            case ast.Assign(pipe=pipe):
                return (replace(node, pipe=self._expression(pipe)),)
        return (node,)

    def _text(self, node: ast.Action, template: ast.Template) -> ast.Node:
        """What the action prints."""
        try:
            text = value_of(replace(template, nodes=(node,), defines=()), Want("text"))
        except NoValueError as why:
            self.explain_not(node.span, why)
            return node
        self.tell(node.span, f"the text is always {text!r}")
        return ast.Text(text, node.span)

    def _if(self, node: ast.If, template: ast.Template) -> tuple[ast.Node, ...]:
        branches: list[ast.Branch] = []
        otherwise = node.otherwise
        told: list[tuple[Span, str]] = []
        for branch in node.branches:
            condition = branch.condition
            truth = None if branch.variable is not None else self._truth(condition)
            if truth is None:
                body = self._nodes(branch.body, template, printed=True)
                folded = self._expression(condition)
                branches.append(replace(branch, condition=folded, body=body))
                continue
            text = "true: what it guards is kept" if truth else "false: what it guards is left out"
            told.append((condition.span or node.span, f"always {text}"))
            if truth:
                otherwise = branch.body
                break
        if told and not branches and not _stands_alone(otherwise):
            return (node,)
        for span, text in told:
            self.tell(span, text)
        otherwise = self._nodes(otherwise, template, printed=True)
        if not branches:
            return otherwise
        return (replace(node, branches=tuple(branches), otherwise=otherwise),)

    # Expressions

    def condition(self, expression: ast.Expr) -> ast.Expr:
        """A condition that is written around actions: its operands are conditions themselves."""
        match expression:
            case ast.Not(operand):
                return replace(expression, operand=self.condition(operand))
            case ast.And(operands) | ast.Or(operands):
                stops = isinstance(expression, ast.Or)
                folded = tuple(map(self.condition, operands))
                return self._choice(expression, folded, stops, judged=True)
        return self._expression(expression)

    def _expression(self, expression: ast.Expr) -> ast.Expr:
        match expression:
            case ast.Literal() | ast.Nil() | ast.Root() | ast.Dot() | ast.Variable():
                return expression
            case ast.Shared():
                return expression
        if is_decided(expression):
            return self._literal(expression)
        match expression:
            case ast.Field(base):
                return replace(expression, base=self._expression(base))
            case ast.Call(args=args):
                folded = tuple(self._argument(expression, place) for place in range(len(args)))
                return replace(expression, args=folded)
            case ast.Method(base):
                return replace(expression, base=self._expression(base))
            case ast.Binary(_, left, right):
                left = self._expression(left)
                return replace(expression, left=left, right=self._expression(right))
            case ast.Not(operand):
                return replace(expression, operand=self._expression(operand))
            case ast.And(operands) | ast.Or(operands):
                stops = isinstance(expression, ast.Or)
                folded = tuple(map(self._expression, operands))
                return self._choice(expression, folded, stops, judged=False)

    def _argument(self, call: ast.Call, place: int) -> ast.Expr:
        """A literal 2.0 is an int where one is wanted (Go's constants), a computed one is none."""
        argument = call.args[place]
        signature = functions.find(call.function)
        parameter = signature.parameter(place) if signature else None
        if parameter is not None and parameter[1] == INT and infer(argument).type != INT:
            return argument
        return self._expression(argument)

    def _choice(
        self,
        choice: ast.And | ast.Or,
        operands: tuple[ast.Expr, ...],
        stops: bool,
        *,
        judged: bool,
    ) -> ast.Expr:
        """Without the first operands that decide nothing; `stops` is the truth that ends it."""
        for number, operand in enumerate(operands):
            truth = self._truth(operand, judged)
            if truth is None or number == len(operands) - 1:
                return replace(choice, operands=operands[number:])
            if truth is stops:
                span = operand.span or choice.span
                self.tell(span, f"always {str(truth).lower()}: it decides")
                return operand
        return choice

    def _literal(self, expression: ast.Expr) -> ast.Expr:
        span = expression.span
        assert span is not None
        try:
            value = value_of(expression, Want("native"))
        except NoValueError as why:
            self.explain_not(span, why)
            return expression
        if value is None or isinstance(value, list | dict):
            return expression
        self.tell(span, f"the value is always {value!r}")
        return ast.Literal(value, span)

    def _truth(self, condition: ast.Expr, judged: bool = False) -> bool | None:
        """Whether it holds in every run; `judged`: as a condition does, "false" being false."""
        span = condition.span
        if span is None or not is_decided(condition):
            return None
        want = Want("condition") if judged else Want("native")
        asked: ast.Expr = condition if judged else ast.Not(condition, span)
        try:
            value = value_of(asked, want)
        except NoValueError as why:
            self.explain_not(span, why)
            return None
        return bool(value) if judged else not value

    def explain_not(self, span: Span, why: NoValueError) -> None:
        if str(why):
            self.tell(span, f"not folded: {why}")


def _is_decided(template: ast.Template | ast.Expr, want: Want) -> bool:
    """Whether nothing is left to evaluate but what has no names."""
    if not isinstance(template, ast.Template):
        return is_decided(template)
    action = single_action(template)
    if action is not None and want.kind != "text":
        return is_decided(action)
    return _is_text(template)


def _is_text(template: ast.Template) -> bool:
    return all(isinstance(node, ast.Text) for node in template.nodes)


def _stands_alone(body: tuple[ast.Node, ...]) -> bool:
    """Whether the statements mean the same outside their block."""
    return not any(isinstance(node, ast.Assign | ast.Break | ast.Continue) for node in body)
