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

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from gxo.compiler.diagnostics import Span
from gxo.compiler.template import ast, walk
from gxo.compiler.template.infer import Known, element, infer, position, truth
from gxo.compiler.template.py_code import ATOM, OR, TERNARY, Code, Embedded, Piece, joined, quoted
from gxo.compiler.template.py_expressions import ExpressionPrinter
from gxo.compiler.template.py_names import LocalNames, noun, singular
from gxo.compiler.types import ListOf, MapOf, Shape, Type

MAX_INDENT = 12
_MAX_PIECES = 40
_SHORT = 40
"""A text in a conditional expression is at most this long."""


@dataclass(slots=True)
class FunctionSource:
    """A function being written: the functions inside it come before its own lines."""

    header: str
    lines: list[str] = field(default_factory=list)
    inner: list["FunctionSource"] = field(default_factory=list)
    assigned_outside: set[str] = field(default_factory=set)

    def source(self) -> Iterator[str]:
        yield self.header
        if self.assigned_outside:
            yield f"    nonlocal {', '.join(sorted(self.assigned_outside))}"
        for function in self.inner:
            for line in function.source():
                yield f"    {line}" if line else ""
            yield ""
        for line in self.lines:
            yield f"    {line}"


@dataclass(slots=True)
class Facts:
    """What is true of a whole template: which variables are set again or read, whether it makes
    values with methods."""

    reassigned: frozenset[str]
    read: frozenset[str]
    natives: bool


