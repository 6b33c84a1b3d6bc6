"""What holds for every template: printing and parsing are inverse, and nothing but a diagnostic fails."""

import math
import string

from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.python_source import quoted
from gxo.compiler.source import plain
from gxo.compiler.template import ast
from gxo.compiler.template.check import check
from gxo.compiler.template.parse import parse, parse_condition, single_action
from gxo.compiler.template.pprint import expression as printed
from gxo.compiler.template.py_code import Code, Embedded, joined
from gxo.compiler.template.resolve import resolve
from gxo.compiler.template.to_python import Want, expression, function
from tests.template.cases import scope
from tests.template.evaluator import evaluate

NOWHERE = Span("", 1, 1, 1, 1)
_PIECES = """
{{ }} {{- -}} if else end range with define template block break nil true . .a .users.body .0 $ $x
$x.a := = == < + * / % ! && || | ( ) ).a , upper len default 1 -1 1.5 0x1f "t" 't' `r` " ' ` ${A}
$${ /* */ text é secret set semver
"""
WORDS = st.sampled_from([*_PIECES.split(), " ", "  ", " - ", "\n", "\\"])
NAMES = st.sampled_from(["a", "b_1", "if", "users", "_x", "É"])
FUNCTIONS = st.sampled_from(["upper", "print", "f", "eq3", "default"])


def literals() -> st.SearchStrategy[ast.Expr]:
    text = st.text(st.characters(exclude_categories=["Cs"]))
    numbers = st.integers(-(2**63), 2**63 - 1)
    floats = st.floats(allow_nan=False, allow_infinity=False)
    values = st.one_of(text, numbers, floats, st.booleans())
    return values.map(lambda value: ast.Literal(value, NOWHERE))


def chains(base: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    names = st.tuples(NAMES, st.lists(st.one_of(NAMES, st.integers(0, 99)), max_size=2))

    def build(base: ast.Expr, names: tuple[str, list[str | int]]) -> ast.Expr:
        chain = (names[0], *names[1])
        if isinstance(base, ast.Field):
            return ast.Field(base.base, (*base.names, *chain), NOWHERE)
        return ast.Field(base, chain, NOWHERE)

    return st.builds(build, base, names)


def larger(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    operators = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        chains(inner),
        st.builds(
            lambda name, args: ast.Call(name, tuple(args), NOWHERE),
            FUNCTIONS,
            st.lists(inner, max_size=3),
        ),
        st.builds(
            lambda op, left, right: ast.Binary(op, left, right, NOWHERE), operators, inner, inner
        ),
        st.builds(lambda operand: ast.Not(operand, NOWHERE), inner),
        st.builds(lambda operands: ast.And(operands, NOWHERE), several),
        st.builds(lambda operands: ast.Or(operands, NOWHERE), several),
        st.builds(lambda operand: ast.And((operand,), NOWHERE), inner),
    )


SMALLEST = st.one_of(
    literals(),
    chains(st.just(ast.Dot(NOWHERE))),
    st.just(ast.Dot(NOWHERE)),
    st.just(ast.Variable("", NOWHERE)),
    chains(st.just(ast.Variable("", NOWHERE))),
)
EXPRESSIONS = st.recursive(SMALLEST, larger, max_leaves=12)


@given(EXPRESSIONS)
def test_a_printed_expression_parses_to_itself(expression: ast.Expr) -> None:
    diags = Diagnostics()
    template = parse(plain("{{ " + printed(expression) + " }}", "p"), diags)
    assert template is not None, diags.items
    assert single_action(template) == expression


@given(st.lists(WORDS, max_size=25).map("".join))
def test_any_text_compiles_or_is_reported_inside_itself(text: str) -> None:
    source = plain(text, "p")
    for read in (parse, parse_condition):
        diags = Diagnostics()
        template = read(source, diags)
        if template is not None:
            template = resolve(template, scope(), diags)
            check(template, diags)
        if template is None or diags.has_errors:
            assert diags.has_errors
            assert all(one.span.line <= source.span.end_line for one in diags.items)
            continue
        want = Want("text" if read is parse else "condition")
        compile(_source(template, want), "<made>", "exec")


def _source(template: ast.Template | ast.Expr, want: Want) -> str:
    inline = expression(template, want)
    if inline is not None:
        return inline.code
    return "\n".join(function(template, "made", want).lines)


@given(st.text())
def test_any_text_without_actions_renders_as_itself(text: str) -> None:
    text = text.replace("{{", "{ {").encode("utf-8", "replace").decode()
    outcome = evaluate(text, None)
    assert (outcome.ok, outcome.output) == (True, text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_literals_survive_the_way_into_python(text: str) -> None:
    literal = printed(ast.Literal(text, NOWHERE))
    assert evaluate("{{ " + literal + " }}", None).output == text
    assert (
        evaluate("{{ print " + literal + " }}<{{ .x }}>", {"x": text}).output == f"{text}<{text}>"
    )
    for quote in ('"', "'"):
        assert eval(quoted(text, quote)) == text  # type: ignore[arg-type]


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))
def test_numbers_survive_the_way_into_python(number: float, integer: int) -> None:
    outcome = evaluate(
        f"{{{{ eq .x {number!r} }}}} {{{{ eq .y {integer} }}}}", {"x": number, "y": integer}
    )
    assert outcome.output == "true true"
    assert math.isfinite(number)


@given(
    st.lists(
        st.one_of(
            st.text(string.printable), st.sampled_from(["x", "'a'", 'f"b"', "{'a': 1}['a']"])
        ),
        max_size=6,
    )
)
def test_joined_pieces_are_the_texts_in_order(parts: list[str]) -> None:
    """Values take part as any source that a printer makes: quotes of either kind, braces."""
    names = {"x": "value", "'a'": "a", 'f"b"': "b", "{'a': 1}['a']": "1"}
    pieces = [Embedded(one, Code(f"str({one})")) if one in names else one for one in parts]
    expected = "".join(names.get(one, one) for one in parts)
    assert eval(joined(pieces).text, {"x": "value"}) == expected  # type: ignore[arg-type]
