"""One template: what its result holds, and what each of its actions prints.

    echo {{ if .on }}{{ .out.stdout }}{{ end }} {{ secret "KEY" }}
    printed: .out.stdout (OUTSIDE), secret "KEY" (SECRET)      value: both, as one text

A condition decides what is printed and is not printed itself, so it leaves no mark on what it
guards. A variable holds whatever any assignment gives it, a `define` gets whatever any `template`
gives it: where that is learned late, the template is looked at once more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gxo.compiler.diagnostics import Note, Span
from gxo.compiler.flow import functions
from gxo.compiler.flow.marks import (
    CLEAN,
    Flow,
    Key,
    combined,
    given,
    join,
    joined,
    mixed,
    named_secret,
)
from gxo.compiler.template import ast, walk
from gxo.compiler.template import functions as library
from gxo.compiler.template.parse import single_action
from gxo.compiler.types import BOOL, FLOAT, INT, NIL, OneOf, Type, field_type, simplified

Look = Callable[[ast.Root], Flow]
"""What a resolved name holds."""

MESSAGE_FUNCTION = "fail"
_HARMLESS = (INT, FLOAT, BOOL, NIL)
WRAPPED = "the text around it may undo what `shellquote` made of it"
_ROUNDS = 10
"""How often a template is looked at: a variable that gets its value in a loop from one that gets it
later from another... needs a round for each."""


class Printed(NamedTuple):
    """What one action prints; `node` is that action. Of `fail`, what its message holds."""

    span: Span
    flow: Flow
    node: ast.Action | None = None


class Outcome(NamedTuple):
    """value: what the result holds. messages: what `fail` would say."""

    value: Flow
    printed: tuple[Printed, ...]
    messages: tuple[Printed, ...]


def follow(template: ast.Template | ast.Expr, native: bool, look: Look) -> Outcome:
    """Follow what the names hold through a resolved template; `native`: the value is no text."""
    follower = _Follower(look)
    if not isinstance(template, ast.Template):
        flow = follower.expression(template, _Scope())
        return Outcome(flow, (), tuple(follower.messages))
    only = next((node for node in template.nodes if isinstance(node, ast.Action)), None)
    if native and only is not None and single_action(template) is not None:
        flow = follower.expression(only.pipe, _Scope())
        return Outcome(flow, (Printed(only.span, flow, only),), tuple(follower.messages))
    for _ in range(_ROUNDS):
        follower.start_round()
        follower.template(template)
        if not follower.learned:
            break
    return Outcome(
        _as_text(template, follower.printed), tuple(follower.printed), tuple(follower.messages)
    )


def _as_text(template: ast.Template, printed: list[Printed]) -> Flow:
    alone = len(printed) == 1 and not any(
        isinstance(node, ast.Text) and node.value.strip() for node in template.nodes
    )
    flows = [one.flow for one in printed]
    whole = mixed(flows) if alone else combined(flows)
    for text in walk.nodes(template):
        if isinstance(text, ast.Text) and functions.wraps(text.value):
            return functions.bare(whole, Note(text.span, WRAPPED))
    return whole


@dataclass(frozen=True, slots=True)
class _Scope:
    """The dot, and for each visible variable the key of its flow among all of the template."""

    dot: Flow = CLEAN
    variables: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Follower:
    look: Look
    held: dict[int, Flow] = field(default_factory=dict)
    """What each variable holds, by the id of the statement that declares it."""
    arguments: dict[str, Flow] = field(default_factory=dict)
    """What each `define` gets as its dot."""
    printed: list[Printed] = field(default_factory=list)
    messages: list[Printed] = field(default_factory=list)
    learned: bool = False

    def start_round(self) -> None:
        self.printed, self.messages, self.learned = [], [], False

    def template(self, template: ast.Template) -> None:
        self.body(template.nodes, _Scope())
        for define in template.defines:
            dot = self.arguments.get(define.name, CLEAN)
            self.held[id(define)] = dot
            self.body(define.body, _Scope(dot, {"": id(define)}))

    # Statements

    def body(self, nodes: tuple[ast.Node, ...], scope: _Scope) -> None:
        for node in nodes:
            scope = self.node(node, scope)

    def node(self, node: ast.Node, scope: _Scope) -> _Scope:
        """Follow one statement; returns the scope of those after it."""
        match node:
            case ast.Action(pipe, span):
                self.printed.append(Printed(span, self.expression(pipe, scope), node))
            case ast.Assign(variable, pipe, declare, span):
                flow = self.expression(pipe, scope)
                if variable:
                    flow = flow.through(Note(span, f"`${variable}` holds it"))
                return self.bind(variable, flow, declare, scope, node)
            case ast.If(branches, otherwise):
                for branch in branches:
                    flow = self.expression(branch.condition, scope)
                    scope = self.bind(branch.variable, flow, branch.declare, scope, branch)
                    self.body(branch.body, scope)
                self.body(otherwise, scope)
            case ast.With(pipe, body, otherwise, variable):
                flow = self.expression(pipe, scope)
                inner = self.bind(variable, flow, node.declare, scope, node)
                self.body(body, _Scope(flow, inner.variables))
                self.body(otherwise, inner)
            case ast.Range():
                self.range(node, scope)
            case ast.Include(name, argument, span):
                flow = CLEAN if argument is None else self.expression(argument, scope)
                self.give(name, flow.through(Note(span, f'the template "{name}" gets it')))
        return scope

    def range(self, node: ast.Range, scope: _Scope) -> None:
        flow = self.expression(node.pipe, scope)
        inner = self.bind(node.element, flow.elements(), node.declare, scope, node)
        index = CLEAN if flow.is_list else flow.keys()
        inner = self.bind(node.index, index, node.declare, inner, node.body)
        self.body(node.body, _Scope(flow.elements(), inner.variables))
        self.body(node.otherwise, scope)

    def bind(
        self, name: str | None, flow: Flow, declare: bool, scope: _Scope, where: object
    ) -> _Scope:
        """Give a variable a value: a new one that `where` declares, or else the visible one."""
        if name is None:
            return scope
        key = id(where) if declare else scope.variables.get(name, id(where))
        before = self.held.get(key)
        self.held[key] = flow if before is None else join(before, flow)
        if before is not None and flow.whole.keys() - before.whole.keys():
            self.learned = True
        return _Scope(scope.dot, {**scope.variables, name: key})

    def give(self, name: str, flow: Flow) -> None:
        before = self.arguments.get(name, CLEAN)
        self.arguments[name] = join(before, flow)
        if flow.whole.keys() - before.whole.keys():
            self.learned = True

    # Expressions

    def expression(self, expression: ast.Expr, scope: _Scope) -> Flow:
        match expression:
            case ast.Dot():
                return scope.dot
            case ast.Variable(name):
                return self.held.get(scope.variables.get(name, 0), CLEAN)
            case ast.Root():
                return _unless_number(expression, (), self.look(expression))
            case ast.Field(base, names):
                flow = self.expression(base, scope)
                return _unless_number(base, names, at(flow, names))
            case ast.Call():
                return self.call(expression, scope)
            case ast.Method(base, _, args):
                return mixed(self.expression(part, scope) for part in (base, *args))
            case ast.Binary("+", left, right, span):
                both = combined([self.expression(left, scope), self.expression(right, scope)])
                return functions.bare(both, Note(span, WRAPPED)) if _wraps(left, right) else both
            case ast.Binary(_, left, right):
                self.expression(left, scope), self.expression(right, scope)
                return CLEAN
            case ast.And(operands):  # any but the last is only the result when it is empty
                return [self.expression(operand, scope) for operand in operands][-1]
            case ast.Or(operands):
                return joined([self.expression(operand, scope) for operand in operands])
            case ast.Not(operand):
                self.expression(operand, scope)
        return CLEAN

    def call(self, node: ast.Call, scope: _Scope) -> Flow:
        args = [self.expression(argument, scope) for argument in node.args]
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Literal) else ""
        if node.function == "secret" and not name:
            return CLEAN  # an error of its own
        if node.function == "secret":
            return named_secret(Note(node.span, f"the secret `{name}` is named here"))
        if node.function == "env":
            return Flow(given(Note(node.span, f"the environment's `{name}` is read here")))
        if node.function == MESSAGE_FUNCTION:
            self.messages.append(Printed(node.span, mixed(args)))
            return CLEAN
        result = functions.call(node, args)
        signature = library.find(node.function)
        if signature is not None and signature.mutates and args:
            self.change(node.args[0], result, scope)
        return result

    def change(self, argument: ast.Expr, flow: Flow, scope: _Scope) -> None:
        """Let a variable hold what a function put into its map."""
        if isinstance(argument, ast.Variable) and argument.name in scope.variables:
            self.bind(argument.name, flow, False, scope, argument)


def _wraps(*parts: ast.Expr) -> bool:
    """Whether a literal text among the parts has a sign that quotes."""
    texts = [part.value for part in parts if isinstance(part, ast.Literal)]
    return any(isinstance(text, str) and functions.wraps(text) for text in texts)


def at(flow: Flow, names: tuple[Key, ...]) -> Flow:
    """The part of a value that a chain of fields leads to."""
    for name in names:
        flow = flow.at(name)
    return flow


def _unless_number(base: ast.Expr, names: tuple[Key, ...], flow: Flow) -> Flow:
    """Nothing, where what is declared says that the value is a number or a bool."""
    if not flow.whole or not isinstance(base, ast.Root):
        return flow
    type_: Type | None = simplified(base.type)
    for name in names:
        type_ = None if type_ is None else field_type(type_, name)
    options = type_.options if isinstance(type_, OneOf) else (type_,)
    return CLEAN if all(option in _HARMLESS for option in options) else flow
