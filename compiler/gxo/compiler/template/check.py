"""Checks of a resolved template that need types: functions, arguments, fields, operators.

    {{ .users.stauts_code }}   GXO0302: `users` has no `stauts_code`, did you mean "status_code"?
    {{ upper 5 }}              GXO0701: upper wants text, not an int

Only what no data could make right is an error; where a type is unknown nothing is claimed. Code
that a literal condition switches off is not checked, except that functions must exist.
"""

import re
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean
from gxo.compiler.template import ast, functions, walk
from gxo.compiler.template.functions import Signature
from gxo.compiler.template.infer import NOTHING_KNOWN, Env, chain_type, infer, kinds
from gxo.compiler.template.typed import visit
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
    OneOf,
    Shape,
    Type,
    describe,
    field_type,
    without_nil,
)

_ELSE_IF = frozenset(("elseif", "elif", "elsif"))
_STATUS = frozenset((("workload", "status"), ("system", "status")))
STATUSES = ("Pending", "Running", "Completed", "Failed", "Skipped", "Cancelled", "Paused")
"""How a workload, or the job, can stand (language, section 6)."""
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def type_of(expression: ast.Expr) -> Type:
    """The static type of an expression outside any block; any when it is unknown."""
    return infer(expression).type


def check(template: ast.Template | ast.Expr, diags: Diagnostics, *, text: bool = False) -> None:
    """Report what is wrong in a resolved template whatever the data.

    text: the template is rendered into a text of a playbook, where nil, lists and maps are errors.
    """
    for expression in walk.expressions(template):
        if isinstance(expression, ast.Call):
            _check_function(expression, diags)
    defines: frozenset[str] = frozenset()
    if isinstance(template, ast.Template):
        defines = frozenset(define.name for define in template.defines)
    checker = _Checker(diags, defines, text and isinstance(template, ast.Template))
    for part, env in visit(template):
        checker.check(part, env)


def _check_function(call: ast.Call, diags: Diagnostics) -> None:
    name = call.function
    if name in functions.OPERATORS or functions.find(name) is not None:
        return
    hint = "write {{ else if ... }}" if name in _ELSE_IF else None
    hint = hint or did_you_mean(name, functions.names())
    diags.error("GXO0414", _name_span(call), f"there is no function `{name}`", hint)


