"""What is wrong with a declaration, between the place that notices it and the diagnostics."""

import ast

from gxo.compiler.diagnostics import Span


class DeclarationError(Exception):
    """A declaration breaks the module contract at `node`; never leaves this package."""

    def __init__(self, node: ast.AST, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


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
