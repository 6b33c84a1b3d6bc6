"""The expressions of the parser's tree, as `ast` nodes.

    application(NAME eq, CHAIN .env, STRING "prod")
    ->  Binary("==", Field(Dot, ("env",)), Literal("prod"))

Trees are walked without recursion, leaves first, because they may be deeper than Python's stack; a
result deeper than `MAX_DEPTH` is refused, so that every later stage may recurse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from lark import Token, Tree

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean
from gxo.compiler.source import SourceText
from gxo.compiler.template import ast
from gxo.compiler.template.expandenv import expanded
from gxo.compiler.template.literals import BadLiteralError, number_value, text_value

MAX_DEPTH = 220
"""Blocks, parentheses, pipeline stages and field names that may stand inside one another."""

_COMPARISONS: dict[str, ast.ComparisonOperator] = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}

Part = Tree[Token] | Token


class TooDeepError(Exception):
    """Nesting past `MAX_DEPTH`; carries the place."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


class _Built(NamedTuple):
    """An expression and how deep it nests."""

    value: ast.Expr
    depth: int


@dataclass(slots=True)
class Expressions:
    """Builds the expressions of one template; `variables` are the scopes around the place."""

    source: SourceText
    diags: Diagnostics
    variables: list[set[str]] = field(default_factory=lambda: [{""}])

    def build(self, part: Part, depth: int) -> ast.Expr:
        """The expression of a tree that stands `depth` levels deep."""
        if isinstance(part, Token):
            return self._operand(part).value
        trees = [part]
        for tree in trees:
            trees.extend(child for child in tree.children if isinstance(child, Tree))
        done: dict[int, _Built] = {}
        for tree in reversed(trees):
            built = self._combined(tree, done)
            if depth + built.depth > MAX_DEPTH:
                raise TooDeepError(self.span(_first(tree)))
            done[id(tree)] = built
        return done[id(part)].value

    def _combined(self, tree: Tree[Token], done: dict[int, _Built]) -> _Built:
        """The expression of a tree whose subtrees are `done`."""
        match tree.data:
            case "pipeline":
                return self._pipeline(tree.children, done)
            case "hole":
                return done[id(tree.children[1])]
            case "group":
                inner = self._part(tree.children[1], done)
                closing = cast(Token, tree.children[2])
                return _chain(inner.value, str(closing)[1:], self.span(tree), inner.depth)
            case "application":
                return self._application(tree.children, None, tree, done)
            case "binary":
                left, operator, right = tree.children
                parts = [self._part(left, done), self._part(right, done)]
                sign = cast(ast.BinaryOperator, str(operator))
                value = ast.Binary(sign, parts[0].value, parts[1].value, self.span(tree))
                return _Built(value, _deepest(parts) + 1)
            case "negation":
                operand = self._part(tree.children[1], done)
                return _Built(ast.Not(operand.value, self.span(tree)), operand.depth + 1)
            case _:
                parts = [self._part(child, done) for child in tree.children]
                operands = tuple([part.value for part in parts])
                node = ast.And if tree.data == "and_" else ast.Or
                return _Built(node(operands, self.span(tree)), _deepest(parts) + 1)

    def _part(self, part: Part, done: dict[int, _Built]) -> _Built:
        return self._operand(part) if isinstance(part, Token) else done[id(part)]

    def _pipeline(self, stages: Sequence[Part], done: dict[int, _Built]) -> _Built:
        piped = self._part(stages[0], done)
        if isinstance(piped.value, ast.Nil):
            self.error("GXO0407", stages[0], "`nil` alone is not a value to use here")
        for stage in stages[1:]:
            operands: Sequence[Part] = [stage]
            if isinstance(stage, Tree) and stage.data == "application":
                operands = stage.children
            piped = self._application(operands, piped, stage, done)
            if piped.depth > MAX_DEPTH:
                break
        return piped

    def _application(
        self, parts: Sequence[Part], piped: _Built | None, whole: Part, done: dict[int, _Built]
    ) -> _Built:
        """A function with its arguments; `piped` is the last of them."""
        head, *rest = parts
        built = [self._part(part, done) for part in rest]
        if piped is not None:
            built.append(piped)
        args = tuple([part.value for part in built])
        span = self.span(whole)
        if isinstance(head, Token) and head.type == "NAME":
            return _Built(_call(str(head), args, span), _deepest(built) + 1)
        callee = self._part(head, done)
        if isinstance(callee.value, ast.Field) and isinstance(callee.value.names[-1], str):
            base, name = _split(callee.value)
            return _Built(ast.Method(base, name, args, span), _deepest([callee, *built]) + 1)
        message = "this is a value, not a function: it takes no arguments"
        self.error("GXO0407", head, message, "put the function first, as in `printf .a .b`")
        return callee

    def _operand(self, token: Token) -> _Built:
        span = self.span(token)
        match token.type:
            case "NAME":
                return _Built(_call(str(token), (), span), 1)
            case "DOT":
                return _Built(ast.Dot(span), 1)
            case "CHAIN":
                return _chain(ast.Dot(span), str(token), span, 1)
            case "VARIABLE":
                name, dot, names = str(token)[1:].partition(".")
                self.look_up(name, token)
                return _chain(ast.Variable(name, span), dot + names, span, 1)
            case "STRING":
                return _Built(ast.Literal(self.text(token), span), 1)
            case "NUMBER":
                return _Built(ast.Literal(self._number(token), span), 1)
            case "NIL":
                return _Built(ast.Nil(span), 1)
            case _:
                return _Built(ast.Literal(token.type == "TRUE", span), 1)

    def look_up(self, name: str, token: Token) -> None:
        """Report a variable that is not visible here."""
        if any(name in scope for scope in self.variables):
            return
        visible = {f"${known}" for scope in self.variables for known in scope if known}
        hint = did_you_mean(f"${name}", visible)
        self.error("GXO0408", token, f"undefined variable ${name}", hint)

    def text(self, token: Token) -> str:
        """The value of a quoted text."""
        try:
            return text_value(str(token))
        except BadLiteralError as bad:
            self._bad_literal(bad, token)
            return ""

    def _number(self, token: Token) -> int | float:
        try:
            return number_value(str(token))
        except BadLiteralError as bad:
            self._bad_literal(bad, token)
            return 0

    def _bad_literal(self, bad: BadLiteralError, token: Token) -> None:
        start, _ = offsets(token)
        span = self.source.at(start + bad.start, start + bad.end)
        self.diags.error("GXO0405", span, bad.message, bad.hint)

    def error(self, code: str, part: Part, message: str, hint: str | None = None) -> None:
        self.diags.error(code, self.span(part), message, hint)

    def span(self, part: Part) -> Span:
        if isinstance(part, Token):
            return self.source.at(*offsets(part))
        return self.source.at(offsets(_first(part))[0], offsets(_last(part))[1])