@dataclass(slots=True)
class Statements:
    """Writes the body of one function. `owners` tells which function each Python variable is of."""

    function: FunctionSource
    names: LocalNames
    facts: Facts
    templates: dict[str, str]
    owners: dict[str, FunctionSource]
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
            self.line(f"return {finish(joined(self._pieces(nodes, printer))).text}")
        elif len(nodes) == 1 and isinstance(nodes[0], ast.If) and self._is_choice(nodes[0]):
            self._returning_if(nodes[0], printer, finish)
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
            self.returns(branch.body, printer, finish)
            self.indent -= 1
        self.returns(node.otherwise, printer, finish)

    def body(self, nodes: tuple[ast.Node, ...], printer: ExpressionPrinter) -> None:
        pieces: list[Piece] = []
        for node in nodes:
            if self._is_piece(node):
                pieces.append(self._piece(node, printer))
                if len(pieces) >= _MAX_PIECES:
                    self._append(pieces)
                continue
            self._append(pieces)
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
                case ast.Range():
                    self._range(node, printer)
                case _:
                    self.line("break" if isinstance(node, ast.Break) else "continue")
        self._append(pieces)

    def _append(self, pieces: list[Piece]) -> None:
        if pieces:
            self.line(f"parts.append({joined(pieces).text})")
            pieces.clear()

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
        return [self._piece(node, printer) for node in nodes]

    def _piece(self, node: ast.Node, printer: ExpressionPrinter) -> Piece:
        if isinstance(node, ast.Include):
            return self._include(node, printer)
        return piece(node, printer)

    def _include(self, node: ast.Include, printer: ExpressionPrinter) -> Embedded:
        name = self.templates[node.name]
        argument = node.argument or ast.Nil(node.span)
        inside = replace(printer, quote="'").code(argument).text
        return Embedded(f"{name}({inside})", Code(f"{name}({printer.code(argument).text})"))

    # Statements

    def _outlined(self, node: ast.Node, printer: ExpressionPrinter) -> None:
        """Move a block into a function of its own, inside this one."""
        name = self.names.fresh("block")
        inner = FunctionSource(f"def {name}() -> None:")
        self.function.inner.append(inner)
        moved = replace(self, function=inner, indent=0)
        moved.body((node,), replace(printer, hoist=moved.hoist))
        self.line(f"{name}()")

    def hoist(self, expression: ast.Expr, printer: ExpressionPrinter) -> str:
        """Move an expression that nests too deeply into a function of its own, inside this one."""
        name = self.names.fresh("value")
        inner = FunctionSource(f"def {name}() -> Any:")
        self.function.inner.append(inner)
        moved = replace(self, function=inner, indent=0)
        moved.line(f"return {replace(printer, hoist=moved.hoist).code(expression).text}")
        printer.collected.imports.add("from typing import Any")
        return f"{name}()"

    def _assign(self, node: ast.Assign, printer: ExpressionPrinter) -> ExpressionPrinter:
        code = printer.code(node.pipe).text
        if node.variable not in self.facts.read:
            self.line(code)
            return self._declared(node.variable, "_", Known(), printer)
        if not node.declare:
            name = self._outer(node.variable, printer)
            self.line(f"{name} = {code}")
            return printer
        name = self._own(node.variable)
        known = infer(node.pipe, printer.env)
        if node.variable in self.facts.reassigned:
            printer.collected.imports.add("from typing import Any")
            self.line(f"{name}: Any = {code}")
        else:
            self.line(f"{name} = {code}")
        return self._declared(node.variable, name, known, printer)

    def _own(self, wanted: str) -> str:
        """A new variable of this function."""
        name = self.names.fresh(wanted or "dollar")
        self.owners[name] = self.function
        return name

    def _outer(self, variable: str, printer: ExpressionPrinter) -> str:
        """The Python variable to set again, which may be that of a function around this one."""
        name = printer.variables[variable]
        if self.owners[name] is not self.function:
            self.function.assigned_outside.add(name)
        return name

    def _declared(
        self, variable: str, name: str, known: Known, printer: ExpressionPrinter
    ) -> ExpressionPrinter:
        if variable in self.facts.reassigned:
            known = Known(native=self.facts.natives)
        return replace(
            printer,
            env=printer.env.with_variable(variable, known),
            variables={**printer.variables, variable: name},
        )

    def _set(
        self, variable: str, declare: bool, known: Known, printer: ExpressionPrinter
    ) -> tuple[str, ExpressionPrinter]:
        """The Python name for the variable of an `if`, `with` or `range`."""
        if not declare:
            return self._outer(variable, printer), printer
        name = self._own(variable)
        return name, self._declared(variable, name, known, printer)

    def _condition(
        self, branch: ast.Branch, printer: ExpressionPrinter
    ) -> tuple[str, ExpressionPrinter]:
        code = printer.asked(branch.condition).text
        if branch.variable is None or branch.variable not in self.facts.read:
            return code, self._unread(branch.variable, printer)
        known = infer(branch.condition, printer.env)
        name, printer = self._set(branch.variable, branch.declare, known, printer)
        return f"{name} := {code}", printer

    def _unread(self, variable: str | None, printer: ExpressionPrinter) -> ExpressionPrinter:
        if variable is None or variable in self.facts.read:
            return printer
        return self._declared(variable, "_", Known(), printer)

    def _if(self, node: ast.If, printer: ExpressionPrinter) -> None:
        word = "if"
        for branch in node.branches:
            always = truth(branch.condition)
            if always is False:
                _, printer = self._literal_variable(branch, printer)
                continue
            if always is True:
                _, printer = self._literal_variable(branch, printer)
                self._else(branch.body, printer, alone=word == "if")
                return
            condition, printer = self._condition(branch, printer)
            self.line(f"{word} {condition}:")
            self._block(branch.body, printer)
            word = "elif"
        self._else(node.otherwise, printer, alone=word == "if")

    def _literal_variable(
        self, branch: ast.Branch, printer: ExpressionPrinter
    ) -> tuple[str, ExpressionPrinter]:
        """The variable of a condition that is not tested because it is a literal."""
        if branch.variable is None:
            return "", printer
        assign = ast.Assign(branch.variable, branch.condition, branch.declare, branch.span)
        return "", self._assign(assign, printer)

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
        known = infer(node.pipe, printer.env)
        name, inner, condition = self._with_dot(node, known, printer)
        always = truth(node.pipe) if word == "if" else None
        body = replace(inner, dot=name, env=inner.env.with_dot(known))
        if always is not None:
            if condition != name:
                self.line(condition.replace(" := ", " = ", 1))
            self.body(node.body if always else node.otherwise, body if always else inner)
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
        if node.variable is not None and node.variable in self.facts.read:
            name, inner = self._set(node.variable, node.declare, known, printer)
            if node.variable not in self.facts.reassigned or not uses_dot(node.body):
                return name, inner, f"{name} := {code}"
            dot = self._own("value")
            return dot, inner, f"{name} := ({dot} := {code})"
        inner = self._unread(node.variable, printer)
        if self._is_stable_local(node.pipe) or not uses_dot(node.body):
            return code, inner, code
        name = self._own(noun(node.pipe, "value"))
        return name, inner, f"{name} := {code}"

    def _is_stable_local(self, expression: ast.Expr) -> bool:
        """Whether the expression is a Python variable that nothing sets again."""
        if isinstance(expression, ast.Variable):
            return expression.name not in self.facts.reassigned
        return isinstance(expression, ast.Dot)

    def _range(self, node: ast.Range, printer: ExpressionPrinter) -> None:
        known = infer(node.pipe, printer.env)
        in_pairs = node.index is not None and node.index in self.facts.read
        source = printer.code(node.pipe)
        iterable = self._iterable(source, known.type, in_pairs, node.pipe.span, printer)
        if node.otherwise:
            items = self._own(noun(node.pipe, "items"))
            is_list = iterable == source.text
            self.line(f"{items} = {source.text if is_list else f'list({iterable})'}")
            iterable = items
        before, target, inner = self._targets(node, known, in_pairs, printer)
        self.line(f"for {target} in {iterable}:")
        self.indent += 1
        for line in before:
            self.line(line)
        self.indent -= 1
        self._block(node.body, inner)
        if node.otherwise:
            self.line(f"if not {iterable}:")
            self._block(node.otherwise, printer)

    def _iterable(
        self,
        source: Code,
        type_: Type,
        in_pairs: bool,
        span: Span | None,
        printer: ExpressionPrinter,
    ) -> str:
        """What the loop goes over: the elements, or (position or key, element) pairs."""
        if isinstance(type_, ListOf):
            return f"enumerate({source.text})" if in_pairs else source.text
        if isinstance(type_, MapOf | Shape) and in_pairs:
            return f"sorted({source.at(ATOM)}.items())"
        call = printer.helper("pairs" if in_pairs else "elements", source.text)
        return printer.marked(Code(call), span).text

    def _targets(
        self, node: ast.Range, known: Known, in_pairs: bool, printer: ExpressionPrinter
    ) -> tuple[list[str], str, ExpressionPrinter]:
        """The lines that begin the loop's body, its target, and the printer for the body."""
        inner = self._unread(node.index, self._unread(node.element, printer))
        before: list[str] = []
        dot = "_"
        if node.element is not None and node.element in self.facts.read:
            dot, inner = self._set(node.element, node.declare, element(known), inner)
            if node.element in self.facts.reassigned and uses_dot(node.body):
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


