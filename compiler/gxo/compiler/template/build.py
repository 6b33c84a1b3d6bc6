"""The parser's tree to `ast` nodes: blocks get their bodies, texts are trimmed and joined.

    {{ if .on }} a {{- /* c */ -}} b{{ end }}   ->   If((Branch(.on, (Text(" a" "b"),)),), ())

What a grammar cannot say is said here: which variables are visible, where `break` and `define` may
stand.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from lark import Token, Tree

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.source import SourceText
from gxo.compiler.template import ast, walk
from gxo.compiler.template.build_expressions import (
    MAX_DEPTH,
    Expressions,
    Part,
    TooDeepError,
    offsets,
)

_TRIMMED = " \t\r\n"
_HEADS = frozenset(
    (
        "if_head",
        "else_if",
        "else_",
        "with_head",
        "else_with",
        "range_head",
        "define_head",
        "block_head",
    )
)

Section = tuple[Tree[Token], list[Part]]
"""A block's head (`if`, `else if`, `else`...) and the items up to the next head."""


class Builder:
    """Builds the nodes of one template, reporting what is wrong to `diags`.

    `secrets` says whether `${NAME}` in the text is a secret (in a playbook) or text (in `gxo
    eval`).
    """

    def __init__(self, source: SourceText, diags: Diagnostics, secrets: bool) -> None:
        self.source = source
        self.diags = diags
        self.secrets = secrets
        self.expressions = Expressions(source, diags)
        self.defines: list[ast.Define] = []
        self.loops = 0

    def condition(self, tree: Tree[Token]) -> ast.Expr:
        """The expression of a condition that is written around actions."""
        for token in _outside_holes(tree):
            if token.type == "STRING" and "{{" in token:
                message = "the text in quotes is taken as it stands: its {{ }} is not evaluated"
                self.expressions.error("GXO0406", token, message, "remove the quotes around {{ }}")
        return self.expressions.build(tree.children[0], 0)

    def template(self, tree: Tree[Token]) -> ast.Template:
        nodes = self._body(tree.children, 0)
        return ast.Template(nodes, tuple(self.defines), self.source.span, self.source)

    def _body(self, parts: Sequence[Part], depth: int) -> tuple[ast.Node, ...]:
        """The items of a body, which has a scope of its own."""
        if depth > MAX_DEPTH:
            raise TooDeepError(self._span(parts[0]) if parts else self.source.span)
        variables = self.expressions.variables
        variables.append(set())
        nodes: list[ast.Node] = []
        for part in parts:
            if isinstance(part, Token):
                self._add_text(part, nodes)
            elif (node := self._statement(part, depth)) is not None:
                nodes.append(node)
        variables.pop()
        return tuple(nodes)

    def _add_text(self, token: Token, nodes: list[ast.Node]) -> None:
        """Append a text, merged with the one before it: comments and `$${` leave no seam."""
        span = self._span(token)
        if token.type == "SECRET" and self.secrets:
            secret = ast.Call("secret", (ast.Literal(token[2:-1], span),), span)
            nodes.append(ast.Action(secret, span, shorthand=True))
            return
        value = self._text(token)
        if not value:
            return
        if nodes and isinstance(before := nodes[-1], ast.Text):
            nodes[-1] = ast.Text(before.value + value, _joined(before.span, span))
        else:
            nodes.append(ast.Text(value, span))

    def _text(self, token: Token) -> str:
        """A text without the white space that the markers beside it trim."""
        if token.type == "COMMENT":
            return ""
        if token.type == "ESCAPED":
            return "${" if self.secrets else str(token)
        value, text = str(token), self.source.value
        start, end = offsets(token)
        if text.endswith("-}}", 0, start) and text[start - 4] in _TRIMMED:
            value = value.lstrip(_TRIMMED)
        if text.startswith("{{-", end) and text[end + 3 : end + 4] in _TRIMMED:
            value = value.rstrip(_TRIMMED)
        return value

    def _statement(self, tree: Tree[Token], depth: int) -> ast.Node | None:
        match tree.data:
            case "action":
                return ast.Action(self._pipeline(tree.children[1], depth), self._span(tree))
            case "assign":
                return self._assign(tree, depth)
            case "if_":
                return self._if(tree, depth)
            case "with_":
                return self._with(_sections(tree.children), self._span(tree), depth)
            case "range_":
                return self._range(tree, depth)
            case "define" | "block":
                return self._define(tree, depth)
            case "include":
                return self._include(tree, depth)
            case _:
                return self._jump(tree)

    def _assign(self, tree: Tree[Token], depth: int) -> ast.Assign:
        _, variable, sign, pipeline, _ = cast(list[Token], tree.children)
        pipe = self._pipeline(pipeline, depth)
        name = self._set(variable, sign)
        return ast.Assign(name, pipe, sign == ":=", self._span(tree))

    def _set(self, variable: Token, sign: Token) -> str:
        """Declare (`:=`) or look up (`=`) the variable on the left of an assignment."""
        name = str(variable)[1:]
        if "." in name:
            message = f"{variable} is a field; only a variable can be assigned"
            self._error("GXO0412", variable, message)
        elif sign == ":=":
            self.expressions.variables[-1].add(name)
        else:
            self.expressions.look_up(name, variable)
        return name

    def _if(self, tree: Tree[Token], depth: int) -> ast.If:
        self.expressions.variables.append(set())
        branches: list[ast.Branch] = []
        otherwise: tuple[ast.Node, ...] = ()
        for head, parts in _sections(tree.children):
            if head.data == "else_":
                otherwise = self._body(parts, depth + 1)
                continue
            # Python's own parser nests a chain of `elif`.
            if depth + len(branches) > MAX_DEPTH:
                raise TooDeepError(self._span(head))
            variable, declare, condition = self._control(head, depth)
            body = self._body(parts, depth + 1)
            branches.append(ast.Branch(condition, body, variable, declare, self._span(head)))
        self.expressions.variables.pop()
        return ast.If(tuple(branches), otherwise, self._span(tree))

    def _with(self, sections: Sequence[Section], span: Span, depth: int) -> ast.With:
        """`else with` is a `with` of its own in the `else`, ended by the same `end`."""
        if depth > MAX_DEPTH:
            raise TooDeepError(span)
        (head, parts), *rest = sections
        self.expressions.variables.append(set())
        variable, declare, pipe = self._control(head, depth)
        body = self._body(parts, depth + 1)
        otherwise: tuple[ast.Node, ...] = ()
        if rest and rest[0][0].data == "else_with":
            otherwise = (self._with(rest, self._span(rest[0][0]), depth + 1),)
        elif rest:
            otherwise = self._body(rest[0][1], depth + 1)
        self.expressions.variables.pop()
        return ast.With(pipe, body, otherwise, variable, declare, span)

    def _control(self, head: Tree[Token], depth: int) -> tuple[str | None, bool, ast.Expr]:
        """The optional variable and the pipeline of `if`, `else if` and `with`."""
        *_, variable, sign, pipeline, _ = cast(list[Token | None], head.children)
        pipe = self._pipeline(pipeline, depth)
        if variable is None or sign is None:
            return None, False, pipe
        return self._set(variable, sign), sign == ":=", pipe

    def _range(self, tree: Tree[Token], depth: int) -> ast.Range:
        (head, parts), *rest = _sections(tree.children)
        *_, first, second, sign, pipeline, _ = cast(list[Token | None], head.children)
        pipe = self._pipeline(pipeline, depth)
        self.expressions.variables.append(set())
        names = [self._set(token, sign) for token in (first, second) if token and sign]
        self.loops += 1
        body = self._body(parts, depth + 1)
        self.loops -= 1
        otherwise = self._body(rest[0][1], depth + 1) if rest else ()
        self.expressions.variables.pop()
        index = names[0] if len(names) == 2 else None
        element = names[-1] if names else None
        span = self._span(tree)
        if sign == ":=":
            # the variables of a loop without elements hold what it would have gone through
            read = walk.variables(otherwise)
            held = [ast.Assign(name, pipe, True, span) for name in names if name in read]
            otherwise = (*held, *otherwise)
        return ast.Range(pipe, body, otherwise, index, element, sign == ":=", span)

    def _define(self, tree: Tree[Token], depth: int) -> ast.Include | None:
        """A definition goes to `defines`; a `block` leaves an include of what it defines."""
        ((head, parts),) = _sections(tree.children)
        name = self.expressions.text(cast(Token, head.children[2]))
        argument = None
        if tree.data == "block":
            argument = self._pipeline(head.children[3], depth)
        elif depth:
            self._error("GXO0411", head, "a template cannot be defined inside a block")
        outside = self.expressions.variables, self.loops
        self.expressions.variables, self.loops = [{""}], 0
        body = self._body(parts, depth + 1)
        self.expressions.variables, self.loops = outside
        self._add_define(ast.Define(name, body, self._span(head)))
        return None if argument is None else ast.Include(name, argument, self._span(head))

    def _add_define(self, define: ast.Define) -> None:
        """Add a definition; as in Go an empty one gives way to another of its name."""
        for index, known in enumerate(self.defines):
            if known.name != define.name:
                continue
            if _is_blank(known.body):
                self.defines[index] = define
            elif not _is_blank(define.body):
                message = f'the template "{define.name}" is defined twice'
                self.diags.error("GXO0410", define.span, message)
            return
        self.defines.append(define)

    def _include(self, tree: Tree[Token], depth: int) -> ast.Include:
        _, token, pipeline, _ = cast(list[Token | None], tree.children)
        assert token is not None
        argument = None if pipeline is None else self._pipeline(pipeline, depth)
        return ast.Include(self.expressions.text(token), argument, self._span(tree))

    def _jump(self, tree: Tree[Token]) -> ast.Break | ast.Continue:
        word = "break" if tree.data == "break_" else "continue"
        if not self.loops:
            self._error("GXO0409", tree, f"`{word}` outside a `range`")
        span = self._span(tree)
        return ast.Break(span) if word == "break" else ast.Continue(span)

    def _pipeline(self, part: Part | None, depth: int) -> ast.Expr:
        assert part is not None
        return self.expressions.build(part, depth)

    def _error(self, code: str, part: Part, message: str) -> None:
        self.expressions.error(code, part, message)

    def _span(self, part: Part) -> Span:
        return self.expressions.span(part)


def _sections(parts: Sequence[Part]) -> list[Section]:
    """A block's parts by their heads; `end` is left out."""
    sections: list[Section] = []
    for part in parts:
        if isinstance(part, Tree) and part.data in _HEADS:
            sections.append((part, []))
        elif not (isinstance(part, Tree) and part.data == "end"):
            sections[-1][1].append(part)
    return sections


def _outside_holes(tree: Tree[Token]) -> Iterator[Token]:
    """The tokens of a condition that stand outside its actions."""
    pending: list[Part] = [tree]
    while pending:
        part = pending.pop()
        if isinstance(part, Token):
            yield part
        elif part.data != "hole":
            pending.extend(part.children)


def _is_blank(body: tuple[ast.Node, ...]) -> bool:
    return all(isinstance(node, ast.Text) and not node.value.strip() for node in body)


def _joined(first: Span, last: Span) -> Span:
    return Span(first.file, first.line, first.column, last.end_line, last.end_column)
