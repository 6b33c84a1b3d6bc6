"""The static type of an expression: what is known before anything runs.

    .users.body     text, from the summary that the workload's module declares
    len .rows       int, from the function's own signature
    .record.id      any: records are unknown, and nothing is claimed about them

An `Env` holds what a place in a template knows besides: its variables and its dot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gxo.compiler.frozen import replace
from gxo.compiler.template import ast, functions
from gxo.compiler.template.results import result_type
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    Type,
    field_type,
    one_of,
    simplified,
    type_of_value,
    without_nil,
)


class Known(NamedTuple):
    """A value's type; `native` when it may be a value with methods (a version, a time)."""

    type: Type = ANY
    native: bool = False


@dataclass(frozen=True, slots=True)
class Env:
    """What is known about the variables and the dot at a place of a template."""

    variables: Mapping[str, Known] = field(default_factory=dict)
    dot: Known = field(default_factory=Known)

    def with_variable(self, name: str | None, known: Known) -> "Env":
        return self if name is None else replace(self, variables={**self.variables, name: known})

    def where_present(self, variable: str | None) -> "Env":
        """Where the variable turned out to be something."""
        if variable is None:
            return self
        return self.with_variable(variable, present(self.variables.get(variable, Known())))

    def with_dot(self, known: Known) -> "Env":
        return replace(self, dot=known)


NOTHING_KNOWN = Env()


def infer(expression: ast.Expr, env: Env = NOTHING_KNOWN) -> Known:
    """What is known about the expression's value."""
    match expression:
        case ast.Literal(value):
            return Known(type_of_value(value))
        case ast.Nil():
            return Known(NIL)
        case ast.Dot():
            return env.dot
        case ast.Variable(name):
            return env.variables.get(name, Known())
        case ast.Root():
            return Known(simplified(expression.type))
        case ast.Field(base, names):
            known = infer(base, env)
            return Known(chain_type(known.type, names), known.native)
        case ast.Shared(_, value):
            return infer(value, env)
        case ast.Call():
            return _call(expression, env)
        case ast.Method():
            return Known(ANY, native=True)
        case ast.Binary():
            return Known(_binary(expression, env))
        case ast.Not():
            return Known(BOOL)
        case ast.And(operands):
            return union([asked(operand, env) for operand in operands])
        case ast.Or(operands):
            *first, last = operands
            return union([*(present(asked(one, env)) for one in first), asked(last, env)])


def asked(expression: ast.Expr, env: Env = NOTHING_KNOWN) -> Known:
    """What is known about an expression that is asked for: nil where a reference leads nowhere."""
    known = infer(expression, env)
    if not may_be_missing(expression, env):
        return known
    return Known(one_of((known.type, NIL)), known.native)


def present(known: Known) -> Known:
    """What is known about the value where it turned out to be something."""
    return Known(without_nil(known.type), known.native)


def may_be_missing(expression: ast.Expr, env: Env) -> bool:
    """Whether a reference may lead nowhere: data decides, or whether a workload has run."""
    match expression:
        case ast.Field(base, names):
            return may_be_nil(base) or not required_fields(infer(base, env).type, names)
        case _:
            return may_be_nil(expression)


def may_be_nil(base: ast.Expr) -> bool:
    """Whether the value may be absent as a whole: the register of a workload that did not run."""
    return isinstance(base, ast.Root) and base.kind in ("register", "field", "workload", "step")


def chain_type(type_: Type, names: tuple[str | int, ...]) -> Type:
    """The type that a chain of fields leads to; any where the way is not declared."""
    for name in names:
        type_ = field_type(type_, name) or ANY
    return type_


def required_fields(type_: Type, names: tuple[str | int, ...]) -> bool:
    """Whether a chain of fields is there in every value of the type."""
    for name in names:
        if not isinstance(type_, Shape) or not isinstance(name, str) or not type_.requires(name):
            return False
        found = type_.field(name)
        type_ = ANY if found is None else simplified(found)
    return True


_KINDS: dict[Type, str] = {TEXT: "text", INT: "number", FLOAT: "number", BOOL: "bool", NIL: "nil"}


def kinds(type_: Type) -> frozenset[str]:
    """What a value of the type can be to an operator: text, number... or unknown."""
    match type_:
        case ListOf():
            return frozenset(("list",))
        case MapOf() | Shape():
            return frozenset(("map",))
        case OneOf(options):
            return frozenset().union(*[kinds(option) for option in options])
        case _:
            return frozenset((_KINDS.get(type_, "unknown"),))


def truth(condition: ast.Expr) -> bool | None:
    """The truth of a literal condition; None when data decides."""
    return bool(condition.value) if isinstance(condition, ast.Literal) else None


def element(known: Known) -> Known:
    """What `range` sets the dot to."""
    match known.type:
        case ListOf(item) | MapOf(item):
            return Known(simplified(item), known.native)
        case Shape(fields=fields, open=False):
            return union([Known(simplified(kind)) for _, kind in fields])
        case _:
            return Known(ANY, known.native)


def position(known: Known) -> Known:
    """What `range` sets its first variable of two to."""
    match known.type:
        case ListOf():
            return Known(INT)
        case MapOf() | Shape():
            return Known(TEXT)
        case _:
            return Known(ANY)


def union(parts: list[Known]) -> Known:
    """What is known about a value that is one of several."""
    return Known(one_of(part.type for part in parts), any(part.native for part in parts))


def _call(call: ast.Call, env: Env) -> Known:
    signature = functions.find(call.function)
    if signature is None:
        return Known()
    args = [
        asked(argument, env) if functions.asks(call.function, place) else infer(argument, env)
        for place, argument in enumerate(call.args)
    ]
    native = signature.native or any(known.native for known in args)
    if len(args) >= signature.required:
        depends = result_type(call, [known.type for known in args])
        if depends is not None:
            return Known(depends, native)
    if signature.result in (ANY, ListOf(ANY), MapOf(ANY)):
        return Known(signature.result, native)
    return Known(signature.result)


def _binary(expression: ast.Binary, env: Env) -> Type:
    if expression.operator in ("==", "!=", "<", "<=", ">", ">="):
        return BOOL
    if expression.operator == "/":
        return FLOAT
    left, right = infer(expression.left, env).type, infer(expression.right, env).type
    if {left, right} <= {INT, FLOAT}:
        return INT if left == right == INT else FLOAT
    if expression.operator != "+" or left == ANY or right == ANY:
        return ANY
    if isinstance(left, ListOf) and isinstance(right, ListOf):
        return left if left == right else ListOf(ANY)
    return left if left == right else ANY
