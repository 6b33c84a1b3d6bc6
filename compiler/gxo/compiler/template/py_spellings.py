"""Functions that Python has its own words for, where the known types make them agree with Go.

    len .tags                      len(ctx.vars["tags"])
    .name | replace "-" "_"        ctx.vars["name"].replace("-", "_")
    add .port 1                    expr.wrap(ctx.vars["port"] + 1)
    printf "%s:%05d" .name .id     f"{ctx.vars['name']}:{ctx.vars['id']:05d}"

Each spelling gives None where it does not hold; the function of the library is called then.
"""

import re
from collections.abc import Callable
from typing import Protocol

from gxo.compiler.diagnostics import Span
from gxo.compiler.python_source import Quote, literal
from gxo.compiler.template import ast, walk
from gxo.compiler.template.infer import Env, infer, kinds, may_be_missing
from gxo.compiler.template.py_code import (
    ADD,
    ATOM,
    COMPARE,
    MULTIPLY,
    OR,
    TERNARY,
    Code,
    Embedded,
    Piece,
    joined,
)
from gxo.compiler.types import BOOL, INT, TEXT, ListOf, MapOf, Shape, Type

EXPR = "from gxo.runtime import expr"


class Printer(Protocol):
    """What the spellings need of an `ExpressionPrinter`."""

    @property
    def env(self) -> Env: ...
    @property
    def quote(self) -> Quote: ...
    def code(self, expression: ast.Expr) -> Code: ...
    def embedded(self, expression: ast.Expr) -> Embedded: ...
    def texts(self, expressions: tuple[ast.Expr, ...]) -> list[str]: ...
    def string(self, text: str) -> str: ...
    def helper(self, name: str, *arguments: str) -> str: ...
    def marked(self, code: Code, span: Span | None) -> Code: ...


Spelling = Callable[[Printer, ast.Call], Code | None]


# Parts of values -------------------------------------------------------------------------------


def _length(printer: Printer, call: ast.Call) -> Code | None:
    if not isinstance(_type(printer, call.args[0]), ListOf | MapOf | Shape):
        return None
    return Code(f"len({printer.code(call.args[0]).text})")


def _list(printer: Printer, call: ast.Call) -> Code | None:
    return Code(f"[{', '.join(printer.texts(call.args))}]")


def _dict(printer: Printer, call: ast.Call) -> Code | None:
    keys, values = call.args[::2], call.args[1::2]
    literals = [key.value for key in keys if isinstance(key, ast.Literal)]
    texts = [key for key in literals if isinstance(key, str)]
    if len(texts) != len(keys) or len(set(texts)) != len(keys) or len(keys) != len(values):
        return None
    pairs = zip(texts, printer.texts(values), strict=True)
    return Code(
        "{" + ", ".join([f"{literal(key, printer.quote)}: {text}" for key, text in pairs]) + "}"
    )


def _index(printer: Printer, call: ast.Call) -> Code | None:
    """A literal position in a list, or a literal key of a map, whose absence gives nil."""
    if len(call.args) != 2 or not isinstance(key := call.args[1], ast.Literal):
        return None
    known = _type(printer, call.args[0])
    value = printer.code(call.args[0]).at(ATOM)
    if isinstance(known, ListOf) and type(key.value) is int and key.value >= 0:
        return printer.marked(Code(f"{value}[{key.value}]"), call.span)
    if isinstance(known, MapOf | Shape) and isinstance(key.value, str):
        return Code(f"{value}.get({printer.string(key.value)})")
    return None


def _has_key(printer: Printer, call: ast.Call) -> Code | None:
    value, key = call.args
    if not isinstance(_type(printer, value), MapOf | Shape) or _type(printer, key) != TEXT:
        return None
    if may_be_missing(value, printer.env):
        return None
    return Code(f"{printer.code(key).at(ADD)} in {printer.code(value).at(ADD)}", COMPARE)


def _has(printer: Printer, call: ast.Call) -> Code | None:
    """Whether a list of texts has a text; 1 and 1.0 differ for Go, and not for Python."""
    element, values = call.args
    if _type(printer, element) != TEXT or _type(printer, values) != ListOf(TEXT):
        return None
    return Code(f"{printer.code(element).at(ADD)} in {printer.code(values).at(ADD)}", COMPARE)


# Choices ---------------------------------------------------------------------------------------


def _is_one_of(printer: Printer, call: ast.Call) -> Code | None:
    """`eq .env "a" "b"` for texts; with two arguments it is an operator already."""
    if not _are_all(TEXT, printer, call.args):
        return None
    first, *others = [printer.code(argument) for argument in call.args]
    return Code(f"{first.at(ADD)} in ({', '.join([one.text for one in others])})", COMPARE)