# Questions about statements --------------------------------------------------------------------


def piece(node: ast.Node, printer: ExpressionPrinter) -> Piece:
    """A statement that is an expression inside a text: a text, an action, a short choice."""
    match node:
        case ast.Text(value):
            return value
        case ast.Action(ast.Literal(str() | int() as value)):
            return str(value).lower() if isinstance(value, bool) else str(value)
        case ast.Action(pipe):
            return printer.embedded(pipe)
        case ast.If():
            return _short_choice(node, printer)
        case _:
            raise AssertionError(f"{type(node).__name__} is no piece of a text")


def is_piece(node: ast.Node) -> bool:
    """Whether `piece` takes the statement."""
    match node:
        case ast.Text() | ast.Action():
            return True
        case ast.If(branches, otherwise):
            branch = branches[0]
            bodies = (branch.body, otherwise)
            return (
                len(branches) == 1
                and branch.variable is None
                and truth(branch.condition) is None
                and any(bodies)
                and all(_is_short(body) for body in bodies)
            )
        case _:
            return False


def _is_short(body: tuple[ast.Node, ...]) -> bool:
    if len(body) > 1:
        return False
    return all(
        isinstance(node, ast.Action)
        or (isinstance(node, ast.Text) and len(node.value) <= _SHORT and "\n" not in node.value)
        for node in body
    )


def _short_choice(node: ast.If, printer: ExpressionPrinter) -> Embedded:
    """`{{ if .on }}yes{{ else }}no{{ end }}` as `"yes" if on else "no"`."""
    branch = node.branches[0]

    def printed(printer: ExpressionPrinter) -> Code:
        texts = []
        for body in (branch.body, node.otherwise):
            found = piece(body[0], printer) if body else ""
            if isinstance(found, str):
                texts.append(quoted(found, printer.quote))
            else:
                texts.append(found.alone.at(OR))
        condition = printer.asked(branch.condition).at(OR)
        return Code(f"{texts[0]} if {condition} else {texts[1]}", TERNARY)

    return Embedded(printed(replace(printer, quote="'")).text, printed(printer))


def has_free_jump(node: ast.Node) -> bool:
    """Whether a `break` or `continue` in the statement leaves it."""
    pending: list[ast.Node] = [node]
    while pending:
        match pending.pop():
            case ast.Break() | ast.Continue():
                return True
            case ast.If(branches, otherwise):
                for branch in branches:
                    pending.extend(branch.body)
                pending.extend(otherwise)
            case ast.With(_, body, otherwise):
                pending.extend((*body, *otherwise))
            case ast.Range(otherwise=otherwise):
                pending.extend(otherwise)
    return False


def uses_dot(nodes: tuple[ast.Node, ...]) -> bool:
    """Whether statements read the dot that is set around them."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        for pipe in walk.pipes(node):
            if any(isinstance(part, ast.Dot) for part in walk.expressions(pipe)):
                return True
        match node:
            case ast.If(branches, otherwise):
                for branch in branches:
                    pending.extend(branch.body)
                pending.extend(otherwise)
            case ast.With() | ast.Range():
                pending.extend(node.otherwise)
    return False
