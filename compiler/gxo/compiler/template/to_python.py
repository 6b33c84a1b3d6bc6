"""Templates as Python: an expression where one reads well, else a function.

    {{ .users.body }}                         ctx.state["users"]["body"]
    {{ .api }}/users                          f"{ctx.vars['api']}/users"
    {{ if eq .env "prod" }}a{{ else }}b{{ end }}    "a" if ctx.inputs["env"] == "prod" else "b"
    a template with `range`, variables...     a function that collects its parts

The templates are resolved and checked; one with errors must not come here.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Literal, NamedTuple

from gxo.compiler.diagnostics import Span
from gxo.compiler.frozen import replace
from gxo.compiler.template import ast, functions, walk
from gxo.compiler.template.infer import Env, Known, infer, kinds
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.py_code import AND, NOT, OR, Code, joined
from gxo.compiler.template.py_convert import conversion, converted
from gxo.compiler.template.py_expressions import (
    MAX_NESTING,
    Collected,
    ExpressionPrinter,
    Mark,
    record_key,
)
from gxo.compiler.template.py_names import local_names
from gxo.compiler.template.py_pieces import is_piece, pieces
from gxo.compiler.template.py_statements import Statements
from gxo.compiler.template.py_variables import Facts, FunctionSource, Variables
from gxo.compiler.template.typed import mutates, reassigned
from gxo.compiler.types import ANY, TEXT, MapOf, Type

_MAX_PARTS = 60
_PARAMETER_TYPES = {
    "ctx": ("Context", "from gxo.runtime import Context"),
    "record": ("Record", "from gxo.runtime import Record"),
    "event": ("Event", "from gxo.runtime import Event"),
    "steps": ("Results", "from gxo.runtime import Results"),
}


class Want(NamedTuple):
    """What a template's value is used as.

    kind: "text" is the rendered text; "show" too, printed as Go prints it, nil, lists and maps
    included (`gxo eval`); "native" is the value of the only action; "condition" is true or false as
    language section 4 says. to: the type that a native value is converted to; name: what the error
    calls the value when that fails at run time. negated: the opposite of a condition is wanted.
    """

    kind: Literal["text", "show", "native", "condition"]
    to: Type | None = None
    name: str = ""
    negated: bool = False


class PyExpr(NamedTuple):
    """An expression; `imports` are whole lines, `names` what it reads from around it."""

    code: str
    imports: frozenset[str]
    names: frozenset[str]


class PyFunction(NamedTuple):
    """A function; `parameters` are those it must be given (`ctx: Context`), in order."""

    name: str
    parameters: tuple[str, ...]
    lines: tuple[str, ...]
    imports: frozenset[str]


def unmarked(code: str, span: Span) -> str:  # noqa: ARG001
    """The mark of the text that is kept: none."""
    return code


def expression(
    template: ast.Template | ast.Expr,
    want: Want,
    mark: Mark = unmarked,
    context: str = "ctx",
    local: Callable[[str], str] = str,
    guarded: str | None = None,
) -> PyExpr | None:
    """The template as one expression; None when it needs a function.

    context: what the context is called there. local: gives the variable of a shared value.
    guarded: in a loop, the variable of a value whose type is looked at.
    """
    if needs_function(template, want):
        return None
    collected = Collected()
    to_text = _to_text(want)
    printer = ExpressionPrinter(
        collected, mark, context=context, to_text=to_text, local=local, guarded=guarded
    )
    code = _value(template, want, printer)
    return PyExpr(code.text, frozenset(collected.imports), frozenset(collected.names))


def function(
    template: ast.Template | ast.Expr, name: str, want: Want, mark: Mark = unmarked
) -> PyFunction:
    """The template as a function of that name, which returns what is wanted of it."""
    collected = Collected()
    source = FunctionSource("")
    variables = Variables(local_names(_given_names(template)), _facts(template))
    local = cache(lambda name: variables.own(name, source))
    printer = ExpressionPrinter(collected, mark, to_text=_to_text(want), local=local)
    statements = Statements(source, variables, {})
    printer = replace(printer, hoist=statements.hoist)
    if mutates(template):
        printer = _with_copies(template, statements, printer)
    action = _action(template, want)
    if action is not None:
        code = _value(template, want, printer).text
        statements.line(f"return bool({code})" if want.kind == "condition" else f"return {code}")
    else:
        assert isinstance(template, ast.Template)
        _write_defines(template, statements, printer)
        finish = partial(_finished, template=template, want=want, printer=printer)
        statements.returns(template.nodes, printer, finish)
    parameters = _parameters(collected)
    source.header = f"def {name}({', '.join(parameters)}) -> {_return_type(want, collected)}:"
    return PyFunction(name, parameters, tuple(source.source()), frozenset(collected.imports))


def _to_text(want: Want) -> str:
    return "show" if want.kind == "show" else "text"


def _action(template: ast.Template | ast.Expr, want: Want) -> ast.Expr | None:
    """The one expression that the value is; None when the value is a text of several parts."""
    if not isinstance(template, ast.Template):
        return template
    return single_action(template) if want.kind in ("native", "condition") else None


# Values ------------------------------------------------------------------------------------------


def _value(template: ast.Template | ast.Expr, want: Want, printer: ExpressionPrinter) -> Code:
    """The expression for a template that needs no function."""
    action = _action(template, want)
    if action is None:
        assert isinstance(template, ast.Template)
        text = joined([part for node in template.nodes for part in pieces(node, printer)])
        return _finished(text, template, want, printer)
    if want.kind == "condition":
        written_around = not isinstance(template, ast.Template)
        judge = _opposite if want.negated else _condition
        return judge(action, written_around, printer)
    if want.kind == "native":
        return _as_wanted(printer.code(action), infer(action).type, want, printer, action)
    return printer.embedded(action).alone


def _finished(text: Code, template: ast.Template, want: Want, printer: ExpressionPrinter) -> Code:
    """What is returned for a rendered text."""
    if want.kind == "condition":
        return Code(printer.helper("condition", text.text))
    return _as_wanted(text, TEXT, want, printer, template)


def _as_wanted(
    code: Code,
    known: Type,
    want: Want,
    printer: ExpressionPrinter,
    source: ast.Template | ast.Expr,
) -> Code:
    """The value as the parameter's type, which the run converts it to where that is needed."""
    found = None if want.to is None else conversion(known, want.to)
    if found is None or source.span is None:
        return code
    return converted(code, found, want.name, source.span, printer)


