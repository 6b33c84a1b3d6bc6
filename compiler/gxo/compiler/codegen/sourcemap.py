"""Which place of the playbook each expression of the generated code comes from.

Every expression that can fail is printed between marks. Without them the text is the code; with
each pair written as a call of `MARKER`, its syntax tree differs from the code's in those calls
alone. So walking the two side by side gives every expression's position after black has moved it.

    plain:   return await exec_(ctx, command=ctx.vars["tool"])
    called:  return await exec_(ctx, command=__at__(0, ctx.vars["tool"]))
    entry:   [12, 37, 12, 53, 8, 30, "{{ .tool }}", "build"]
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gxo.compiler.diagnostics import Span

MARKER = "__at__"
_OPEN, _NUMBERED, _CLOSE = "\x01", "\x02", "\x03"  # no literal has them: `repr` escapes them
_ANY_MARK = re.compile(f"{_OPEN}[0-9]+{_NUMBERED}|{_CLOSE}")

Place = tuple[int, int, int, int, int, str]
"""Line, column, end line and end column of a marked expression in a text, as `code.co_positions()`
gives them (lines from 1, columns in UTF-8 bytes from 0); its mark; the function around it."""

Entry = tuple[int | str, ...]
"""The position in the file; line, column and text in the playbook; the function around. Of what
stands in a template file the place is there, and its name comes last."""


@dataclass(slots=True)
class Marks:
    """Numbers the marked expressions, and keeps the span of each."""

    spans: list[Span] = field(default_factory=list)

    def mark(self, code: str, span: Span) -> str:
        """The code between marks."""
        self.spans.append(span)
        return f"{_OPEN}{len(self.spans) - 1}{_NUMBERED}{code}{_CLOSE}"

    def take(self) -> list[Span]:
        """The spans that were marked since the last time; numbers begin at 0 again."""
        taken, self.spans = self.spans, []
        return taken


def without_marks(marked: str) -> str:
    """The text as it is without the marks in it."""
    return _ANY_MARK.sub("", marked)


def find_places(tree: ast.AST, marked: str) -> list[Place]:
    """Where the marked expressions are in the code's tree, outermost first."""
    called = marked.replace(_OPEN, f"{MARKER}(").replace(_NUMBERED, ", ").replace(_CLOSE, ")")
    return [
        (
            node.lineno,
            node.col_offset,
            node.end_lineno or node.lineno,
            node.end_col_offset or node.col_offset,
            number,
            function,
        )
        for node, number, function in _marked_nodes(tree, ast.parse(called))
    ]


@dataclass(frozen=True, slots=True)
class Texts:
    """What spans point into. playbook: its lines; templates: by path, a file's name and lines."""

    playbook: Sequence[str]
    templates: Mapping[str, tuple[str, Sequence[str]]]


def entries(
    places: Sequence[Place], above: int, spans: Sequence[Span], texts: Texts
) -> Iterator[Entry]:
    """Yield the map's entries of a text that so many lines of its file stand above.

    spans: what was marked there.
    """
    for line, column, end_line, end_column, number, function in places:
        span = spans[number]
        position = (line + above, column, end_line + above, end_column)
        if span.file in texts.templates:
            name, lines = texts.templates[span.file]
            yield (*position, span.line, span.column, excerpt(lines, span), function, name)
        else:
            yield (*position, span.line, span.column, excerpt(texts.playbook, span), function)


AssertionPlace = tuple[int, int, str]
"""Line, column and text of what an assertion is about."""


def source_map(
    playbook_file: str,
    workloads: Mapping[str, int],
    files: Mapping[str, Sequence[Entry]],
    assertions: Mapping[str, Sequence[AssertionPlace]],
) -> str:
    """The map as JSON text, one entry a line. Of those around a position the innermost counts.

    workloads: the playbook line of each, by name, for what no expression is to blame for.
    files: the entries of each generated file; the first is the one that is run.
    assertions: the places of each workload's, and each step's (`pipeline.step`), in order.
    """
    (first, own), *parts = files.items()
    places = ",\n".join(f"{json.dumps(name)}: {line}" for name, line in workloads.items())
    head = json.dumps({"file": playbook_file, "generated": first}, ensure_ascii=False)[:-1]
    text = f'{head}, "workloads": {{\n{places}\n}}, "entries": [\n{_rows(own)}\n]'
    if assertions:
        rows = ",\n".join(
            f"{json.dumps(name)}: {_row(found)}" for name, found in assertions.items()
        )
        text += f', "assertions": {{\n{rows}\n}}'
    if parts:
        rows = ",\n".join(f"{json.dumps(name)}: [\n{_rows(found)}\n]" for name, found in parts)
        text += f', "parts": {{\n{rows}\n}}'
    return f"{text}}}\n"


_row = json.JSONEncoder(ensure_ascii=False).encode


def _rows(found: Sequence[Entry]) -> str:
    return ",\n".join(map(_row, found))


def excerpt(lines: Sequence[str], span: Span) -> str:
    """The playbook's text at the span, on one line and at most 120 characters."""
    if span.line > len(lines):
        return ""
    if span.line == span.end_line:
        text = lines[span.line - 1][span.column - 1 : span.end_column - 1]
    else:
        text = " ".join(line.strip() for line in lines[span.line - 1 : span.end_line])
    return text if len(text) <= 120 else text[:117] + "..."


def _marked_nodes(plain: ast.AST, marked: ast.AST) -> Iterator[tuple[ast.expr, int, str]]:
    """Yield (plain node, mark, name of the top-level function around it), outermost first."""
    pending: list[tuple[ast.AST, ast.AST, str]] = [(plain, marked, "")]
    while pending:
        node, shadow, function = pending.pop()
        while (number := _mark_number(shadow)) is not None:
            assert isinstance(node, ast.expr) and isinstance(shadow, ast.Call)
            yield node, number, function
            shadow = shadow.args[1]
        if not function and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        children = zip(ast.iter_child_nodes(node), ast.iter_child_nodes(shadow), strict=True)
        pending.extend((one, other, function) for one, other in reversed(list(children)))


def _mark_number(node: ast.AST) -> int | None:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == MARKER
        and isinstance(node.args[0], ast.Constant)
    ):
        return int(str(node.args[0].value))
    return None
