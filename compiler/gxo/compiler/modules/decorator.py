"""The decorator of a declaration: `@module("filesystem:write", changes=True, effects=[...])`.

Its arguments are literals, so that they can be read from the syntax tree. So are the defaults of
parameters, apart from products of numbers, and names of constants: the file's own, and another
one's that it imports.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal, get_args

from gxo.compiler.diagnostics import did_you_mean
from gxo.compiler.modules.annotations import SourceFile
from gxo.compiler.modules.fault import DeclarationError, each_of, span_of
from gxo.compiler.modules.spec import AT, Effect, EffectKind, Need, Options

LIFECYCLES = ("run_once", "supervise", "event_driven", "scheduled")
MODULE_NAME = re.compile(r"[a-z][a-z0-9_]*(:[a-z][a-z0-9_]*)?")
_NEED = re.compile(r"([a-zA-Z0-9][\w.-]*)(?:==([\w.!+-]+))?(?:; (\w+(?:\.\w+)?) == '([^']*)')?")
_CONDITION = re.compile(r"\w+|[\w.]+ == '[^']*'")
_KINDS: tuple[EffectKind, ...] = get_args(EffectKind)
_PLACED = ("unless", "only")
_EFFECT_OPTIONS: Mapping[EffectKind, tuple[str, ...]] = {
    "reads": _PLACED,
    "writes": _PLACED,
    "listens": _PLACED,
    "connects": (*_PLACED, "at"),
    "runs": ("args",),
    "runs_remotely": ("args",),
}
"""What the word of each kind takes in `gxo.runtime.spec`; the other kinds take nothing."""


@dataclass(slots=True)
class Decorator:
    """The decorator's arguments; the meaning of each is in `ModuleSpec`."""

    node: ast.Call
    name: str
    changes: bool | Literal["by_call"] = False
    effects: tuple[Effect, ...] = ()
    environment: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ("run_once",)
    idempotent: bool = False
    needs: tuple[Need, ...] = ()
    native: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    requires: tuple[tuple[str, tuple[str, ...]], ...] = ()
    options: Options | None = None
    emits_when: str | None = None
    reads_when: str | None = None
    retry_after_records: bool = False
    per_record: bool = False
    background: bool = False
    pauses: bool = False
    handle: str | None = None
    returns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sends: tuple[str, ...] = ()
    keeps: str | None = None
    drops: str | None = None
    head: str | None = None
    inline: bool | str = False
    tail: str | None = None
    summary: str | None = None
    fresh: bool = False


_OPTIONS = tuple(field.name for field in fields(Decorator) if field.name not in ("node", "name"))


def read_decorator(
    definition: ast.AsyncFunctionDef | ast.FunctionDef, source: SourceFile
) -> Decorator | None:
    """The module decorator of a function, None when it has none."""
    for node in definition.decorator_list:
        match node:
            case ast.Call(func=ast.Name(id="module"), args=[ast.Constant(value=str(name))]):
                if not MODULE_NAME.fullmatch(name):
                    message = f"`{name}` is no module name"
                    raise DeclarationError(node, message, "write `namespace:verb`")
                decorator = Decorator(node, name)
                each_of(partial(_option, decorator, source), node.keywords)
                return decorator
            case ast.Call(func=ast.Name(id="module")) | ast.Name(id="module"):
                raise DeclarationError(node, "write the name: `@module('namespace:verb')`")
    return None


def _option(decorator: Decorator, source: SourceFile, keyword: ast.keyword) -> None:
    name, value = keyword.arg, keyword.value
    if name == "effects":
        decorator.effects = tuple(_effects(value, source))
        return
    if name is None:
        raise DeclarationError(keyword, "write the options one by one")
    given = literal(value, source)
    match name, given:
        case "changes", True | False | "by_call":
            decorator.changes = given
        case "background" | "fresh" | "idempotent" | "pauses", bool():
            setattr(decorator, name, given)
        case "per_record" | "retry_after_records", bool():
            setattr(decorator, name, given)
        case "inline", bool() | str():
            decorator.inline = given
        case "emits_when" | "reads_when" | "keeps" | "drops", str():
            setattr(decorator, name, given)
        case "handle" | "head" | "tail" | "summary", str():
            setattr(decorator, name, given)
        case "environment", tuple() if all(map(_is_variable, given)):
            decorator.environment = given
        case "native" | "sends" | "one_of", tuple() if _is_texts(given):
            setattr(decorator, name, given)
        case "needs", tuple() if _is_texts(given):
            nodes = value.elts if isinstance(value, ast.List | ast.Tuple) else [value] * len(given)
            decorator.needs = tuple(map(partial(_need, source), nodes, given))
        case "options", (str(param), str(choice), dict(keys)) if _is_texts(keys) and all(
            map(_is_text_list, keys.values())
        ):
            decorator.options = Options(param, choice, keys)
        case "at_most_one", tuple() if all(map(_is_text_list, given)):
            decorator.at_most_one = given
        case "returns" | "requires", dict() if _is_texts(given) and all(
            map(_is_text_list, given.values())
        ):
            setattr(decorator, name, tuple(given.items()))
        case "lifecycles", tuple() if given and set(given) <= set(LIFECYCLES):
            decorator.lifecycles = given
        case _ if name in _OPTIONS:
            raise DeclarationError(keyword, f"`{name}` cannot be `{ast.unparse(value)}`")
        case _:
            message = f"`{name}` is no option of a module"
            raise DeclarationError(keyword, message, did_you_mean(name, _OPTIONS))