def _condition(action: ast.Expr, written_around: bool, printer: ExpressionPrinter) -> Code:
    """A condition's outcome as a bool.

    Where `&&`, `||` and `!` are written around actions their operands are conditions themselves;
    inside an action they choose a value as in Go, which is then judged.
    """
    if written_around and isinstance(action, ast.Not):
        return Code(f"not {_condition(action.operand, True, printer).at(NOT)}", NOT)
    if written_around and isinstance(action, ast.And | ast.Or):
        level = AND if isinstance(action, ast.And) else OR
        parts = [_condition(one, True, printer).at(level) for one in action.operands]
        return Code((" and " if level == AND else " or ").join(parts), level)
    code = printer.asked(action) if written_around else printer.code(action)
    possible = kinds(infer(action).type)
    if possible == {"bool"}:
        return code
    if possible.isdisjoint(("text", "unknown")):
        return Code(f"bool({code.text})")
    return Code(printer.helper("condition", code.text))


def _opposite(action: ast.Expr, written_around: bool, printer: ExpressionPrinter) -> Code:
    """Whether a condition does not hold."""
    if written_around and isinstance(action, ast.Not):
        return _condition(action.operand, True, printer)
    if isinstance(action, ast.Binary) and action.operator in ("==", "!="):
        return printer.negation(action)
    return Code(f"not {_condition(action, written_around, printer).at(NOT)}", NOT)


# Functions ---------------------------------------------------------------------------------------


def needs_function(template: ast.Template | ast.Expr, want: Want) -> bool:
    """Whether the template is no expression that one would write in its place."""
    if mutates(template) or is_deep(template):
        return True
    if _action(template, want) is not None:
        return False
    assert isinstance(template, ast.Template)
    return len(template.nodes) > _MAX_PARTS or not all(map(is_piece, template.nodes))