@dataclass(frozen=True, slots=True)
class _Checker:
    """`defines`: what `template` can name; `text`: as for `check`."""

    diags: Diagnostics
    defines: frozenset[str]
    text: bool

    def check(self, part: ast.Node | ast.Expr, env: Env) -> None:
        """Check one statement or expression; its parts come here themselves."""
        match part:
            case ast.Action(pipe) if self.text:
                self._check_printed(pipe, infer(pipe, env).type)
            case ast.Range(pipe):
                self._check_range(pipe, infer(pipe, env).type)
            case ast.Include(name) if name not in self.defines:
                hint = did_you_mean(name, self.defines)
                message = f'there is no template "{name}": nothing defines it'
                self.diags.error("GXO0417", part.span, message, hint)
            case ast.Field(base):
                self._check_fields(part, infer(base, env).type)
            case ast.Call():
                self._check_call(part, env)
            case ast.Method(base) if not infer(base, env).native:
                message = f"`.{part.name}` is a value: it takes no arguments"
                self.diags.error("GXO0407", part.span, message)
            case ast.Binary(_, left, right):
                self._check_status(left, right, env)
                self._check_status(right, left, env)
                self._check_operands(part, infer(left, env).type, infer(right, env).type)

    def _check_printed(self, pipe: ast.Expr, type_: Type) -> None:
        if kinds(type_) <= {"list", "map", "nil"}:
            message = f"{_word(type_)} cannot be part of a text"
            hint = "choose an element or a field, or use `join` or `toJson`"
            if type_ == NIL:
                hint = "give it a value with `default`"
            self.diags.error("GXO0705", _span(pipe), message, hint)

    def _check_range(self, pipe: ast.Expr, type_: Type) -> None:
        if type_ in (TEXT, INT, FLOAT, BOOL):
            message = f"`range` goes over a list or a map, not {describe(type_)}"
            self.diags.error("GXO0704", _span(pipe), message)

    def _check_fields(self, chain: ast.Field, type_: Type) -> None:
        for name in chain.names:
            found = field_type(type_, name)
            if found is None:
                self._report_field(chain.base, chain.span, type_, name)
                return
            type_ = found

    def _check_keys(self, call: ast.Call, type_: Type) -> None:
        """The literal keys of `index`, as far as they come first."""
        for key in call.args[1:]:
            if not isinstance(key, ast.Literal) or type(key.value) not in (str, int):
                return
            assert isinstance(key.value, str | int)
            if type_ == TEXT:
                return  # its bytes
            found = field_type(type_, key.value)
            if found is None:
                self._report_field(call.args[0], key.span, type_, key.value)
                return
            type_ = found

    def _report_field(self, base: ast.Expr, span: Span, type_: Type, name: str | int) -> None:
        """Report a field that no value of the type has."""
        present = without_nil(type_)
        options = present.options if isinstance(present, OneOf) else (present,)
        shapes = [option for option in options if isinstance(option, Shape)]
        if present == NIL:
            return  # asking finds nothing there
        if not shapes or isinstance(name, int):
            what = f"element {name}" if isinstance(name, int) else f"field `{name}`"
            self.diags.error("GXO0702", span, f"{describe(present)} has no {what}")
            return
        known = list(dict.fromkeys(field for shape in shapes for field in shape.names()))
        owner = f"`{base.name}`" if isinstance(base, ast.Root) and base.name else "this"
        listed = [field for field in known if field != "dry_run"]  # every summary has that
        hint = did_you_mean(name, known) or f"it has: {', '.join(listed) or 'nothing'}"
        self.diags.error("GXO0302", span, f"{owner} has no `{name}`", hint)

    # Calls

    def _check_call(self, call: ast.Call, env: Env) -> None:
        signature = functions.find(call.function)
        if signature is None:
            if call.function in functions.OPERATORS:
                message = f"`{call.function}` wants at least one argument"
                self.diags.error("GXO0415", _name_span(call), message)
            return
        if not self._check_count(call, signature):
            return
        for index, argument in enumerate(call.args):
            parameter = signature.parameter(index)
            assert parameter is not None
            known = infer(argument, env).type
            if not _fits(argument, known, parameter[1]):
                message = f"`{call.function}` wants {describe(parameter[1])}, not {_word(known)}"
                self.diags.error("GXO0701", _span(argument), message)
        if call.function == "index":
            self._check_keys(call, infer(call.args[0], env).type)
        if signature.module == "" and call.args:
            self._check_literal_name(call, signature.parameters[0][0])

    def _check_count(self, call: ast.Call, signature: Signature) -> bool:
        count, most = len(call.args), len(signature.parameters)
        if count >= signature.required and (signature.variadic is not None or count <= most):
            return True
        words = " ".join(name for name, _ in signature.parameters)
        if signature.variadic is not None:
            words = f"{words} {signature.variadic[0]}..."
        least = signature.required
        if signature.variadic is not None:
            wanted = f"at least {least}"
        else:
            wanted = str(least) if least == most else f"{least} to {most}"
        noun = "argument" if wanted in ("1", "at least 1") else "arguments"
        message = f"`{call.function}` wants {wanted} {noun}, not {count}"
        self.diags.error(
            "GXO0415", _name_span(call), message, f"write `{call.function} {words}`".strip()
        )
        return False

    def _check_literal_name(self, call: ast.Call, word: str) -> None:
        argument = call.args[0]
        if not isinstance(argument, ast.Literal) or not isinstance(argument.value, str):
            message = f"the {word} for `{call.function}` must be a text in quotes"
            hint = "names are known when compiling, so that nothing else can be read"
            self.diags.error("GXO0416", _span(argument), message, hint)
        elif call.function == "secret" and not _SECRET_NAME.fullmatch(argument.value):
            message = "a secret's name has letters, digits and underscores, and no digit first"
            self.diags.error("GXO0416", argument.span, message)

    # Operators

    def _check_status(self, one: ast.Expr, other: ast.Expr, env: Env) -> None:
        if isinstance(other, ast.Literal):
            check_status(one, other.value, other.span, self.diags, env)

    def _check_operands(self, binary: ast.Binary, left: Type, right: Type) -> None:
        sign = binary.operator
        if any(_operates(sign, one, two) for one in kinds(left) for two in kinds(right)):
            return
        if sign in ("==", "!="):
            what = "cannot be compared"
        elif sign in ("<", "<=", ">", ">="):
            what = "cannot be ordered"
        else:
            what = f"cannot be used with `{sign}`"
        message = f"{_word(left)} and {_word(right)} {what}"
        self.diags.error("GXO0703", binary.span, message)