def _need(source: SourceFile, node: ast.expr, text: str) -> Need:
    found = _NEED.fullmatch(text)
    if found is None:
        message = f"`{text}` is no distribution with one version"
        hint = "write `name==version`, or `name==version; parameter == 'value'`"
        raise DeclarationError(node, message, hint)
    name, version, param, value = (part or "" for part in found.groups())
    return Need(name, param, value, version, span_of(node, source.file, source.lines))


def _is_texts(given: Iterable[object]) -> bool:
    return all(isinstance(each, str) for each in given)


def _is_text_list(given: object) -> bool:
    return isinstance(given, tuple) and _is_texts(given)


def _items(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.List | ast.Tuple):
        return node.elts
    raise DeclarationError(node, f"`{ast.unparse(node)}` is no list")


def _effects(node: ast.expr, source: SourceFile) -> Iterator[Effect]:
    """The effects of a list; `*NAME` in it are those of another one, also of another file."""
    for each in _items(node):
        match each:
            case ast.Starred(ast.Name(id=name)):
                own = source.constant(name)
                found = source.imported(name)
                if own is not None and own.lineno < node.lineno:
                    yield from _effects(own, source)
                elif found is not None and (there := found[1].constant(found[0])) is not None:
                    yield from _effects_elsewhere(each, name, there, found[1])
                else:
                    raise DeclarationError(each, f"`{ast.unparse(each)}` is no list of effects")
            case _:
                yield _effect(each, source)


def _effects_elsewhere(
    node: ast.expr, name: str, there: ast.expr, other: SourceFile
) -> Iterator[Effect]:
    try:
        yield from [_effect(one, other) for one in _items(there)]
    except DeclarationError as error:  # its place is in the other file
        message = f"`{name}` in `{other.package}`: {error.message}"
        raise DeclarationError(node, message, error.hint) from None


def _effect(node: ast.expr, source: SourceFile) -> Effect:
    match node:
        case ast.Call(ast.Name(id=kind), args=[ast.Constant(value=str(param))], keywords=keywords):
            for known in _KINDS:
                if known == kind:
                    return Effect(known, param, **_effect_options(known, keywords, source))
    hint = f'write `{_KINDS[0]}("parameter")`; the kinds are {", ".join(_KINDS)}'
    raise DeclarationError(node, f"`{ast.unparse(node)}` is no effect", hint)


def _effect_options(
    kind: EffectKind, keywords: list[ast.keyword], source: SourceFile
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    taken = _EFFECT_OPTIONS.get(kind, ())
    for keyword in keywords:
        name = keyword.arg
        if name is None:
            raise DeclarationError(keyword, "write the options one by one")
        if name not in taken:
            hint = f"what it has: {', '.join(taken)}" if taken else None
            raise DeclarationError(keyword, f"`{kind}` has no option `{name}`", hint)
        match name, literal(keyword.value, source):
            case "unless" | "only", tuple() as given if all(map(_is_condition, given)):
                found[name] = given
            case "at", str() as given if AT.fullmatch(given):
                found[name] = given
            case "args", str() as given:
                found[name] = given
            case _:
                message = f"`{name}` cannot be `{ast.unparse(keyword.value)}`"
                raise DeclarationError(keyword, message, _FORMS[name])
    return found


_CONDITIONS = """write `["parameter"]` or `["parameter == 'value'"]`"""
_FORMS = {
    "unless": _CONDITIONS,
    "only": _CONDITIONS,
    "at": 'write `"scheme://{host}:{port}"`, where `host` and `port` are parameters',
    "args": "write the name of a parameter",
}


def _is_condition(given: object) -> bool:
    return isinstance(given, str) and _CONDITION.fullmatch(given) is not None


def _is_variable(given: object) -> bool:
    """Whether it is a name, or one with a condition: `SSH_AUTH_SOCK; agent`."""
    name, behind, condition = given.partition("; ") if isinstance(given, str) else ("", "", "")
    return re.fullmatch(r"\w+", name) is not None and (not behind or _is_condition(condition))


def literal(node: ast.expr, source: SourceFile) -> object:
    """The value of a literal expression: text, number, bool, None, tuple (also for lists), dict."""
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(literal(item, source) for item in items)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            named = zip((key for key in keys if key is not None), values, strict=True)
            return {literal(key, source): literal(value, source) for key, value in named}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = literal(operand, source)
            if isinstance(number, int | float):
                return -number
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            factors = literal(left, source), literal(right, source)
            match factors:
                case (int() | float() as one, int() | float() as other):
                    return one * other
        case ast.Name(id=name):
            constant = source.constant(name)
            if constant is not None and constant.lineno < node.lineno:  # so it cannot go in circles
                return literal(constant, source)
            if constant is None and (found := source.imported(name)) is not None:
                return _literal_elsewhere(node, *found)
    message = f"`{ast.unparse(node)}` is no literal"
    raise DeclarationError(node, message, "the declaration is read without running the file")


def _literal_elsewhere(node: ast.expr, name: str, other: SourceFile) -> object:
    """The value of another file's constant, in which no name is used: that could go in circles."""
    constant = other.constant(name)
    if constant is None or any(isinstance(each, ast.Name) for each in ast.walk(constant)):
        message = f"`{name}` is no literal in `{other.package}`"
        raise DeclarationError(node, message, "the declaration is read without running the file")
    try:
        return literal(constant, other)
    except DeclarationError as error:  # its place is in the other file
        message = f"`{name}` in `{other.package}`: {error.message}"
        raise DeclarationError(node, message, error.hint) from None
