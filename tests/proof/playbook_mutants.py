"""Playbooks that differ from a given one by one small mistake.

    when: "{{ .minify }}"        becomes   when: "{{ not (.minify) }}"
    retry: {attempts: 3}                   retry: {attempts: 4}
    needs: [table, customers]              needs: [customers]
    content: "{{ .page.content }}"         content: "{{ `` }}"

Each literal, each condition and each edge (of `needs`, `stream_inputs` and references) has one. What
only names something, such as a register, is no literal, nor is a description; in data (`vars`,
`params`, `with`, a default) a name is a value like any other. Keys are no literals: a wrong one is
mostly refused when compiling, which would flatter the figure.
"""

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any, Literal

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, compose
from gxo.compiler.frontend.yaml import Sequence as Items
from gxo.compiler.template import ast
from gxo.compiler.template.parse import is_template, parse, parse_condition

Kind = Literal["literal", "condition", "edge"]

NAMES = frozenset(
    [
        "name",
        "schemaVersion",
        "description",
        "module",
        "register",
        "policy",
        "loop_var",
        "index_var",
        "id",
        "uses",
    ]
)
DATA = frozenset(["vars", "params", "with", "default"])
DATA_NAMES = frozenset(["module", "id", "uses"])
"""What names something in data: of the steps of a `stream:pipeline`."""
EDGES = frozenset(["needs", "stream_inputs"])
CONDITIONS = frozenset(["when", "condition", "success_when", "fail_when"])
OTHERS = {
    "==": "!=",
    "!=": "==",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "&&": "||",
    "||": "&&",
}
_DURATION = re.compile(r"\d+(ns|us|ms|s|m|h)")
WORDS = {
    "eq": "ne",
    "ne": "eq",
    "lt": "le",
    "le": "lt",
    "gt": "ge",
    "ge": "gt",
    "and": "or",
    "or": "and",
}


@dataclass(frozen=True)
class Mutant:
    """A changed playbook. before, after: what was changed, as it stands there."""

    kind: Kind
    line: int
    before: str
    after: str
    text: str


@dataclass(frozen=True)
class _Edit:
    kind: Kind
    span: Span
    after: str


def mutants(text: str) -> Iterator[Mutant]:
    """Every playbook with one mistake, in the order of the file."""
    diags = Diagnostics()
    tree = compose(text, "playbook.gxo.yaml", diags)
    assert isinstance(tree, Mapping) and not diags.has_errors
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    edits = {(edit.span, edit.after): edit for edit in _Finder(text, starts).of_map(tree)}
    for edit in sorted(edits.values(), key=lambda one: one.span):
        begin, end = _offsets(edit.span, starts)
        changed = text[:begin] + edit.after + text[end:]
        if changed != text:
            yield Mutant(edit.kind, edit.span.line, text[begin:end], edit.after, changed)


def _offsets(span: Span, starts: Sequence[int]) -> tuple[int, int]:
    begin = starts[span.line - 1] + span.column - 1
    return begin, starts[span.end_line - 1] + span.end_column - 1


