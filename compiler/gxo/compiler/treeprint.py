"""Any stage's dataclasses as stable text, one field a line: what `--emit=ast` prints.

    Playbook 1:1
      name 'demo'
      workloads
        WorkloadDecl 5:5
          name 'build' 5:11
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from gxo.compiler.diagnostics import Span
from gxo.compiler.source import SourceText

def tree_text(tree: object) -> str:
    """The tree as text; empty fields, file names and long texts are left out."""
    return "\n".join(_lines(tree, "")) + "\n"


def _lines(node: object, indent: str) -> Iterator[str]:
    if isinstance(node, tuple):
        for item in node:
            yield from _lines(item, indent)
    elif is_dataclass(node) and not isinstance(node, type):
        yield f"{indent}{type(node).__name__}{_place(node)}"
        for field in fields(node):
            yield from _field(field.name, getattr(node, field.name), indent + "  ")
    else:
        yield f"{indent}{node!r}"


def _field(name: str, value: object, indent: str) -> Iterator[str]:
    if value is None or value == () or isinstance(value, Span | SourceText):
        return
    if name == "file":
        return
    if is_dataclass(value) or isinstance(value, tuple):
        yield f"{indent}{name}"
        yield from _lines(value, indent + "  ")
    elif not (isinstance(value, str) and "\n" in value):
        yield f"{indent}{name} {value!r}"


def _place(node: object) -> str:
    span = getattr(node, "span", None)
    return f" {span.line}:{span.column}" if isinstance(span, Span) else ""
