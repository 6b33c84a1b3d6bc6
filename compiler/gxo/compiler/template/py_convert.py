"""The Python that makes a parameter's type of a template's value.

    int         {{ .n }}            convert.to_int(ctx.state["n"], "attempts")
    duration    {{ .n }}s           convert.to_duration(f"{ctx.inputs['n']}s", "timeout")
    text        {{ .users.body }}   ctx.state["users"]["body"], which is a text already

What can never be converted is an error when compiling (`passes/check_conversions.py`).
"""

from dataclasses import dataclass

from gxo.compiler.diagnostics import Span
from gxo.compiler.python_source import literal
from gxo.compiler.template.py_code import Code
from gxo.compiler.template.py_expressions import ExpressionPrinter
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Shape,
    Special,
    Type,
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A function of `gxo.runtime.convert`. nullable: nil stays nil; choices: for `to_choice`."""

    helper: str
    nullable: bool = False
    choices: tuple[str | int | bool | None, ...] = ()


def conversion(known: Type, to: Type) -> Conversion | None:
    """How a value of the known type becomes a `to`; None when it is one, or takes any value."""
    nullable = False
    if isinstance(to, PerRecord | OnDot):
        return conversion(known, to.item)
    if isinstance(to, OneOf):
        rest = [option for option in to.options if option != NIL]
        if len(rest) > 1:
            return None  # the module takes several types, and sees for itself
        nullable = len(rest) < len(to.options) and _may_be_nil(known)
        to = rest[0]
    if isinstance(to, Choice):
        return Conversion("to_choice", choices=(None, *to.values) if nullable else to.values)
    helper = _helper(known, to)
    return None if helper is None else Conversion(helper, nullable)


def converted(
    code: Code, found: Conversion, name: str, span: Span, printer: ExpressionPrinter
) -> Code:
    """The converted value; `name` is what the error calls it, at `span`, when the run cannot."""
    arguments = [code.text, printer.string(name)]
    arguments += [literal(choice, printer.quote) for choice in found.choices]
    call = f"convert.{found.helper}({', '.join(arguments)})"
    if found.nullable:
        call = f"convert.optional(convert.{found.helper}, {', '.join(arguments)})"
    printer.collected.imports.add("from gxo.runtime import convert")
    return printer.marked(Code(call), span)


def _may_be_nil(type_: Type) -> bool:
    return type_ == ANY or (isinstance(type_, OneOf) and NIL in type_.options)


def _helper(known: Type, to: Type) -> str | None:
    """The function of `gxo.runtime.convert` that makes a `to`; None when none is needed."""
    match to:
        case Special("Duration"):
            return "to_duration"
        case Special("Size"):
            return None if known == INT else "to_size"
        case Special("Condition"):
            return None
        case Special():
            return None if known == TEXT else "to_text"
        case ListOf():
            return None if isinstance(known, ListOf) else "to_list"
        case MapOf() | Shape():
            return None if isinstance(known, MapOf | Shape) else "to_map"
    helpers: dict[Type, str] = {TEXT: "to_text", INT: "to_int", FLOAT: "to_float", BOOL: "to_bool"}
    return None if known == to else helpers.get(to)
