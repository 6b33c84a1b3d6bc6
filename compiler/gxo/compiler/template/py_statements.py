"""Templates with control flow as a Python function.

    {{ range .hosts }}{{ .name }}: {{ if .up }}up{{ else if .busy }}busy{{ end }}
    {{ end }}

    def deploy_content(ctx: Context) -> str:
        parts: list[str] = []
        for host in expr.elements(ctx.vars["hosts"]):
            parts.append(f"{expr.text(host['name'])}: ")
            if expr.ask(host, "up"):
                parts.append("up")
            elif expr.ask(host, "busy"):
                parts.append("busy")
            parts.append("\n")
        return "".join(parts)

Python limits how deep blocks and parentheses may nest; what is deeper goes into a function inside.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gxo.compiler.frozen import replace
from gxo.compiler.template import ast
from gxo.compiler.template.infer import Known, asked, element, infer, position, present, truth
from gxo.compiler.template.py_code import ATOM, Code, Embedded, Piece, joined
from gxo.compiler.template.py_expressions import ExpressionPrinter
from gxo.compiler.template.py_names import noun, singular
from gxo.compiler.template.py_pieces import (
    has_free_jump,
    is_piece,
    is_short_loop,
    pieces,
    uses_dot,
)
from gxo.compiler.template.py_spellings import KEEPS_TYPE, is_whole
from gxo.compiler.template.py_variables import FunctionSource, Variables
from gxo.compiler.types import TEXT, ListOf, MapOf, Shape

MAX_INDENT = 12
_MAX_PIECES = 40


@dataclass(slots=True)
class Statements:
    """Writes the body of one function; `templates` are the functions of the definitions."""

    function: FunctionSource
    variables: Variables
    templates: dict[str, str]
    indent: int = 0

    # Whole bodies

    def parts(self, nodes: tuple[ast.Node, ...], printer: ExpressionPrinter) -> Code:
        """Write statements that collect the text; returns the expression for all of it."""
        self.line("parts: list[str] = []")
        self.body(nodes, printer)
        return Code('"".join(parts)')

    def returns(
        self,
        nodes: tuple[ast.Node, ...],
        printer: ExpressionPrinter,
        finish: Callable[[Code], Code],
    ) -> None:
        """Write statements that return the text, each branch its own where that is all there is."""
        if self._is_flat(nodes):
            code = joined(self._pieces(nodes, printer))
            self.line(f"return {finish(_typed(nodes, code, printer)).text}")
        elif len(nodes) == 1 and isinstance(nodes[0], ast.If) and self._is_choice(nodes[0]):
            self._returning_if(nodes[0], printer, finish)
        elif len(nodes) == 1 and isinstance(nodes[0], ast.Range) and is_short_loop(nodes[0]):
            code = Code(f'"".join({self._comprehension(nodes[0], printer)})')
            self.line(f"return {finish(code).text}")
        else:
            self.line(f"return {finish(self.parts(nodes, printer)).text}")

    def _is_choice(self, node: ast.If) -> bool:
        """Whether each branch only returns a text."""
        bodies = [*(branch.body for branch in node.branches), node.otherwise]
        return all(self._is_flat(body) for body in bodies) and all(
            truth(branch.condition) is None for branch in node.branches
        )

    def _returning_if(
        self, node: ast.If, printer: ExpressionPrinter, finish: Callable[[Code], Code]
    ) -> None:
        for branch in node.branches:
            condition, printer = self._condition(branch, printer)
            self.line(f"if {condition}:")
            self.indent += 1
            self.returns(branch.body, _where_true(branch, printer), finish)
            self.indent -= 1
        self.returns(node.otherwise, printer, finish)

    def body(self, nodes: tuple[ast.Node, ...], printer: ExpressionPrinter) -> None:
        found: list[Piece] = []
        for node in nodes:
            if self._is_piece(node):
                found.extend(self._piece(node, printer))
                if len(found) >= _MAX_PIECES:
                    self._append(found)
                continue
            self._append(found)
            if self.indent >= MAX_INDENT and not has_free_jump(node):
                self._outlined(node, printer)
                continue
            match node:
                case ast.Assign():
                    printer = self._assign(node, printer)
                case ast.If():
                    self._if(node, printer)
                case ast.With():
                    self._with(node, printer)
                case ast.Range() if is_short_loop(node):
                    self.line(f"parts.extend({self._comprehension(node, printer)})")
                case ast.Range():
                    self._range(node, printer)
                case _:
                    self.line("break" if isinstance(node, ast.Break) else "continue")
        self._append(found)

    def _append(self, found: list[Piece]) -> None:
        if found:
            self.line(f"parts.append({joined(found).text})")
            found.clear()

    def line(self, text: str) -> None:
        self.function.lines.append("    " * self.indent + text)

    def _block(self, nodes: tuple[ast.Node, ...], printer: ExpressionPrinter) -> None:
        """The indented statements under a header, `pass` when there are none."""
        before = len(self.function.lines)
        self.indent += 1
        self.body(nodes, printer)
        if len(self.function.lines) == before:
            self.line("pass")
        self.indent -= 1

    # Pieces: what is an expression inside a text

    def _is_flat(self, nodes: tuple[ast.Node, ...]) -> bool:
        return len(nodes) <= _MAX_PIECES and all(self._is_piece(node) for node in nodes)

    def _is_piece(self, node: ast.Node) -> bool:
        return isinstance(node, ast.Include) or is_piece(node)

    def _pieces(self, nodes: tuple[ast.Node, ...], printer: ExpressionPrinter) -> list[Piece]:
        return [piece for node in nodes for piece in self._piece(node, printer)]

    def _piece(self, node: ast.Node, printer: ExpressionPrinter) -> list[Piece]:
        if isinstance(node, ast.Include):
            return [self._include(node, printer)]
        return pieces(node, printer)

    def _include(self, node: ast.Include, printer: ExpressionPrinter) -> Embedded:
        name = self.templates[node.name]
        argument = node.argument or ast.Nil(node.span)
        inside = replace(printer, quote="'").code(argument).text
        alone = Code(f"{name}({printer.code(argument).text})")
        return Embedded(
            printer.marked(Code(f"{name}({inside})"), node.span).text,
            printer.marked(alone, node.span),
        )

    # Statements

    def _outlined(self, node: ast.Node, printer: ExpressionPrinter) -> None:
        """Move a block into a function of its own, inside this one."""
        name = self.variables.names.fresh("block")
        inner = FunctionSource(f"def {name}() -> None:")
        self.function.inner.append(inner)
        moved = replace(self, function=inner, indent=0)
        moved.body((node,), replace(printer, hoist=moved.hoist))
        self.line(f"{name}()")

    def hoist(self, expression: ast.Expr, printer: ExpressionPrinter) -> str:
        """Move an expression that nests too deeply into a function of its own, inside this one."""
        name = self.variables.names.fresh("value")
        inner = FunctionSource(f"def {name}() -> Any:")
        self.function.inner.append(inner)
        moved = replace(self, function=inner, indent=0)
        moved.line(f"return {replace(printer, hoist=moved.hoist).code(expression).text}")
        printer.collected.imports.add("from typing import Any")
        return f"{name}()"

    def _assign(self, node: ast.Assign, printer: ExpressionPrinter) -> ExpressionPrinter:
        code = printer.code(node.pipe).text
        if not self.variables.is_read(node.variable):
            is_call = isinstance(node.pipe, ast.Call | ast.Method)
            self.line(code if is_call else f"_ = {code}")
            return self.variables.unread(node.variable, printer)
        known = infer(node.pipe, printer.env)
        name, after = self._set(node.variable, node.declare, known, printer)
        if node.declare and node.variable in self.variables.facts.reassigned:
            printer.collected.imports.add("from typing import Any")
            self.line(f"{name}: Any = {code}")
        else:
            self.line(f"{name} = {code}")
        return after

    def _set(
        self, variable: str, declare: bool, known: Known, printer: ExpressionPrinter
    ) -> tuple[str, ExpressionPrinter]:
        """The Python name for a variable that is set, and the printer after it."""
        if not declare:
            return self.variables.outer(variable, printer, self.function), printer
        name = self._own(variable)
        return name, self.variables.named(variable, name, known, printer)

    def _own(self, wanted: str) -> str:
        return self.variables.own(wanted, self.function)

    def _condition(
        self, branch: ast.Branch, printer: ExpressionPrinter
    ) -> tuple[str, ExpressionPrinter]:
        code = printer.asked(branch.condition).text
        if branch.variable is None or not self.variables.is_read(branch.variable):
            return code, self.variables.unread(branch.variable, printer)
        known = asked(branch.condition, printer.env)
        name, printer = self._set(branch.variable, branch.declare, known, printer)
        return f"{name} := {code}", printer

    def _if(self, node: ast.If, printer: ExpressionPrinter) -> None:
        word = "if"
        for branch in node.branches:
            always = truth(branch.condition) if branch.variable is None else None
            if always is False:
                continue
            if always is True:
                self._else(branch.body, printer, alone=word == "if")
                return
            condition, printer = self._condition(branch, printer)
            self.line(f"{word} {condition}:")
            self._block(branch.body, _where_true(branch, printer))
            word = "elif"
        self._else(node.otherwise, printer, alone=word == "if")

    def _else(self, nodes: tuple[ast.Node, ...], printer: ExpressionPrinter, alone: bool) -> None:
        """What runs when no condition before it held; `alone` when there was none."""
        if not nodes:
            return
        if alone:
            self.body(nodes, printer)
            return
        self.line("else:")
        self._block(nodes, printer)

    def _with(self, node: ast.With, printer: ExpressionPrinter, word: str = "if") -> None:
        known = asked(node.pipe, printer.env)
        always = truth(node.pipe) if word == "if" and node.variable is None else None
        if always is False:
            self.body(node.otherwise, printer)
            return
        name, inner, condition = self._with_dot(node, known, printer)
        inside = inner.env.where_present(node.variable).with_dot(present(known))
        body = replace(inner, dot=name, env=inside)
        if always is True:
            if uses_dot(node.body):
                self.line(f"{name} = {printer.code(node.pipe).text}")
            self.body(node.body, body)
            return
        self.line(f"{word} {condition}:")
        self._block(node.body, body)
        if len(node.otherwise) == 1 and isinstance(node.otherwise[0], ast.With):
            self._with(node.otherwise[0], inner, "elif")
        else:
            self._else(node.otherwise, inner, alone=False)

    def _with_dot(
        self, node: ast.With, known: Known, printer: ExpressionPrinter
    ) -> tuple[str, ExpressionPrinter, str]:
        """The name of a `with`'s dot, the printer after it, and the condition to test."""
        code = printer.asked(node.pipe).text
        reassigned = self.variables.facts.reassigned
        if node.variable is not None and self.variables.is_read(node.variable):
            name, inner = self._set(node.variable, node.declare, known, printer)
            if node.variable not in reassigned or not uses_dot(node.body):
                return name, inner, f"{name} := {code}"
            dot = self._own("value")
            return dot, inner, f"{name} := ({dot} := {code})"
        inner = self.variables.unread(node.variable, printer)
        if self._is_stable_local(node.pipe) or not uses_dot(node.body):
            return code, inner, code
        name = self._own(noun(node.pipe, "value"))
        return name, inner, f"{name} := {code}"

    def _is_stable_local(self, expression: ast.Expr) -> bool:
        """Whether the expression is a Python variable that nothing sets again."""
        if isinstance(expression, ast.Variable):
            return expression.name not in self.variables.facts.reassigned
        return isinstance(expression, ast.Dot)

    def _comprehension(self, node: ast.Range, printer: ExpressionPrinter) -> str:
        """The list of a short loop's texts."""
        iterable = _iterable(node.pipe, self.variables.is_read(node.index), printer)
        _, target, inner = self._targets(node, printer)
        return f"[{joined(self._pieces(node.body, inner)).text} for {target} in {iterable}]"

    def _range(self, node: ast.Range, printer: ExpressionPrinter) -> None:
        source = printer.code(node.pipe).text
        iterable = _iterable(node.pipe, self.variables.is_read(node.index), printer)
        if node.otherwise:
            items = self._own(noun(node.pipe, "items"))
            self.line(f"{items} = {source if iterable == source else f'list({iterable})'}")
            iterable = items
        before, target, inner = self._targets(node, printer)
        self.line(f"for {target} in {iterable}:")
        self.indent += 1
        for line in before:
            self.line(line)
        self.indent -= 1
        self._block(node.body, inner)
        if node.otherwise:
            self.line(f"if not {iterable}:")
            self._block(node.otherwise, printer)

    def _targets(
        self, node: ast.Range, printer: ExpressionPrinter
    ) -> tuple[list[str], str, ExpressionPrinter]:
        """The lines that begin the loop's body, its target, and the printer for the body."""
        known, in_pairs = infer(node.pipe, printer.env), self.variables.is_read(node.index)
        inner = self.variables.unread(node.element, printer)
        inner = self.variables.unread(node.index, inner)
        before: list[str] = []
        dot = "_"
        if node.element is not None and self.variables.is_read(node.element):
            dot, inner = self._set(node.element, node.declare, element(known), inner)
            if node.element in self.variables.facts.reassigned and uses_dot(node.body):
                item = self._own("item")
                before.append(f"{dot} = {item}")
                dot = item
        elif uses_dot(node.body):
            dot = self._own(singular(noun(node.pipe, "items")))
        inner = replace(inner, dot=dot, env=inner.env.with_dot(element(known)))
        if not in_pairs:
            return before, dot, inner
        assert node.index is not None
        index, inner = self._set(node.index, node.declare, position(known), inner)
        return before, f"{index}, {dot}", inner