def is_deep(template: ast.Template | ast.Expr) -> bool:
    """Whether some expression nests past what Python's parser takes."""
    if len(walk.expressions(template)) <= MAX_NESTING:
        return False
    if isinstance(template, ast.Template):
        pending = [(pipe, 1) for node in walk.nodes(template) for pipe in walk.pipes(node)]
    else:
        pending = [(template, 1)]
    while pending:
        part, depth = pending.pop()
        if depth > MAX_NESTING:
            return True
        pending.extend((inner, depth + 1) for inner in walk.parts(part))
    return False


def _with_copies(
    template: ast.Template | ast.Expr, statements: Statements, printer: ExpressionPrinter
) -> ExpressionPrinter:
    """Copy what the template reads from around it, once, so that `set` changes only the copies."""
    copies: dict[tuple[str, str], str] = {}
    for part in walk.expressions(template):
        if not isinstance(part, ast.Root) or part.kind in ("workload", "system"):
            continue
        root: ast.Root | None = part
        while root is not None:
            copied, root = root, root.outer
            if copied.kind == "field":
                copied = ast.Root("record", record_key(copied), MapOf(ANY), copied.python)
            if (copied.kind, copied.name) not in copies:
                _copy(copied, copies, statements, printer)
    return replace(printer, copies=copies)


def _copy(
    root: ast.Root,
    copies: dict[tuple[str, str], str],
    statements: Statements,
    printer: ExpressionPrinter,
) -> None:
    name = statements.variables.own(root.name or root.python, statements.function)
    printer.collected.imports.add("from gxo.runtime import deep_copy")
    printer.collected.imports.add("from typing import Any")
    statements.line(f"{name}: Any = deep_copy({printer.asked_root(root).text})")
    copies[(root.kind, root.name)] = name


def _write_defines(
    template: ast.Template, statements: Statements, printer: ExpressionPrinter
) -> None:
    """Write the definitions that are used as functions inside, each of its argument."""
    used = {node.name for node in walk.nodes(template) if isinstance(node, ast.Include)}
    defines = [define for define in template.defines if define.name in used]
    for define in defines:
        statements.templates[define.name] = statements.variables.names.fresh(define.name)
    for define in defines:
        inner = FunctionSource("")
        value = statements.variables.own("value", inner)
        name = statements.templates[define.name]
        inner.header = f"def {name}({value}: Any) -> str:"
        statements.function.inner.append(inner)
        printer.collected.imports.add("from typing import Any")
        writer = replace(statements, function=inner, indent=0)
        known = Known(native=statements.variables.facts.natives)
        inside = replace(
            printer,
            dot=value,
            variables={"": value},
            env=Env({"": known}, known),
            hoist=writer.hoist,
        )
        writer.returns(define.body, inside, lambda code: code)


def _facts(template: ast.Template | ast.Expr) -> Facts:
    again = reassigned(template) if isinstance(template, ast.Template) else frozenset[str]()
    parts = list(walk.expressions(template))
    read = {part.name for part in parts if isinstance(part, ast.Variable)}
    called = [functions.find(part.function) for part in parts if isinstance(part, ast.Call)]
    natives = any(signature is not None and signature.native for signature in called)
    return Facts(again, frozenset(read), natives)


def _given_names(template: ast.Template | ast.Expr) -> set[str]:
    """The Python names that the template reads from around it."""
    roots = [part for part in walk.expressions(template) if isinstance(part, ast.Root)]
    names: set[str] = set()
    while roots:
        names.update(root.python for root in roots)
        roots = [root.outer for root in roots if root.outer is not None]
    return names - {""}


def _parameters(collected: Collected) -> tuple[str, ...]:
    order = sorted(collected.names, key=lambda name: (name != "ctx", name != "record"))
    parameters = []
    for name in order:
        type_, line = _PARAMETER_TYPES.get(name, ("Any", "from typing import Any"))
        collected.imports.add(line)
        parameters.append(f"{name}: {type_}")
    return tuple(parameters)


def _return_type(want: Want, collected: Collected) -> str:
    if want.kind == "condition":
        return "bool"
    if want.kind == "native" or (want.to is not None and conversion(TEXT, want.to)):
        collected.imports.add("from typing import Any")
        return "Any"
    return "str"
