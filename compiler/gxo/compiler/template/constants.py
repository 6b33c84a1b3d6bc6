"""The values of templates that nothing around them decides, told by the code they compile to.

    upper "ok" | repeat 2          "OKOK"
    eq (len "abc") 3               True
    add 1 2                        none: Go's int64 has no literal
    repeat 9999 "x"                none: its value is too long to be written out
    .users, now, env "HOME"        none: only the run knows

There is one meaning of an expression: the generated function runs here as it would in the job. What
fails in it has no value, so that it fails in the run, at its place.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from gxo.compiler.template import ast, functions, walk
from gxo.compiler.template.to_python import Want, function

LONGEST = 1000
"""Characters, or elements of lists and maps, that a value may have, on the way to it too."""
_MOST_PARTS = 50
_PYTHON = "<constant>"
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_SIZED = frozenset(("repeat", "until", "untilStep", "seq", "indent", "nindent", "printf"))
"""Functions whose result is as long as a number in their arguments says."""
_LONG_NUMBER = re.compile(r"\d{4}")


class NoValueError(Exception):
    """The template is no constant; the message says why, or is empty where that is plain."""


def value_of(
    template: ast.Template | ast.Expr, want: Want, given: Mapping[str, Any] = _NOTHING
) -> Any:
    """What the template is in every run: a text, number, bool, nil, or lists and maps of them.

    given: what loop variables are, by their names.

    Raises: NoValueError
    """
    parts = list(_pipes(template.nodes)) if isinstance(template, ast.Template) else [template]
    for part in parts:
        _check(part, given)
    value = _run(template, want, given)
    if not _is_plain(value):
        raise NoValueError("its value cannot be written out")
    if _size(value) > LONGEST:
        raise NoValueError("its value is too long to be written out")
    return value


def is_decided(expression: ast.Expr, given: Mapping[str, Any] = _NOTHING) -> bool:
    """Whether nothing outside the expression takes part in its value but what is given."""
    for part in walk.expressions(expression):
        match part:
            case ast.Root(kind="loop", name=name) if name in given:
                pass
            case ast.Root() | ast.Variable() | ast.Dot():
                return False
            case ast.Call(name):
                called = functions.find(name)
                if called is None or called.mutates or called.secret or called.needs:
                    return False
                if not called.pure:
                    return False
    return True


def _pipes(nodes: tuple[ast.Node, ...]) -> Iterator[ast.Expr]:
    """What texts and actions evaluate, and choices between them."""
    for node in nodes:
        match node:
            case ast.Text():
                pass
            case ast.Action(pipe):
                yield pipe
            case ast.If(branches, otherwise):
                for branch in branches:
                    yield branch.condition
                    yield from _pipes(branch.body)
                yield from _pipes(otherwise)
            case _:
                raise NoValueError  # a block, whose parts were looked at before


def _check(expression: ast.Expr, given: Mapping[str, Any]) -> None:
    """Let no part take long: each part works on small values, so no call of it does much."""
    if not is_decided(expression, given):
        raise NoValueError
    parts = list(walk.expressions(expression))
    if len(parts) > _MOST_PARTS:
        raise NoValueError("it has too many parts")
    for part in reversed(parts):  # inner ones first
        if isinstance(part, ast.Call) and part.function in _SIZED and _asks_for_much(part, given):
            raise NoValueError("its value may be too long to be written out")
        is_inner = part is not expression and not isinstance(part, ast.Literal | ast.Nil)
        if is_inner and _size(_run(part, Want("native"), given)) > LONGEST:
            raise NoValueError("a part of its value is too long")


def _asks_for_much(call: ast.Call, given: Mapping[str, Any]) -> bool:
    """Whether a number of four digits stands in the arguments, or an unknown one."""
    for argument in call.args:
        match argument:
            case ast.Literal(value):
                pass
            case ast.Root() | ast.Field(ast.Root()):
                value = _run(argument, Want("native"), given)
            case _:
                return True
        if _LONG_NUMBER.search(str(value)):
            return True
    return False


def _run(template: ast.Template | ast.Expr, want: Want, given: Mapping[str, Any]) -> Any:
    made = function(template, "constant", want)
    read = {
        part.python: given[part.name]
        for part in walk.expressions(template)
        if isinstance(part, ast.Root)
    }
    if len(made.parameters) > len(read):
        raise NoValueError
    try:
        return _compiled("\n".join([*sorted(made.imports), *made.lines]))(**read)
    except Exception as error:
        raise NoValueError("it fails in every run") from error


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Callable[..., Any]:
    """The function that the source defines; playbooks repeat themselves."""
    names: dict[str, Any] = {"__name__": _PYTHON}
    exec(compile(source, _PYTHON, "exec"), names)  # noqa: S102 - the compiler's own output
    constant: Callable[..., Any] = names["constant"]
    return constant


def _is_plain(value: Any) -> bool:
    """Whether a literal has the very same value: Go's named numbers have none."""
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    return value is None or type(value) in (str, int, float, bool)


def _size(value: Any) -> int:
    match value:
        case str():
            return len(value)
        case list():
            return 1 + sum(map(_size, value))
        case dict():
            return 1 + sum(len(str(key)) + _size(item) for key, item in value.items())
    return 1
