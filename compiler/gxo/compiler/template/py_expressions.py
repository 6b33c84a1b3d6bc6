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
from dataclasses import dataclass, field, replace
from typing import Protocol

from gxo.compiler.diagnostics import Span
from gxo.compiler.python_source import Quote, literal
from gxo.compiler.template import ast, functions
from gxo.compiler.template.infer import Env, infer, kinds, required_fields
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
from gxo.compiler.types import ANY, INT, TEXT, ListOf, MapOf, Shape, Type, field_type

Mark = Callable[[str, Span], str]
"""Wraps the source of an expression that can fail; the identity for the text that is kept."""

MAX_NESTING = 40
"""Python nests at most 200 parentheses; what is deeper goes into a function of its own."""

EXPR = "from gxo.runtime import expr"
_COMPARE_FUNCTIONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_ARITHMETIC_FUNCTIONS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "divide",
    "%": "remainder",
}
_ASKING = frozenset(("default", "coalesce", "empty"))


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
    copy. to_text: the function of `gxo.runtime.expr` that prints values into a text. quote: of text
    literals.
    """

    collected: Collected
    mark: Mark
    env: Env = field(default_factory=Env)
    variables: dict[str, str] = field(default_factory=dict)
    dot: str = ""
    copies: dict[tuple[str, str], str] = field(default_factory=dict)
    to_text: str = "text"
    quote: Quote = '"'
    depth: int = 0
    hoist: Hoist | None = None

    # Entry points

    def code(self, expression: ast.Expr) -> Code:
        """The source of an expression's value."""
        if self.depth >= MAX_NESTING and self.hoist is not None:
            return Code(self.hoist(expression, replace(self, depth=0, quote='"')))
        inner = replace(self, depth=self.depth + 1)
        match expression:
            case ast.Literal(value):
                return Code(literal(value, self.quote))
            case ast.Nil():
                return Code("None")
            case ast.Dot():
                return Code(self.dot)
            case ast.Variable(name):
                return Code(self.variables[name])
            case ast.Root():
                return inner.root(expression)
            case ast.Field():
                return inner.field(expression)
            case ast.Call("default", (fallback, given)):
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
        alone = self._as_text(self.code(expression), expression)
        if type_ == INT:
            return Embedded(self._single_quoted(expression).text, alone)
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
        if root.outer.kind != "register":
            return Code(f"{record}.get({key}, {outer.text})")
        return Code(f"{record}[{key}] if {key} in {record} else {outer.text}", TERNARY)

    def asked_root(self, root: ast.Root) -> Code:
        key = self.string(root.name)
        if (root.kind, root.name) in self.copies:
            return self.root(root)
        if root.kind == "register":
            return self._context(f"state.get({key})")
        if root.kind == "field":
            record = self._record(root)
            if root.outer is None:
                return Code(f"{record}.get({key})")
            return Code(f"{record}.get({key}, {self.asked_root(root.outer).text})")
        return self.root(root)

    def _record(self, root: ast.Root) -> str:
        copied = self.copies.get(("record", ""))
        return copied if copied is not None else self._given(root.python).text

    def string(self, text: str) -> str:
        """A text literal."""
        return literal(text, self.quote)

    def _context(self, part: str) -> Code:
        self.collected.names["ctx"] = None
        return Code(f"ctx.{part}")

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
        if not _may_be_nil(base) and required_fields(known.type, names):
            return self.field(ast.Field(base, names, span))
        keys = [literal(name, self.quote) for name in names]
        base_code = self.asked(base)
        if len(keys) == 1 and isinstance(known.type, MapOf | Shape) and not _may_be_nil(base):
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
        if _agrees(sign, left.type, right.type):
            return self._operator(binary)
        name = _COMPARE_FUNCTIONS.get(sign) or _ARITHMETIC_FUNCTIONS[sign]
        operands = self.code(binary.left).text, self.code(binary.right).text
        return self.marked(Code(self.helper(name, *operands)), binary.span)

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
        if spelled is not None:
            code = spelled(self, call)
            if code is not None:
                return code
        if signature.module == "":
            arguments = ", ".join(self.texts(call.args))
            return self.marked(self._context(f"{signature.python}({arguments})"), call.span)
        texts = []
        for index, argument in enumerate(call.args):
            parameter = signature.parameter(index)
            texts.append(self._argument(argument, parameter, call.function).text)
        return self.marked(Code(self._called(signature, texts)), call.span)

    def _argument(
        self, argument: ast.Expr, parameter: tuple[str, Type] | None, function: str
    ) -> Code:
        if function in _ASKING:
            return self.asked(argument)
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


