"""What is wrong with a declaration, between the place that notices it and the diagnostics."""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from gxo.compiler.diagnostics import Span

T = TypeVar("T")


class DeclarationError(Exception):
    """A declaration breaks the module contract at `node`; never leaves this package."""

    def __init__(self, node: ast.AST, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


def each_of(read: Callable[..., T], *columns: Iterable[Any]) -> list[T]:
    """What `read` makes of each row of the columns; raises the faults of all rows as one group."""
    made: list[T] = []
    faults: list[DeclarationError] = []
    for row in zip(*columns, strict=True):
        try:
            made.append(read(*row))
        except DeclarationError as fault:
            faults.append(fault)
    if faults:
        raise ExceptionGroup("a declaration", faults)
    return made


def flat(faults: ExceptionGroup[DeclarationError]) -> Iterator[DeclarationError]:
    """The faults of a group, and of the groups in it."""
    for fault in faults.exceptions:
        if isinstance(fault, ExceptionGroup):
            yield from flat(fault)
        else:
            yield fault


def span_of(node: ast.AST, file: str, lines: list[str]) -> Span:
    """The characters of a node in its file (the syntax tree counts UTF-8 bytes, from 0)."""
    line = getattr(node, "lineno", 1)
    end_line = getattr(node, "end_lineno", line)
    start = _characters(lines, line, getattr(node, "col_offset", 0))
    end = _characters(lines, end_line, getattr(node, "end_col_offset", 0))
    return Span(file, line, start + 1, end_line, end + 1)


def _characters(lines: list[str], line: int, offset: int) -> int:
    text = lines[line - 1] if line <= len(lines) else ""
    return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))
