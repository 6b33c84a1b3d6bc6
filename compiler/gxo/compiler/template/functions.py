"""The template functions: what the run-time library declares, read from its syntax tree.

    @function("trimSuffix")
    def trim_suffix(suffix: str, text: str) -> str:      in gxo/runtime/functions/strings.py

    ->  Signature("trimSuffix", "strings", "trim_suffix", (text, text), ..., result text)

Nothing of the library is imported or run. Only the files that a template's functions are in are
parsed; the whole library is read when a name is not found and a near one is wanted.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from gxo.compiler.types import ANY, BOOL, FLOAT, INT, NIL, TEXT, ListOf, MapOf, OneOf, Shape, Type

_TYPES: dict[str, Type] = {
    "str": TEXT,
    "Secret": TEXT,
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "Any": ANY,
    "CheckedList": ListOf(ANY),
    "CheckedMap": MapOf(ANY),
    "CheckedSized": OneOf((TEXT, ListOf(ANY), MapOf(ANY))),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """A function as templates see it.

    module: what it is imported from (`gxo.runtime.functions.strings`); "" for those the compiler
    emits itself (`secret`, `env`, `now`). `native`: the result is none of Python's own values, and
    its fields are methods. `secret`: what it makes is a secret; of a map, what its shape says.
    needs: distributions that it cannot work without.
    """

    name: str
    module: str
    python: str
    parameters: tuple[tuple[str, Type], ...]
    required: int
    variadic: tuple[str, Type] | None
    result: Type
    pure: bool = True
    mutates: bool = False
    native: bool = False
    secret: bool = False
    needs: tuple[str, ...] = ()
    doc: str = ""

    @property
    def family(self) -> str:
        """The module's own name: `strings`."""
        return self.module.rpartition(".")[2]

    def parameter(self, index: int) -> tuple[str, Type] | None:
        """The name and type of the argument at a position; None past the last."""
        if index < len(self.parameters):
            return self.parameters[index]
        return self.variadic


_OWN = {
    "secret": Signature("secret", "", "secret", (("name", TEXT),), 1, None, TEXT, pure=False),
    "env": Signature("env", "", "env", (("name", TEXT),), 1, None, TEXT, pure=False),
    "expandenv": Signature(
        *("expandenv", "", "expandenv", (("text", TEXT),), 1, None, TEXT),
        pure=False,
        doc="Return a literal text with `$NAME` and `${NAME}` filled in from the environment.",
    ),
    "now": Signature("now", "", "now", (), 0, None, TEXT, pure=False),
}
OPERATORS = frozenset(("and", "or", "not"))
"""Functions that are operators of the language: they choose which of their operands to evaluate."""


def asks(function: str, position: int) -> bool:
    """Whether the argument there may be missing: it is nil then (language, section 3)."""
    return function in ("default", "coalesce", "empty") or (function, position) == ("hasKey", 0)


@cache
def find(name: str) -> Signature | None:
    """The function of that name in templates, or None."""
    if name in _OWN:
        return _OWN[name]
    quoted = f'"{name}"'
    for path in _files():
        if quoted in _text(path):
            found = next((one for one in _declared(path) if one.name == name), None)
            if found is not None:
                return found
    return None


def names() -> frozenset[str]:
    """Every function that a template can call."""
    declared = {one.name for path in _files() for one in _declared(path)}
    return frozenset(declared) | frozenset(_OWN) | OPERATORS


@cache
def families() -> frozenset[str]:
    """The names under which generated code imports functions: `expr`, `strings`..."""
    return frozenset(path.stem for path in _files())


@cache
def _files() -> tuple[Path, ...]:
    package = find_spec("gxo.runtime")
    folders = package.submodule_search_locations if package else None
    files: list[Path] = []
    for folder in folders or ():
        files.append(Path(folder, "expr.py"))
        files.extend(sorted(Path(folder, "functions").glob("*.py")))
    return tuple(path for path in files if path.name != "__init__.py")


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _declared(path: Path) -> tuple[Signature, ...]:
    package = "gxo.runtime" if path.stem == "expr" else "gxo.runtime.functions"
    tree = ast.parse(_text(path), str(path))
    types = {**_TYPES, **_shapes(tree)}
    return tuple(
        signature
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for signature in _signatures(node, f"{package}.{path.stem}", types)
    )


def _shapes(tree: ast.Module) -> dict[str, Type]:
    """The file's `TypedDict`s by name."""
    return {
        node.name: _shape(node)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and [ast.unparse(one) for one in node.bases] == ["TypedDict"]
    }


def _shape(node: ast.ClassDef) -> Shape:
    given = {
        line.target.id: line.annotation
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }
    fields = tuple((name, _annotation(kind, _TYPES) or ANY) for name, kind in given.items())
    secret = frozenset(name for name, kind in given.items() if _is_secret(kind))
    return Shape(node.name, fields, secret=secret)


def _signatures(
    node: ast.FunctionDef, module: str, types: Mapping[str, Type]
) -> Iterator[Signature]:
    for decorator in node.decorator_list:
        if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "function"):
            continue
        flags = {word.arg: ast.literal_eval(word.value) for word in decorator.keywords}
        parameters = tuple((one.arg.rstrip("_"), _type(one, types)) for one in node.args.args)
        rest = node.args.vararg
        result = _annotation(node.returns, types)
        for name in decorator.args:
            yield Signature(
                name=ast.literal_eval(name),
                module=module,
                python=node.name,
                parameters=parameters,
                required=len(parameters) - len(node.args.defaults),
                variadic=(rest.arg, _type(rest, types)) if rest else None,
                result=result or ANY,
                pure=flags.get("pure", True),
                mutates=flags.get("mutates", False),
                native=result is None,
                secret=_is_secret(node.returns)
                or (isinstance(result, Shape) and bool(result.secret)),
                needs=tuple(flags.get("needs", ())),
                doc=_first_line(node),
            )


def _type(argument: ast.arg, types: Mapping[str, Type]) -> Type:
    return _annotation(argument.annotation, types) or ANY


def _annotation(node: ast.expr | None, types: Mapping[str, Type]) -> Type | None:
    """The type that an annotation stands for; None for a class that is none of Python's own."""
    match node:
        case None:
            return ANY
        case ast.Name(id=name):
            return types.get(name)
        case ast.BinOp(left=left, right=ast.Constant(value=None)):
            return OneOf((_annotation(left, types) or ANY, NIL))
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            return ListOf(_annotation(item, types) or ANY)
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, value])):
            return MapOf(_annotation(value, types) or ANY)
    return None


def _is_secret(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Name) and node.id == "Secret"


def _first_line(node: ast.FunctionDef) -> str:
    return re.split(r"\n\s*\n", ast.get_docstring(node) or "")[0]