def _call(name: str, args: tuple[ast.Expr, ...], span: Span) -> ast.Expr:
    """A call, or what the function's name stands for."""
    if name in _COMPARISONS and len(args) == 2:
        return ast.Binary(_COMPARISONS[name], args[0], args[1], span)
    if name == "not" and len(args) == 1:
        return ast.Not(args[0], span)
    if name == "and" and args:
        return ast.And(args, span)
    if name == "or" and args:
        return ast.Or(args, span)
    call = ast.Call(name, args, span)
    return expanded(call) if name == "expandenv" else call


def _chain(base: ast.Expr, chain: str, span: Span, depth: int) -> _Built:
    """`base` followed by `chain`, which is empty or `.a.0.b`; the span is that of both."""
    if not chain:
        return _Built(base, depth)
    names = _names(chain)
    depth += len(names)
    if isinstance(base, ast.Field):
        names = (*base.names, *names)
        base = base.base
    return _Built(ast.Field(base, names, span), depth)


def _split(chain: ast.Field) -> tuple[ast.Expr, str]:
    """`.a.b` to (`.a`, "b")."""
    *names, last = chain.names
    base = ast.Field(chain.base, tuple(names), chain.span) if names else chain.base
    return base, str(last)


_OF_WORKLOADS = (("_gxo", "workloads"), ("_gxo", "tasks"), ("included", "workloads"))
"""How chains begin in which the name of a workload comes next."""


def _names(chain: str) -> tuple[str | int, ...]:
    """`.rows.0.id` to ("rows", 0, "id"); a workload's name is text whatever it looks like."""
    names: list[str | int] = [
        int(name) if name.isdecimal() and name.isascii() and len(name) < 19 else name
        for name in chain[1:].split(".")
    ]
    if len(names) > 2 and tuple(names[:2]) in _OF_WORKLOADS:
        names[2] = str(names[2])
    return tuple(names)


def _deepest(parts: Sequence[_Built]) -> int:
    return max((part.depth for part in parts), default=0)


def offsets(token: Token) -> tuple[int, int]:
    """Where a token starts and ends in the template's text."""
    assert token.start_pos is not None and token.end_pos is not None
    return token.start_pos, token.end_pos


def _first(part: Part) -> Token:
    while isinstance(part, Tree):
        part = part.children[0]
    return part


def _last(part: Part) -> Token:
    while isinstance(part, Tree):
        part = next(child for child in reversed(part.children) if child is not None)
    return part
