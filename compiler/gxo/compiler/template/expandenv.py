"""`expandenv` of a literal text, whose variables are known before anything runs.

    expandenv "$HOME/bin:${PATH}"    ->  print (env "HOME") "/bin:" (env "PATH")

The names end where Go's `os.ExpandEnv` ends them. A text that is no literal stays a call, and is
refused with the other names that are no literals.
"""

import re
from collections.abc import Iterator

from gxo.compiler.diagnostics import Span
from gxo.compiler.template import ast

_NAME = re.compile(r"[*#$@!?\-0-9]|[A-Za-z_][A-Za-z0-9_]*")


def expanded(call: ast.Call) -> ast.Expr:
    """The parts of a literal's text, printed one after the other; other calls as they are."""
    match call.args:
        case (ast.Literal(str() as text, span),):
            parts = tuple(_parts(text, span))
        case _:
            return call
    match parts:
        case ():
            return ast.Literal("", span)
        case (part,):
            return part
        case _:
            return ast.Call("print", parts, call.span)


def _parts(text: str, span: Span) -> Iterator[ast.Expr]:
    """The text's variables, and what stands between them."""
    kept: list[str] = []
    at, last = 0, text.rfind("}")
    while (dollar := text.find("$", at)) >= 0:
        kept.append(text[at:dollar])
        name, at = _reference(text, dollar + 1, last)
        if name is None:
            kept.append("$")
        elif name:
            yield from _literal(kept, span)
            yield ast.Call("env", (ast.Literal(name, span),), span)
            kept = []
    yield from _literal([*kept, text[at:]], span)


def _reference(text: str, at: int, last: int) -> tuple[str | None, int]:
    """The name behind a `$`, and where it ends; None when the `$` stands for itself.

    `${}` and a `${` that nothing closes have an empty name. last: where the last `}` is.
    """
    if text.startswith("{", at):
        end = text.find("}", at) if at < last else -1
        return (text[at + 1 : end], end + 1) if end >= 0 else ("", at + 1)
    found = _NAME.match(text, at)
    return (found[0], found.end()) if found else (None, at)


def _literal(texts: list[str], span: Span) -> Iterator[ast.Literal]:
    if text := "".join(texts):
        yield ast.Literal(text, span)