def _ternary(printer: Printer, call: ast.Call) -> Code | None:
    """Only for literals: Go evaluates both, Python one."""
    first, second, condition = call.args
    is_bool = kinds(_type(printer, condition)) == {"bool"}
    if not (isinstance(first, ast.Literal) and isinstance(second, ast.Literal) and is_bool):
        return None
    parts = [printer.code(one).at(OR) for one in (first, condition, second)]
    return Code(f"{parts[0]} if {parts[1]} else {parts[2]}", TERNARY)


# Texts -----------------------------------------------------------------------------------------


def _contains(printer: Printer, call: ast.Call) -> Code | None:
    if not _are_whole(printer, call.args):
        return None
    part, text = printer.code(call.args[0]), printer.code(call.args[1])
    return Code(f"{part.at(ADD)} in {text.at(ADD)}", COMPARE)


def _method(name: str) -> Spelling:
    """A method of the last argument, which a pipe gives; the others are the method's."""

    def spelled(printer: Printer, call: ast.Call) -> Code | None:
        if not _are_whole(printer, call.args):
            return None
        *arguments, text = call.args
        return Code(
            f"{printer.code(text).at(ATOM)}.{name}({', '.join(printer.texts(tuple(arguments)))})"
        )

    return spelled


def _split(printer: Printer, call: ast.Call) -> Code | None:
    separator = call.args[0]
    if not isinstance(separator, ast.Literal) or not separator.value:
        return None  # without a separator Go splits into characters
    return _method("split")(printer, call)


def _join(printer: Printer, call: ast.Call) -> Code | None:
    separator, values = call.args
    known = _type(printer, values)
    if not _are_whole(printer, (separator,)) or not is_whole(values):
        return None
    if known not in (ListOf(TEXT), ListOf(INT)):
        return None
    texts = printer.code(values).text
    if known == ListOf(INT):
        texts = f"map(str, {texts})"
    return Code(f"{printer.code(separator).at(ATOM)}.join({texts})")


def _to_string(printer: Printer, call: ast.Call) -> Code | None:
    known, value = _type(printer, call.args[0]), printer.code(call.args[0])
    if known == TEXT:
        return value
    return Code(f"str({value.text})") if known == INT else None


def _formatted(printer: Printer, call: ast.Call) -> Code | None:
    """`print` and `printf` as an f-string; not in another one, which Python 3.11 cannot read."""
    if printer.quote == "'" or not is_whole(call):
        return None
    pieces = formatted(printer, call)
    return None if pieces is None else joined(pieces)


def formatted(printer: Printer, expression: ast.Expr) -> list[Piece] | None:
    """The pieces that a `print` or `printf` adds to a text; None where Python's formats do not do
    what Go's do for the types of the values."""
    match expression:
        case ast.Call("print", values) if _are_all(TEXT, printer, values):
            return [printer.embedded(value) for value in values]  # no spaces between texts
        case ast.Call("printf", (ast.Literal(str() as form), *values)):
            return _directives(form, values, printer)
        case _:
            return None


_DIRECTIVE = re.compile(r"%(-?)(\+?)(0?)([1-9][0-9]?)?(.?)", re.DOTALL)


def _directives(form: str, values: list[ast.Expr], printer: Printer) -> list[Piece] | None:
    pieces: list[Piece] = []
    at = 0
    for found in _DIRECTIVE.finditer(form):
        pieces.append(form[at : found.start()])
        at = found.end()
        if found[0] == "%%":
            pieces.append("%")
            continue
        piece = _directive(found, values.pop(0), printer) if values else None
        if piece is None:
            return None
        pieces.append(piece)
    pieces.append(form[at:])
    return None if values else pieces


def _directive(found: re.Match[str], value: ast.Expr, printer: Printer) -> Embedded | None:
    """One value under one directive: `{count:05d}`."""
    minus, plus, zero, width, verb = found.groups("")
    known = _type(printer, value)
    if known == TEXT and verb in ("s", "v") and not (plus or zero):
        spec = f"{'' if minus else '>'}{width}" if width else ""
    elif known == INT and verb in ("d", "v", "x", "X") and not (minus and zero):
        if plus and verb == "v":
            return None
        kind = "" if verb == "v" else verb
        spec = f"{'<' if minus and width else ''}{plus}{zero if width else ''}{width}{kind}"
        spec = "" if spec == "d" else spec
    elif known == BOOL and found[0] in ("%t", "%v"):
        spec = ""
    else:
        return None
    shown = printer.embedded(value)
    if not spec:
        return shown
    alone = Code(f"format({printer.code(value).text}, {printer.string(spec)})")
    return Embedded(f"{shown.inside}:{spec}", alone)