def _operates(sign: ast.BinaryOperator, left: str, right: str) -> bool:
    """Whether an operator has a result for some values of these kinds."""
    if sign in ("==", "!="):
        return left == right or not {left, right}.isdisjoint(("nil", "unknown"))
    if sign in ("<", "<=", ">", ">="):
        able = {"text", "number"}
    else:
        able = {"number", "text", "list"} if sign == "+" else {"number"}
    both = {left, right} - {"unknown"}
    return both <= able and len(both) < 2


def check_status(
    one: ast.Expr, value: object, span: Span, diags: Diagnostics, env: Env = NOTHING_KNOWN
) -> None:
    """A status is one of a few words; compared with another value it is never equal."""
    known = _statuses(one, env)
    if not known or value in known:
        return
    hint = did_you_mean(str(value), known) or f"they are: {', '.join(known)}"
    for status in known:
        if str(value).lower() == status.lower():
            hint = f'did you mean "{status}"?'
    diags.error("GXO0706", span, f'there is no status "{value}"', hint)


def _statuses(one: ast.Expr, env: Env) -> tuple[str, ...]:
    """The words that the expression can be, if it is a status."""
    match one:
        case ast.Root(kind, name, attribute=attribute) if (kind, attribute or name) in _STATUS:
            return STATUSES
        case ast.Field(base, (*names, str(last))):
            whole = chain_type(infer(base, env).type, tuple(names))
            found = whole.field(last) if isinstance(whole, Shape) else None
            values = found.values if isinstance(found, Choice) else ()
            return tuple(word for word in STATUSES if word in values)
    return ()


def _fits(argument: ast.Expr, known: Type, wanted: Type) -> bool:
    """Whether a value of the known type can be the argument."""
    if ANY in (known, wanted) or known == wanted:
        return True
    if isinstance(wanted, OneOf):
        return any(_fits(argument, known, option) for option in wanted.options)
    match known:
        case OneOf(options):
            return any(_fits(argument, option, wanted) for option in options)
        case ListOf():
            return isinstance(wanted, ListOf)
        case MapOf() | Shape():
            return isinstance(wanted, MapOf)
    if isinstance(argument, ast.Literal) and isinstance(argument.value, float) and wanted == INT:
        # an untyped constant, as in Go
        return argument.value.is_integer() and -(2.0**63) <= argument.value < 2.0**63
    return known == INT and wanted == FLOAT


def _word(type_: Type) -> str:
    return describe(type_) if type_ != NIL else "nil"


def _span(expression: ast.Expr) -> Span:
    assert expression.span is not None
    return expression.span


def _name_span(call: ast.Call) -> Span:
    """The function's name, with which a call's span begins."""
    span = call.span
    return Span(span.file, span.line, span.column, span.line, span.column + len(call.function))
