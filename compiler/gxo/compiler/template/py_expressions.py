"""Expressions of a template as the Python that a person would write.

    .users.body                ctx.state["users"]["body"]
    eq .env "prod"             ctx.inputs["env"] == "prod"      where both are known to be texts
    .a.b | default "x"         expr.ask(ctx.state.get("a"), "b") or "x"
    .name | upper              strings.upper(record["name"])

Python's operators stand where Go's rules and Python's agree for the known types; elsewhere a
function of `gxo.runtime.expr` does. A field chain that is asked for (language, section 3, "Missing
values") is read so that a missing key gives None; elsewhere it is a plain subscript, which raises.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gxo.compiler.diagnostics import Span
from gxo.compiler.frozen import replace
from gxo.compiler.python_source import Quote, literal
from gxo.compiler.template import ast, functions
from gxo.compiler.template.infer import NOTHING_KNOWN, Env, infer, kinds, may_be_missing, may_be_nil
from gxo.compiler.template.py_code import (
    ADD,
    AND,
    ATOM,
    COMPARE,
    MULTIPLY,
    NOT,
    OR,
    TERNARY,
    Code,
    Embedded,
)
from gxo.compiler.template.py_spellings import (
    EXPR,
    SPELLINGS,
    is_whole,
    never_fails,
)
from gxo.compiler.types import ANY, INT, TEXT, ListOf, MapOf, Shape, Type, field_type

Mark = Callable[[str, Span], str]
"""Wraps the source of an expression that can fail; the identity for the text that is kept."""

MAX_NESTING = 40
"""Python nests at most 200 parentheses; what is deeper goes into a function of its own."""

_COMPARE_FUNCTIONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_ARITHMETIC_FUNCTIONS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "divide",
    "%": "remainder",
}


class Hoist(Protocol):
    """Puts an expression into a function of its own; returns the call."""

    def __call__(self, expression: ast.Expr, printer: "ExpressionPrinter") -> str: ...


@dataclass(slots=True)
class Collected:
    """What the printed code needs from around it."""

    imports: set[str] = field(default_factory=set)
    names: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpressionPrinter:
    """Prints expressions at one place of a template.

    env: the types known there. variables: the Python names of the template's variables. dot: that
    of the inner dot. copies: roots that were copied, by kind and name, to the local that holds the
    copy. context: what the context is called. to_text: the function of `gxo.runtime.expr` that
    prints values into a text. quote: of text literals. local: the variable that keeps a shared
    value, by its name. guarded: the variable that a value is kept in while its type is looked at,
    where that is done in line: in a loop a function's call is most of what a comparison costs.
    """

    collected: Collected
    mark: Mark
    env: Env = NOTHING_KNOWN
    variables: dict[str, str] = field(default_factory=dict)
    dot: str = ""
    copies: dict[tuple[str, str], str] = field(default_factory=dict)
    context: str = "ctx"
    to_text: str = "text"
    quote: Quote = '"'
    depth: int = 0
    hoist: Hoist | None = None
    local: Callable[[str], str] = str
    guarded: str | None = None

    # Entry points

    def code(self, expression: ast.Expr) -> Code:
        """The source of an expression's value."""
        if self.depth >= MAX_NESTING and self.hoist is not None:
            return Code(self.hoist(expression, replace(self, depth=0, quote='"')))
        match expression:
            case ast.Literal(value):
                return Code(literal(value, self.quote))
            case ast.Nil():
                return Code("None")
            case ast.Dot():
                return Code(self.dot)
            case ast.Variable(name):
                return Code(self.variables[name])
        inner = replace(self, depth=self.depth + 1) if self.hoist else self
        match expression:
            case ast.Shared(name, shared, first):
                local = self.local(name)
                return Code(f"({local} := {inner.code(shared).text})" if first else local)
            case ast.Root():
                return inner.root(expression)
            case ast.Field():
                return inner.field(expression)
            case ast.Call("default", (fallback, given)) if never_fails(fallback, self.env):
                return inner.choice(" or ", OR, (given, fallback))
            case ast.Call("empty", (given,)):
                return inner.negation(given)
            case ast.Call():
                return inner.call(expression)
            case ast.Method():
                return inner.method(expression)
            case ast.Binary():
                return inner.binary(expression)
            case ast.Not(operand):
                return inner.negation(operand)
            case ast.And(operands):
                return inner.choice(" and ", AND, operands)
            case ast.Or(operands):
                return inner.choice(" or ", OR, operands)

    def asked(self, expression: ast.Expr) -> Code:
        """The source of an expression that is asked for: None where a field chain leads nowhere."""
        match expression:
            case ast.Root():
                return self.asked_root(expression)
            case ast.Field(base, names, span):
                return self.asked_field(base, names, span)
            case _:
                return self.code(expression)

    def embedded(self, expression: ast.Expr) -> Embedded:
        """The source of an expression that is printed into a text."""
        type_ = infer(expression, self.env).type
        if type_ == TEXT:
            return Embedded(self._single_quoted(expression).text, self.code(expression))
        if type_ == INT:
            alone = Code(f"str({self.code(expression).text})")
            return Embedded(self._single_quoted(expression).text, alone)
        alone = self._as_text(self.code(expression), expression)
        return Embedded(self._as_text(self._single_quoted(expression), expression).text, alone)

    def _single_quoted(self, expression: ast.Expr) -> Code:
        return replace(self, quote="'").code(expression)

    def _as_text(self, code: Code, expression: ast.Expr) -> Code:
        return self.marked(Code(self.helper(self.to_text, code.text)), expression.span)

    # References

    def root(self, root: ast.Root) -> Code:
        key = self.string(root.name)
        copied = self.copies.get((root.kind, root.name))
        if copied is not None:
            return Code(copied)
        match root.kind:
            case "input":
                return self._context(f"inputs[{key}]")
            case "var":
                return self._context(f"vars[{key}]")
            case "register":
                return self.marked(self._context(f"state[{key}]"), root.span)
            case "step":
                return self.marked(Code(f"{self._given('steps').text}[{key}]"), root.span)
            case "loop" | "record" | "dot":
                return self._given(root.python)
            case "workload":
                return self._context(f"workloads[{key}].{root.attribute}")
            case "system":
                return self._context(root.name)
            case "field":
                return self._record_field(root)

    def _record_field(self, root: ast.Root) -> Code:
        key, record = self.string(root.name), self._record(root)
        if root.outer is None:
            return self.marked(Code(f"{record}[{key}]"), root.span)
        outer = self.root(root.outer)
        if root.outer.kind not in ("register", "field"):
            return Code(f"{record}.get({key}, {outer.text})")
        return Code(f"{record}[{key}] if {key} in {record} else {outer.text}", TERNARY)

    def asked_root(self, root: ast.Root) -> Code:
        key = self.string(root.name)
        if (root.kind, root.name) in self.copies:
            return self.root(root)
        if root.kind == "register":
            return self._context(f"state.get({key})")
        if root.kind == "step":
            return Code(f"{self._given('steps').text}.get({key})")
        if root.kind == "field":
            record = self._record(root)
            if root.outer is None:
                return Code(f"{record}.get({key})")
            return Code(f"{record}.get({key}, {self.asked_root(root.outer).text})")
        return self.root(root)

    def _record(self, root: ast.Root) -> str:
        copied = self.copies.get(("record", record_key(root)))
        return copied if copied is not None else self._given(root.python).text

    def string(self, text: str) -> str:
        """A text literal."""
        return literal(text, self.quote)

    def _context(self, part: str) -> Code:
        self.collected.names["ctx"] = None
        return Code(f"{self.context}.{part}")

    def _given(self, name: str) -> Code:
        self.collected.names[name] = None
        return Code(name)

    # Fields

    def field(self, chain: ast.Field) -> Code:
        base = self.code(chain.base)
        known = infer(chain.base, self.env)
        if known.native or _is_result(chain.base):
            return self.marked(self._fields_by_helper(base, chain.names), chain.span)
        text = base.at(ATOM)
        type_ = known.type
        for name in chain.names:
            key = literal(name, self.quote)
            if isinstance(name, int) and not isinstance(type_, ListOf):
                text = self.helper("field", text, key)
            else:
                text = f"{text}[{key}]"
            type_ = field_type(type_, name) or ANY
        return self.marked(Code(text), chain.span)

    def _fields_by_helper(self, base: Code, names: tuple[str | int, ...]) -> Code:
        text = base.text
        for name in names:
            text = self.helper("field", text, literal(name, self.quote))
        return Code(text)

    def asked_field(self, base: ast.Expr, names: tuple[str | int, ...], span: Span) -> Code:
        known = infer(base, self.env)
        if not may_be_missing(ast.Field(base, names, span), self.env):
            return self.field(ast.Field(base, names, span))
        keys = [literal(name, self.quote) for name in names]
        base_code = self.asked(base)
        if len(keys) == 1 and isinstance(known.type, MapOf | Shape) and not may_be_nil(base):
            return Code(f"{base_code.at(ATOM)}.get({keys[0]})")
        return self.marked(Code(self.helper("ask", base_code.text, *keys)), span)

    def method(self, method: ast.Method) -> Code:
        base = self.code(method.base).text
        name = literal(method.name, self.quote)
        call = self.helper("method", base, name, *self.texts(method.args))
        return self.marked(Code(call), method.span)

    def texts(self, expressions: tuple[ast.Expr, ...]) -> list[str]:
        texts = []
        for expression in expressions:
            texts.append(self.code(expression).text)  # noqa: PERF401 - one frame less a level
        return texts

    # Operators

    def binary(self, binary: ast.Binary) -> Code:
        left, right = infer(binary.left, self.env), infer(binary.right, self.env)
        sign = binary.operator
        compared = sign in ("==", "!=") and isinstance(binary.right, ast.Nil)
        if compared and not isinstance(binary.left, ast.Literal):
            word = "is" if sign == "==" else "is not"
            return Code(f"{self.code(binary.left).at(ADD)} {word} None", COMPARE)
        if _agrees(sign, left.type, right.type) and self._is_plain(binary, left.type):
            return self._operator(binary)
        is_asked = sign in ("==", "!=") and left.type == ANY
        if self.guarded is not None and is_asked and isinstance(binary.right, ast.Literal):
            return _guarded(binary, type(binary.right.value), self.guarded, self)
        name = _COMPARE_FUNCTIONS.get(sign) or _ARITHMETIC_FUNCTIONS[sign]
        operands = self.code(binary.left).text, self.code(binary.right).text
        return self.marked(Code(self.helper(name, *operands)), binary.span)

    def _is_plain(self, binary: ast.Binary, type_: Type) -> bool:
        """Whether no halves of characters take part where they would matter."""
        if "text" not in kinds(type_) or binary.operator in ("==", "!="):
            return True
        return is_whole(binary.left) and is_whole(binary.right)

    def _operator(self, binary: ast.Binary) -> Code:
        sign = binary.operator
        if sign in _COMPARE_FUNCTIONS:
            left, right = self.code(binary.left), self.code(binary.right)
            return Code(f"{left.at(ADD)} {sign} {right.at(ADD)}", COMPARE)
        level = ADD if sign in "+-" else MULTIPLY
        left, right = self.code(binary.left), self.code(binary.right)
        code = Code(f"{left.at(level)} {sign} {right.at(level + 1)}", level)
        return self.marked(code, binary.span) if sign == "/" else code

    def negation(self, operand: ast.Expr) -> Code:
        if isinstance(operand, ast.Binary) and operand.operator in ("==", "!="):
            opposite = replace(operand, operator="!=" if operand.operator == "==" else "==")
            return self.binary(opposite)
        return Code(f"not {self.asked(operand).at(NOT)}", NOT)

    def choice(self, word: str, level: int, operands: tuple[ast.Expr, ...]) -> Code:
        if len(operands) == 1:
            return self.asked(operands[0])
        parts = []
        for operand in operands:
            parts.append(self.asked(operand).at(level))  # noqa: PERF401 - one frame less a level
        return Code(word.join(parts), level)

    # Calls

    def call(self, call: ast.Call) -> Code:
        signature = functions.find(call.function)
        assert signature is not None, "a template with errors is not compiled"
        spelled = SPELLINGS.get(call.function)
        code = spelled(self, call) if spelled is not None else None
        if code is not None:
            return code
        if signature.module == "":
            arguments = ", ".join(self.texts(call.args))
            return self.marked(self._context(f"{signature.python}({arguments})"), call.span)
        texts = []
        for index, argument in enumerate(call.args):
            if functions.asks(call.function, index):
                texts.append(self.asked(argument).text)
            else:
                texts.append(self._argument(argument, signature.parameter(index)).text)
        code = Code(self._called(signature, texts))
        if signature.secret:
            code = self._private(code, signature.result)
        return self.marked(code, call.span)

    def _private(self, code: Code, type_: Type) -> Code:
        """A value that the job is to redact, or of which these fields are to be redacted."""
        fields = sorted(type_.secret) if isinstance(type_, Shape) else []
        return self._context(f"private({', '.join([code.text, *map(self.string, fields)])})")

    def _argument(self, argument: ast.Expr, parameter: tuple[str, Type] | None) -> Code:
        if parameter is not None and parameter[1] == INT and isinstance(argument, ast.Literal):
            return Code(literal(int(argument.value)))
        return self.code(argument)

    def _called(self, signature: functions.Signature, texts: list[str]) -> str:
        package = signature.module.rpartition(".")[0]
        self.collected.imports.add(f"from {package} import {signature.family}")
        return f"{signature.family}.{signature.python}({', '.join(texts)})"

    def helper(self, name: str, *arguments: str) -> str:
        """A call of a function of `gxo.runtime.expr`."""
        self.collected.imports.add(EXPR)
        return f"expr.{name}({', '.join(arguments)})"

    def marked(self, code: Code, span: Span | None) -> Code:
        return code if span is None else Code(self.mark(code.text, span), code.level)


