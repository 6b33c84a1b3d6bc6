"""A template's tree as stable text, for dumps and tests.

    {{ if .on }}{{ .users.body | upper }}{{ end }}

    if .on
      action upper .users.body

Unresolved expressions print in the template language itself, so that they parse to the same tree
again; a resolved name prints with its kind: `register:users.body`.
"""

from collections.abc import Iterator

from gxo.compiler.template import ast

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _APPLY, _ATOM = range(8)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def dump(template: ast.Template | ast.Expr) -> str:
    """The tree, one statement a line, ended by a line end."""
    if not isinstance(template, ast.Template):
        return f"{expression(template)}\n"
    lines = [*_body(template.nodes)]
    for define in template.defines:
        lines.append(f"define {_quoted(define.name)}")
        lines.extend(_indented(define.body))
    return "".join(f"{line}\n" for line in lines)


def _body(nodes: tuple[ast.Node, ...]) -> Iterator[str]:
    for node in nodes:
        yield from _node(node)


def _indented(nodes: tuple[ast.Node, ...]) -> Iterator[str]:
    return (f"  {line}" for line in _body(nodes))


def _node(node: ast.Node) -> Iterator[str]:
    match node:
        case ast.Text(value):
            yield f"text {_quoted(value)}"
        case ast.Action(pipe):
            yield f"action {expression(pipe)}"
        case ast.Assign(variable, pipe, declare):
            yield f"${variable} {_sign(declare)} {expression(pipe)}"
        case ast.If(branches, otherwise):
            word = "if"
            for branch in branches:
                setting = _setting([branch.variable], branch.declare)
                yield f"{word} {setting}{expression(branch.condition)}"
                yield from _indented(branch.body)
                word = "else if"
            yield from _otherwise(otherwise)
        case ast.With(pipe, body, otherwise, variable, declare):
            yield f"with {_setting([variable], declare)}{expression(pipe)}"
            yield from _indented(body)
            yield from _otherwise(otherwise)
        case ast.Range(pipe, body, otherwise, index, element, declare):
            yield f"range {_setting([index, element], declare)}{expression(pipe)}"
            yield from _indented(body)
            yield from _otherwise(otherwise)
        case ast.Break():
            yield "break"
        case ast.Continue():
            yield "continue"
        case ast.Include(name, argument):
            yield f"template {_quoted(name)} {expression(argument) if argument else ''}".rstrip()


def _otherwise(nodes: tuple[ast.Node, ...]) -> Iterator[str]:
    if nodes:
        yield "else"
        yield from _indented(nodes)


def _setting(names: list[str | None], declare: bool) -> str:
    given = [f"${name}" for name in names if name is not None]
    return f"{', '.join(given)} {_sign(declare)} " if given else ""


def _sign(declare: bool) -> str:
    return ":=" if declare else "="


def expression(node: ast.Expr) -> str:
    """The expression in the template language."""
    return _printed(node)[0]


def _printed(node: ast.Expr) -> tuple[str, int]:
    """The expression's text and how tightly its outermost operator binds."""
    match node:
        case ast.Literal(value):
            return _literal(value), _ATOM
        case ast.Nil():
            return "nil", _ATOM
        case ast.Dot():
            return ".", _ATOM
        case ast.Variable(name):
            return f"${name}", _ATOM
        case ast.Root():
            return _root(node), _ATOM
        case ast.Field(base, names):
            return _chain(base, names), _ATOM
        case ast.Call(function, args):
            return _applied(function, args), _APPLY if args else _ATOM
        case ast.Method(base, name, args):
            return _applied(_chain(base, (name,)), args), _APPLY
        case ast.Binary(operator, left, right):
            return _binary(operator, left, right)
        case ast.Shared(name, value, first):
            return (f"({name} := {expression(value)})" if first else name), _ATOM
        case ast.Not(operand):
            return f"!{_at(operand, _NOT)}", _NOT
        case ast.And((operand,)):
            return _applied("and", (operand,)), _APPLY
        case ast.Or((operand,)):
            return _applied("or", (operand,)), _APPLY
        case ast.And(operands):
            return " && ".join(_at(one, _NOT) for one in operands), _AND
        case ast.Or(operands):
            return " || ".join(_at(one, _AND) for one in operands), _OR


def _at(node: ast.Expr, level: int) -> str:
    text, own = _printed(node)
    return text if own >= level else f"({text})"


def _applied(function: str, args: tuple[ast.Expr, ...]) -> str:
    return " ".join([function, *(_at(argument, _ATOM) for argument in args)])


def _binary(operator: ast.BinaryOperator, left: ast.Expr, right: ast.Expr) -> tuple[str, int]:
    if operator in ("+", "-"):
        level, inner = _ADD, _MULTIPLY
    elif operator in ("*", "/", "%"):
        level, inner = _MULTIPLY, _APPLY
    else:
        return f"{_at(left, _ADD)} {operator} {_at(right, _ADD)}", _COMPARE
    return f"{_at(left, level)} {operator} {_at(right, inner)}", level


def _chain(base: ast.Expr, names: tuple[str | int, ...]) -> str:
    fields = "".join(f".{name}" for name in names)
    if isinstance(base, ast.Dot):
        return fields
    if isinstance(base, ast.Field):
        return _chain(base.base, (*base.names, *names))
    if isinstance(base, ast.Variable | ast.Root):
        return _printed(base)[0] + fields
    return f"({expression(base)}){fields}"


def _root(root: ast.Root) -> str:
    attribute = f".{root.attribute}" if root.attribute else ""
    outer = f"|{_root(root.outer)}" if root.outer else ""
    kind = "event" if root.python == "event" else root.kind
    return f"{kind}:{root.name}{attribute}{outer}"


def _literal(value: str | int | float | bool) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    return f"\\U{ord(character):08x}"
