"""Statements of a template that are part of a text, and what is asked about statements.

Hello {{ .name }}, {{ if .new }}welcome{{ else }}again{{ end }}
f"Hello {record['name']}, {'welcome' if record.get('new') else 'again'}"
"""

from gxo.compiler.frozen import replace
from gxo.compiler.python_source import quoted
from gxo.compiler.template import ast, walk
from gxo.compiler.template.infer import truth
from gxo.compiler.template.py_code import OR, TERNARY, Code, Embedded, Piece
from gxo.compiler.template.py_expressions import ExpressionPrinter
from gxo.compiler.template.py_spellings import formatted

_SHORT, _FEW = 40, 5
"""A text in a conditional expression or comprehension is at most this long, and of so few parts."""


def pieces(node: ast.Node, printer: ExpressionPrinter) -> list[Piece]:
    """A statement as the parts of a text around it: a `printf` is several."""
    found = formatted(printer, node.pipe) if isinstance(node, ast.Action) else None
    return [piece(node, printer)] if found is None else found


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


def is_short_loop(node: ast.Range) -> bool:
    """Whether a loop only adds a short text for each element: one comprehension says it."""
    sets_outer = node.element is not None and not node.declare
    if node.otherwise or sets_outer or not 0 < len(node.body) <= _FEW:
        return False
    texts = [part.value for part in node.body if isinstance(part, ast.Text)]
    pipes = [part.pipe for part in node.body if isinstance(part, ast.Action)]
    return (
        len(texts) + len(pipes) == len(node.body)
        and len("".join(texts)) <= _SHORT
        and all(len(list(walk.expressions(pipe))) <= 2 * _FEW for pipe in pipes)
    )


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