# Numbers ---------------------------------------------------------------------------------------

_MOST_OPERANDS = 8  # Python's parser goes one level deeper for each
_RING = {"add": ("+", ADD), "sub": ("-", ADD), "mul": ("*", MULTIPLY)}


def _wrapped(printer: Printer, call: ast.Call) -> Code | None:
    """`add`, `sub` and `mul` of ints: what they come to in 64 bits; once, however they nest."""
    code = _ring(printer, call)
    return None if code is None else Code(printer.helper("wrap", code.text))


def _ring(printer: Printer, expression: ast.Expr) -> Code | None:
    """The value before it is held in 64 bits."""
    if not isinstance(expression, ast.Call) or not _are_all(INT, printer, expression.args):
        return None
    if expression.function == "add1":
        return Code(f"{_operand(printer, expression.args[0]).at(ADD)} + 1", ADD)
    if expression.function not in _RING or not 1 < len(expression.args) <= _MOST_OPERANDS:
        return None
    sign, level = _RING[expression.function]
    first, *others = [_operand(printer, argument) for argument in expression.args]
    return Code(f" {sign} ".join([first.at(level), *[one.at(level + 1) for one in others]]), level)


def _operand(printer: Printer, expression: ast.Expr) -> Code:
    return _ring(printer, expression) or printer.code(expression)


# What is known ---------------------------------------------------------------------------------


def _type(printer: Printer, expression: ast.Expr) -> Type:
    return infer(expression, printer.env).type


def is_whole(expression: ast.Expr) -> bool:
    """Whether the texts in a value are all of whole characters, as those from outside are. Go's
    functions cut texts at any byte, and what they leave does not fit Python's operators."""
    return all(_cuts_nothing(part) for part in walk.expressions(expression))


def _cuts_nothing(part: ast.Expr) -> bool:
    match part:
        case ast.Literal(str() as text):
            return text.isascii() or text == text.encode("utf-8", "replace").decode()
        case ast.Call(name):
            return name in _CUT_NOTHING
        case _:
            return isinstance(part, ast.Literal | ast.Root | ast.Field | ast.Shared)


_CUT_NOTHING = frozenset(
    ("add", "add1", "join", "len", "list", "lower", "mul", "print", "printf", "replace", "sub")
) | {
    "splitList",
    "title",
    "toString",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "tuple",
    "until",
    "upper",
}


def never_fails(expression: ast.Expr, env: Env) -> bool:
    """Whether an expression that is asked for has a value whatever the data: only then does it make
    no difference that Python evaluates it when it is needed, and Go always."""
    match expression:
        case ast.Binary() | ast.Method():
            return False
        case ast.Call(name, args):
            return name in _NEVER_FAIL and all(
                never_fails(one, env) and not may_be_missing(one, env) for one in args
            )
        case ast.Not() | ast.And() | ast.Or():
            return all(never_fails(one, env) for one in walk.parts(expression))
        case _:
            return True


_NEVER_FAIL = frozenset(
    ("cat", "dict", "env", "list", "now", "print", "printf", "println", "quote", "secret", "squote")
) | {"toJson", "toString", "tuple"}
"""The secret is besides one that nobody should have to give when it is not needed."""


def _are_whole(printer: Printer, expressions: tuple[ast.Expr, ...]) -> bool:
    return _are_all(TEXT, printer, expressions) and all(map(is_whole, expressions))


def _are_all(type_: Type, printer: Printer, expressions: tuple[ast.Expr, ...]) -> bool:
    return all(_type(printer, one) == type_ for one in expressions)


KEEPS_TYPE = frozenset(("replace", "toString", "trimPrefix", "trimSuffix"))
"""Functions whose spelling mypy takes for as unknown as the text it is made of."""

SPELLINGS: dict[str, Spelling] = {
    "len": _length,
    "list": _list,
    "tuple": _list,
    "dict": _dict,
    "index": _index,
    "hasKey": _has_key,
    "has": _has,
    "eq": _is_one_of,
    "ternary": _ternary,
    "contains": _contains,
    "hasPrefix": _method("startswith"),
    "hasSuffix": _method("endswith"),
    "trimPrefix": _method("removeprefix"),
    "trimSuffix": _method("removesuffix"),
    "replace": _method("replace"),
    "splitList": _split,
    "join": _join,
    "toString": _to_string,
    "print": _formatted,
    "printf": _formatted,
    "add": _wrapped,
    "add1": _wrapped,
    "sub": _wrapped,
    "mul": _wrapped,
}
