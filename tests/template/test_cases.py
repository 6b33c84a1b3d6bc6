"""Templates and what becomes of them, in `.test` files beside this one.

The first line of a case may be `# ` and words: `native`, `condition`, `show` (what is wanted, else text),
`record`, `dot` (the scope), `int`, `list`, `map`, `float`, `bool`, `duration`, `choice` (what it is converted to; `?`: or nil).
`[python]` holds the generated code, `[err]` the diagnostics, `[tree]` the tree before names are bound.
"""

import ast
from pathlib import Path

import black
import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template.ast import Expr, Template
from gxo.compiler.template.check import check
from gxo.compiler.template.parse import parse, parse_condition
from gxo.compiler.template.pprint import dump
from gxo.compiler.template.resolve import resolve
from gxo.compiler.template.to_python import Want, expression, function, unmarked
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    Choice,
    ListOf,
    MapOf,
    OneOf,
    Special,
    Type,
)
from tests.casefile import Case, find_cases, update
from tests.template.cases import scope

CASES = find_cases(Path(__file__).parent)
_MODE = black.Mode(line_length=100)
_TYPES: dict[str, Type] = {
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "list": ListOf(ANY),
    "map": MapOf(ANY),
    "duration": Special("Duration"),
    "size?": OneOf((Special("Size"), NIL)),
    "choice": Choice(("prod", "test")),
    "choice?": OneOf((Choice(("a", 2)), NIL)),
}


def _split(case: Case) -> tuple[set[str], str]:
    """The words of the first line, and the template."""
    first, _, rest = case.input.strip("\n").partition("\n")
    if first.startswith("# ") and rest:
        return set(first[2:].split()), rest
    return set(), case.input.strip("\n")


def _want(words: set[str]) -> Want:
    for kind in ("native", "condition", "show", "text"):
        if kind in words:
            types = [type_ for word, type_ in _TYPES.items() if word in words]
            return Want(kind, types[0] if types else None, "count")  # type: ignore[arg-type]
    return Want("text")


class _Unmark(ast.NodeTransformer):
    """Takes the marks out of a tree, counting them."""

    def __init__(self) -> None:
        self.count = 0

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "MARK":
            self.count += 1
            return node.args[0]
        return node


def _is_marked_alike(template: Template | Expr, want: Want) -> bool:
    """Whether the marked rendering is the plain one, with calls of MARK around parts of it."""
    trees = []
    for mark in (unmarked, lambda code, span: f"MARK({code})"):
        inline = expression(template, want, mark)
        code = inline.code if inline else "\n".join(function(template, "made", want, mark).lines)
        trees.append(ast.parse(code))
    remover = _Unmark()
    return ast.dump(trees[0]) == ast.dump(remover.visit(trees[1]))


def _python(template: Template | Expr, want: Want) -> str:
    inline = expression(template, want)
    if inline is not None:
        return black.format_str(inline.code, mode=_MODE)
    made = function(template, "made", want)
    return black.format_str("\n".join(made.lines), mode=_MODE)


def _sections(case: Case) -> dict[str, str]:
    words, text = _split(case)
    diags = Diagnostics()
    read = parse_condition if "condition" in words else parse
    template: Template | Expr | None = read(plain(text, "p"), diags)
    found: dict[str, str] = {}
    if template is not None:
        if "tree" in case.sections:
            found["tree"] = dump(template)
        template = resolve(template, scope("record" in words, "dot" in words), diags)
        check(template, diags, text=_want(words).kind == "text")
        if not diags.has_errors:
            found["python"] = _python(template, _want(words))
            assert _is_marked_alike(template, _want(words))
    messages = [
        f"{one.span.line}:{one.span.column}-{one.span.end_column} {one.code}: {one.message}"
        + (f" ({one.hint})" if one.hint else "")
        for one in diags.sorted()
    ]
    if messages:
        found["err"] = "\n".join(messages)
    return {name: text.strip("\n") + "\n" for name, text in found.items()}


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    found = _sections(case)
    if request.config.getoption("--update-golden"):
        update(case, found)
        return
    assert found == case.sections