def _typed(nodes: tuple[ast.Node, ...], code: Code, printer: ExpressionPrinter) -> Code:
    """The text of a body, as a `str` also where it is a value whose type mypy does not know."""
    if len(nodes) != 1 or not isinstance(node := nodes[0], ast.Action):
        return code
    match node.pipe:
        case ast.Literal():
            return code
        case ast.Call(name) if name not in KEEPS_TYPE:
            return code
    is_text = infer(node.pipe, printer.env).type == TEXT
    return Code(f"str({code.text})") if is_text else code


def _where_true(branch: ast.Branch, printer: ExpressionPrinter) -> ExpressionPrinter:
    """The printer for the branch's body, where its variable is something."""
    return replace(printer, env=printer.env.where_present(branch.variable))


def _iterable(pipe: ast.Expr, in_pairs: bool, printer: ExpressionPrinter) -> str:
    """What a loop goes over: the elements, or (position or key, element) pairs."""
    source, type_ = printer.code(pipe), infer(pipe, printer.env).type
    if isinstance(type_, ListOf):
        return f"enumerate({source.text})" if in_pairs else source.text
    if isinstance(type_, MapOf | Shape) and in_pairs and is_whole(pipe):
        return f"sorted({source.at(ATOM)}.items())"
    call = printer.helper("pairs" if in_pairs else "elements", source.text)
    return printer.marked(Code(call), pipe.span).text
