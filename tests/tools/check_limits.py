"""Hold the size limits of the house style: function 60 lines, class 300, file 500.

A function's docstring does not count: a module's is its documentation, and as long as that needs.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("compiler", "runtime", "stdlib", "tests")
FUNCTION, CLASS, FILE = 60, 300, 500


def findings(path: Path) -> Iterator[str]:
    """Yield one line for each thing in the file that is longer than its limit."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT)
    if (lines := text.count("\n")) > FILE:
        yield f"{name}: {lines} lines, at most {FILE}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            limit, kind = FUNCTION, "function"
        elif isinstance(node, ast.ClassDef):
            limit, kind = CLASS, "class"
        else:
            continue
        length = _last_line(node) - node.lineno + 1 - _docstring_lines(node)
        if length > limit:
            yield f"{name}:{node.lineno}: {kind} {node.name} has {length} lines, at most {limit}"


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _docstring_lines(node: ast.stmt) -> int:
    match node:
        case ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant(value=str())) as doc, *_]) | (
            ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str())) as doc, *_])
        ):
            return _last_line(doc) - doc.lineno + 1
    return 0


def main() -> int:
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    problems = [line for path in paths for line in findings(path)]
    print("\n".join(problems) or f"size limits: {len(paths)} files within them")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
