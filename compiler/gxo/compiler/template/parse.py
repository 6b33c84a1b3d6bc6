"""Template text to a syntax tree, or to diagnostics at the right place inside the string.

parse(source, diags)            a template: text with actions
parse_condition(source, diags)  what `when`, `condition`, `success_when`, `fail_when` take
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from lark import Token, Tree, UnexpectedInput

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import SourceText
from gxo.compiler.template import ast
from gxo.compiler.template.build import Builder
from gxo.compiler.template.build_expressions import MAX_DEPTH, TooDeepError
from gxo.compiler.template.tables import parser

MAX_PARTS = 100_000
"""Words and signs of one template, texts between actions included."""

_REMEMBERED_LENGTH = 2000

T = TypeVar("T")


def is_template(text: str) -> bool:
    """Whether a string holds anything to evaluate: `{{`, or `${` outside actions."""
    return "{{" in text or "${" in text


def parse(source: SourceText, diags: Diagnostics, *, secrets: bool = True) -> ast.Template | None:
    """Parse a template; None after an error.

    secrets: `${NAME}` in the text is the secret NAME and `$${` is a literal `${`, as in a
    parameter; without it both are text.
    """
    tree = _tree(source, "template", diags)
    if tree is None:
        return None
    return _built(source, diags, secrets, lambda builder: builder.template(tree))


def parse_condition(source: SourceText, diags: Diagnostics) -> ast.Template | ast.Expr | None:
    """Parse a condition (language, section 4); None after an error.

    The result is a `Template` when nothing but white space stands outside one action or one block,
    else the expression that is written around the actions.
    """
    if (condition := _written_around(source)) is not None:
        return condition
    template = parse(source, diags, secrets=False)
    if template is None:
        return None
    written = [node for node in template.nodes if not _is_white(node)]
    if len(written) == 1 and isinstance(written[0], ast.Action | ast.If | ast.With | ast.Range):
        return template
    if not any(not isinstance(node, ast.Text) for node in written):
        diags.error(
            "GXO0406",
            source.span,
            "this condition is only text: it does not depend on anything",
            "put what it depends on into {{ }}, or write true or false without quotes",
        )
        return None
    tree = _tree(source, "condition", diags)
    if tree is None:
        return None
    return _built(source, diags, False, lambda builder: builder.condition(tree))


def _written_around(source: SourceText) -> ast.Expr | None:
    """The condition, if it is written around actions and nothing is wrong with it.

    Then nothing is wrong with it as a template either, so most conditions are read only once.
    """
    text = source.value.strip()
    is_one_action = text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1
    if is_one_action or "{{" not in text:
        return None
    try:
        tree = _read(source.value, "condition")
    except (_TooManyPartsError, UnexpectedInput):
        return None
    if isinstance(tree.children[0], Tree) and tree.children[0].data == "hole":
        return None
    return _built(source, Diagnostics(), False, lambda builder: builder.condition(tree))


def single_action(template: ast.Template) -> ast.Expr | None:
    """The expression of a template that is exactly one action, white space around it aside.

    Such a template has the native value of its pipeline (language, section 3).
    """
    written = [node for node in template.nodes if not _is_white(node)]
    if len(written) == 1 and isinstance(written[0], ast.Action):
        return written[0].pipe
    return None


def _is_white(node: ast.Node) -> bool:
    return isinstance(node, ast.Text) and not node.value.strip()


def _tree(source: SourceText, start: str, diags: Diagnostics) -> Tree[Token] | None:
    try:
        return _read(source.value, start)
    except _TooManyPartsError as error:
        diags.error(
            "GXO0413",
            source.at(error.position, error.position + 1),
            f"the template is too long: more than {MAX_PARTS:,} words and signs in its actions",
            "split it, or let a command or a file hold what it lists",
        )
        return None
    except UnexpectedInput:
        # only a template with a mistake pays for the rules that name it
        from gxo.compiler.template.mistakes import report_mistake

        report_mistake(source, start, diags)
        return None


class _TooManyPartsError(Exception):
    """A template that would take too much time and memory; carries where it becomes too long."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


def _read(text: str, start: str) -> Tree[Token]:
    if len(text) <= _REMEMBERED_LENGTH:
        return _remembered_tree(text, start)
    return _counted(text, start)


def _parsed(text: str, start: str) -> Tree[Token]:
    return parser().parse(text, start=start)


def _counted(text: str, start: str) -> Tree[Token]:
    """Parse a text that can have too many parts."""
    interactive = parser().parse_interactive(text, start=start)
    for count, token in enumerate(interactive.iter_parse()):
        if count > MAX_PARTS:
            raise _TooManyPartsError(token.start_pos or 0)
    tree: Tree[Token] = interactive.feed_eof()  # type: ignore[no-untyped-call]
    return tree


_remembered_tree = lru_cache(maxsize=4096)(_parsed)
"""Playbooks repeat short templates; the tree depends on the text alone, spans are added later."""


def _built(
    source: SourceText, diags: Diagnostics, secrets: bool, build: Callable[[Builder], T]
) -> T | None:
    found = Diagnostics()
    try:
        result = build(Builder(source, found, secrets))
    except TooDeepError as deep:
        diags.error(
            "GXO0413",
            deep.span,
            f"the template is nested too deeply: more than {MAX_DEPTH} levels",
            "split it, or compute parts of it in `vars`",
        )
        return None
    diags.items.extend(found.items)
    return None if found.has_errors else result