# Functions that Python has its own words for ---------------------------------------------------

Spelling = Callable[[ExpressionPrinter, ast.Call], Code | None]


def _length(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    known = infer(call.args[0], printer.env).type
    if not isinstance(known, ListOf | MapOf | Shape):
        return None
    return Code(f"len({printer.code(call.args[0]).text})")


def _list(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    return Code(f"[{', '.join(printer.texts(call.args))}]")


def _dict(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    keys, values = call.args[::2], call.args[1::2]
    literals = [key.value for key in keys if isinstance(key, ast.Literal)]
    texts = [key for key in literals if isinstance(key, str)]
    if len(texts) != len(keys) or len(set(texts)) != len(keys) or len(keys) != len(values):
        return None
    pairs = zip(texts, printer.texts(values), strict=True)
    return Code(
        "{" + ", ".join([f"{literal(key, printer.quote)}: {text}" for key, text in pairs]) + "}"
    )


def _index(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    """A literal position in a list, or a literal key of a map, whose absence gives nil."""
    if len(call.args) != 2 or not isinstance(key := call.args[1], ast.Literal):
        return None
    known = infer(call.args[0], printer.env).type
    value = printer.code(call.args[0]).at(ATOM)
    if isinstance(known, ListOf) and type(key.value) is int and key.value >= 0:
        return printer.marked(Code(f"{value}[{key.value}]"), call.span)
    if isinstance(known, MapOf | Shape) and isinstance(key.value, str):
        return Code(f"{value}.get({printer.string(key.value)})")
    return None


def _is_one_of(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    """`eq .env "a" "b"` for texts; with two arguments it is an operator already."""
    if not _all_text(printer, call):
        return None
    first, *others = [printer.code(argument) for argument in call.args]
    return Code(f"{first.at(ADD)} in ({', '.join([one.text for one in others])})", COMPARE)


def _has_key(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    types = [infer(argument, printer.env).type for argument in call.args]
    if not isinstance(types[0], MapOf | Shape) or types[1] != TEXT:
        return None
    value, key = printer.code(call.args[0]), printer.code(call.args[1])
    return Code(f"{key.at(ADD)} in {value.at(ADD)}", COMPARE)


def _contains(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    if not _all_text(printer, call):
        return None
    part, text = printer.code(call.args[0]), printer.code(call.args[1])
    return Code(f"{part.at(ADD)} in {text.at(ADD)}", COMPARE)


def _has_prefix(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    return _text_method("startswith", printer, call)


def _has_suffix(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    return _text_method("endswith", printer, call)


def _text_method(name: str, printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    if not _all_text(printer, call):
        return None
    part, text = printer.code(call.args[0]), printer.code(call.args[1])
    return Code(f"{text.at(ATOM)}.{name}({part.text})")


def _ternary(printer: ExpressionPrinter, call: ast.Call) -> Code | None:
    """Only for literals: Go evaluates both, Python one."""
    first, second, condition = call.args
    is_bool = kinds(infer(condition, printer.env).type) == {"bool"}
    if not (isinstance(first, ast.Literal) and isinstance(second, ast.Literal) and is_bool):
        return None
    parts = [printer.code(one).at(OR) for one in (first, condition, second)]
    return Code(f"{parts[0]} if {parts[1]} else {parts[2]}", TERNARY)


def _all_text(printer: ExpressionPrinter, call: ast.Call) -> bool:
    return all(infer(argument, printer.env).type == TEXT for argument in call.args)


SPELLINGS: dict[str, Spelling] = {
    "len": _length,
    "list": _list,
    "tuple": _list,
    "dict": _dict,
    "index": _index,
    "eq": _is_one_of,
    "hasKey": _has_key,
    "contains": _contains,
    "hasPrefix": _has_prefix,
    "hasSuffix": _has_suffix,
    "ternary": _ternary,
}


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


def _is_result(base: ast.Expr) -> bool:
    """Whether this is a workload's result, which is None until the workload has ended."""
    return isinstance(base, ast.Root) and base.kind == "workload"


def _may_be_nil(base: ast.Expr) -> bool:
    """Whether the value may be absent as a whole: the register of a workload that did not run."""
    return isinstance(base, ast.Root) and base.kind in ("register", "field", "workload")
