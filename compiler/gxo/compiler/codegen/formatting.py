"""Black over a module, piece by piece: the result is what black makes of the whole.

    head: docstring, imports, job       cut     # a: exec            cut     # b: exec
                                                async def a(ctx)             async def b(ctx)

A piece begins where a top-level function does, with the comments above it, and only where two
blank lines stand already: black leaves exactly those. In a large module each piece is kept by what
it is made of, so that the next compilation formats only what has changed; a small one is formatted
as fast as it would be looked up.
"""

import ast
import gc
import hashlib
from collections.abc import Iterator
from importlib.metadata import version

from gxo.compiler.codegen import format_cache

LINE_LENGTH = 100
MANY = 100
"""Pieces from which on they are kept."""
_DIRECTIVES = ("# fmt:", "# yapf:")


def format_text(text: str, tree: ast.Module) -> str:
    """What black makes of the module's text, of which `tree` is the syntax tree."""
    pieces = list(cut(text, tree))
    if len(pieces) < MANY:
        return "\n\n".join(_formatted(pieces))
    digests = [hashlib.sha256(piece.encode()).hexdigest() for piece in pieces]
    name = _cache_name(text)
    known = format_cache.load(name)
    missing = [number for number, digest in enumerate(digests) if digest not in known]
    made = _formatted([pieces[number] for number in missing])
    known.update(zip((digests[number] for number in missing), made, strict=True))
    used = {digest: known[digest] for digest in digests}
    if missing or len(used) != len(known):
        format_cache.store(name, used)
    return "\n\n".join(used[digest] for digest in digests)


def cut(text: str, tree: ast.Module) -> Iterator[str]:
    """The pieces of the text. One alone when a comment tells black to leave something as it is."""
    lines = text.splitlines(keepends=True)
    start = 0
    if not any(directive in text for directive in _DIRECTIVES):
        after_docstring = int(ast.get_docstring(tree, clean=False) is not None)
        for number, node in enumerate(tree.body):
            if number == after_docstring:
                continue  # black has its own mind about what is right below a docstring
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = _first_line(node, lines)
                if first >= start + 3 and lines[first - 2 : first] == ["\n", "\n"]:
                    yield "".join(lines[start : first - 2])
                    start = first
    yield "".join(lines[start:])


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """The index of the function's first line: its decorator, or a comment right above it."""
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _formatted(pieces: list[str]) -> list[str]:
    if not pieces:
        return []
    import black  # heavy, and `gxo run` and `gxo validate` never need it
    from black.mode import TargetVersion

    mode = black.Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311})
    made = []
    # Black's trees are circles. What the compiler holds is not looked through for them.
    gc.freeze()
    try:
        for number, piece in enumerate(pieces, 1):
            made.append(black.format_str(piece, mode=mode))
            if number % MANY == 0:
                gc.collect()
    finally:
        gc.unfreeze()
    return made


def _cache_name(text: str) -> str:
    """Of the module by its first line, which names the playbook, and of all that decides."""
    decides = (text.partition("\n")[0], version("black"), LINE_LENGTH)
    return hashlib.sha256(repr(decides).encode()).hexdigest()