# What is known -----------------------------------------------------------------------------------


def _agrees(sign: str, left: Type, right: Type) -> bool:
    """Whether Python's operator does what the template's does, for values of these types."""
    both = kinds(left) | kinds(right)
    if sign in ("==", "!="):
        return len(both - {"nil"}) <= 1 and both <= {"text", "number", "bool", "nil"}
    if sign in _COMPARE_FUNCTIONS:
        return both in ({"text"}, {"number"})
    if sign == "+":
        return both in ({"text"}, {"number"}, {"list"})
    return both == {"number"} and sign != "%"


def _guarded(binary: ast.Binary, expected: type, value: str, printer: ExpressionPrinter) -> Code:
    """A comparison with a literal: most values are of its type, and Python's operator does."""
    left, right = printer.code(binary.left).text, printer.code(binary.right).text
    plain = f"{value} {binary.operator} {right}"
    is_expected = f"type({value} := {left}) is {expected.__name__}"
    call = Code(printer.helper(_COMPARE_FUNCTIONS[binary.operator], value, right))
    otherwise = printer.marked(call, binary.span).text
    return Code(f"{plain} if {is_expected} else {otherwise}", TERNARY)


def _is_result(base: ast.Expr) -> bool:
    """Whether this is a workload's result, which is None until the workload has ended."""
    return isinstance(base, ast.Root) and base.kind == "workload"


def record_key(field: ast.Root) -> str:
    """What tells the record of the field from the event that steps see besides."""
    return "event" if field.python == "event" else ""
