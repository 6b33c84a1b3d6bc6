"""Which place of the playbook each expression of the generated module comes from.

The module is rendered twice, from the same views: once as it is, once with every expression that
can fail inside a call of `MARKER(number, expression)`. The two syntax trees differ in those calls
alone, so walking them side by side gives every expression's position after black has moved it.

    plain:   return await exec_(ctx, command=ctx.vars["tool"])
    marked:  return await exec_(ctx, command=MARKER(0, ctx.vars["tool"]))
    entry:   [12, 37, 12, 53, 8, 30, "{{ .tool }}", "build"]
"""

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gxo.compiler.diagnostics import Span

MARKER = "__at__"


@dataclass(slots=True)
class Marks:
    """Numbers the marked expressions, and keeps the span of each."""

    spans: list[Span] = field(default_factory=list)

    def mark(self, code: str, span: Span) -> str:
        self.spans.append(span)
        return f"{MARKER}({len(self.spans) - 1}, {code})"


def no_mark(code: str, span: Span) -> str:
    """The marker of the plain rendering: it leaves the code as it is."""
    del span
    return code


def source_map(
    formatted: str,
    marked: str,
    marks: Marks,
    playbook_file: str,
    playbook_text: str,
    workloads: Mapping[str, int],
) -> str:
    """The map as JSON text, one entry a line.

    An entry is `[line, column, end line, end column, playbook line, playbook column, expression,
    workload function]`, positions in the module as `code.co_positions()` gives them (lines from 1,
    columns in UTF-8 bytes from 0). Of the entries around a position the innermost counts.
    workloads: the playbook line of each, by name, for what no expression is to blame for.
    """
    lines = playbook_text.splitlines()
    entries = [
        [
            node.lineno,
            node.col_offset,
            node.end_lineno,
            node.end_col_offset,
            marks.spans[number].line,
            marks.spans[number].column,
            excerpt(lines, marks.spans[number]),
            function,
        ]
        for node, number, function in _marked_nodes(ast.parse(formatted), ast.parse(marked))
    ]
    rows = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    places = ",\n".join(f"{json.dumps(name)}: {line}" for name, line in workloads.items())
    head = json.dumps({"file": playbook_file, "generated": "gxo_job.py"}, ensure_ascii=False)[:-1]
    return f'{head}, "workloads": {{\n{places}\n}}, "entries": [\n{rows}\n]}}\n'


def excerpt(lines: list[str], span: Span) -> str:
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