class _Finder:
    """Finds what can be changed in a tree; an anchor's text is found once for each alias."""

    def __init__(self, text: str, starts: Sequence[int]) -> None:
        self.text, self.starts = text, starts
        self.registers: set[str] = set()

    def of_map(self, tree: Mapping) -> Iterator[_Edit]:
        self.registers |= set(_registers(tree))
        yield from self._of(tree, "", NAMES)

    def _of(self, node: Node, key: str, names: frozenset[str]) -> Iterator[_Edit]:
        match node:
            case Mapping(entries):
                for entry in entries:
                    inner = entry.key.text.value
                    if inner not in names or isinstance(entry.value, Mapping):
                        within = DATA_NAMES if inner in DATA else names
                        yield from self._of(entry.value, inner, within)
            case Items(items) if key in EDGES:
                for place in range(len(items)):
                    yield self._without(items, place)
            case Items(items):
                for item in items:
                    yield from self._of(item, key, names)
            case Scalar() if key in CONDITIONS or is_template(node.text.value):
                yield from self._of_template(node, key in CONDITIONS)
            case Scalar():
                yield self._slip(node.span)

    def _without(self, items: Sequence[Node], place: int) -> _Edit:
        """The list without one of its items, and the comma or dash that belongs to it."""
        begin, end = self._range(items[place])
        if place + 1 < len(items):
            end = self._range(items[place + 1])[0]
        elif place:
            begin = self._range(items[place - 1])[1]
        before = self.text[begin:end]
        return _Edit("edge", self._span(begin, end), before[:0])

    def _of_template(self, scalar: Scalar, is_condition: bool) -> Iterator[_Edit]:
        source, diags = scalar.text, Diagnostics()
        tree = parse_condition(source, diags) if is_condition else parse(source, diags)
        if tree is None:  # a plain bool, or a word
            yield self._slip(scalar.span)
            return
        for node in _walk(tree):
            yield from self._of_node(node)
        if is_condition:
            yield from self._negated(tree)

    def _of_node(self, node: Any) -> Iterator[_Edit]:
        match node:
            case ast.Text(value) if value:
                yield self._slip(node.span)
            case ast.Literal():
                yield self._slip(node.span)
            case ast.Field(ast.Dot(), (str(name), *names)):
                if name in self.registers or (name == "_gxo" and names[:1] == ["workloads"]):
                    yield _Edit("edge", node.span, "``")
            case ast.Binary(_, left, right) | ast.And((left, right)) | ast.Or((left, right)):
                yield from self._other_operator(node.span, left.span, right.span)
            case ast.If(branches):
                for branch in branches:
                    yield self._negation(branch.condition.span)

    def _other_operator(self, whole: Span, left: Any, right: Any) -> Iterator[_Edit]:
        """The operator between two operands, or the word before them, turned into another."""
        begin, end = _offsets(left, self.starts)[1], _offsets(right, self.starts)[0]
        between = self.text[begin:end]
        for operator in sorted(OTHERS, key=len, reverse=True):
            if operator in between:
                at = begin + between.index(operator)
                yield _Edit("condition", self._span(at, at + len(operator)), OTHERS[operator])
                return
        begin, end = _offsets(whole, self.starts)
        word = self.text[begin:end].partition(" ")[0]
        if word in WORDS:
            yield _Edit("condition", self._span(begin, begin + len(word)), WORDS[word])

    def _negated(self, tree: ast.Template | ast.Expr) -> Iterator[_Edit]:
        match tree:
            case ast.Template((ast.Action(pipe),)):
                yield self._negation(pipe.span)
            case ast.Template():
                return
            case _ if isinstance(span := getattr(tree, "span", None), Span):
                begin, end = _offsets(span, self.starts)
                yield _Edit("condition", span, f"!({self.text[begin:end]})")

    def _negation(self, span: Any) -> _Edit:
        begin, end = _offsets(span, self.starts)
        return _Edit("condition", span, f"not ({self.text[begin:end]})")

    def _slip(self, span: Span) -> _Edit:
        """A literal with one character changed: its last letter or digit, or a duration's digit."""
        begin, end = _offsets(span, self.starts)
        raw = self.text[begin:end]
        stripped = raw.rstrip()
        if (flipped := {"true": "false", "false": "true"}.get(stripped)) is not None:
            return _Edit("literal", self._span(begin, begin + len(stripped)), flipped)
        of = string.digits if _DURATION.fullmatch(raw) else string.ascii_letters + string.digits
        for place in range(len(raw) - 1, -1, -1):
            escaped = place and raw[place - 1] == "\\"
            if raw[place] in of and not escaped:
                changed = raw[:place] + _other(raw[place]) + raw[place + 1 :]
                return _Edit("literal", span, changed)
        inside = 1 if raw[:1] in "\"'`" else 0
        return _Edit("literal", span, raw[:inside] + "x" + raw[inside:])

    def _range(self, node: Node) -> tuple[int, int]:
        return _offsets(node.span, self.starts)

    def _span(self, begin: int, end: int) -> Span:
        lines = [number for number, (low, _) in enumerate(pairwise(self.starts), 1)]
        first = max(line for line in lines if self.starts[line - 1] <= begin)
        last = max(line for line in lines if self.starts[line - 1] <= end)
        columns = begin - self.starts[first - 1] + 1, end - self.starts[last - 1] + 1
        return Span("playbook.gxo.yaml", first, columns[0], last, columns[1])


def _other(character: str) -> str:
    if character.isdigit():
        return str((int(character) + 1) % 10)
    return "y" if character == "x" else "x"


def _registers(node: Node) -> Iterator[str]:
    match node:
        case Mapping(entries):
            for entry in entries:
                if entry.key.text.value == "register" and isinstance(entry.value, Scalar):
                    yield entry.value.text.value
                yield from _registers(entry.value)
        case Items(items):
            for item in items:
                yield from _registers(item)


def _walk(node: Any) -> Iterator[Any]:
    """A template's nodes, each before what is in it."""
    if isinstance(node, tuple):
        for item in node:
            yield from _walk(item)
    elif is_dataclass(node) and not isinstance(node, type):
        yield node
        for one in fields(node):
            yield from _walk(getattr(node, one.name))
