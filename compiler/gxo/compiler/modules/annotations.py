"""Type annotations of a declaration, read from the syntax tree into the compiler's types.

    before:  dict[str, Literal["a", "b"]] | None
    after:   OneOf((MapOf(Choice(("a", "b"))), NIL))

A name means what the file says it means: a TypedDict or an alias of the file, something imported
from another file of the library, or one of the contract's words (`gxo.runtime.spec`).
"""

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import EllipsisType

from gxo.compiler.diagnostics import did_you_mean
from gxo.compiler.imports import origin
from gxo.compiler.modules.fault import DeclarationError
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Scalar,
    Shape,
    Special,
    Type,
)

WORDS: dict[str, Type] = {
    "str": TEXT,
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "Any": ANY,
    "None": NIL,
    "Record": MapOf(ANY),
    "Duration": Special("Duration"),
    "Size": Special("Size"),
    "WorkspacePath": Special("WorkspacePath"),
    "FileMode": Special("FileMode"),
    "Secret": Special("Secret"),
    "StreamName": Special("StreamName"),
    "FieldName": Special("FieldName"),
    "ColumnName": Special("ColumnName"),
    "Condition": Special("Condition"),
    "Steps": Special("Steps"),
    "Command": Scalar("text", "command"),
    "Argument": Scalar("text", "argument"),
    "ShellText": Scalar("text", "shell"),
    "SqlText": Scalar("text", "sql"),
    "Url": Scalar("text", "url"),
    "UrlValue": Scalar("any", "query"),
    "Message": Scalar("text", "message"),
    "Label": Scalar("text", "label"),
}
FORMS = "list[T], dict[str, T], Literal[...], T | None, a TypedDict, Each[T] or On[R, T]"

Load = Callable[[str], "SourceFile | None"]


@dataclass(slots=True)
class SourceFile:
    """One Python file of a library: its tree, and what its top-level names stand for.

    package: its import name; "" where nothing asks for it.
    """

    file: str
    tree: ast.Module
    lines: list[str]
    load: Load
    package: str = ""
    names: dict[str, ast.stmt] = field(default_factory=dict)
    resolved: dict[str, Type | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for statement in _top_level(self.tree):
            for name in _defined(statement):
                self.names[name] = statement

    def constant(self, name: str) -> ast.expr | None:
        """The expression that a top-level name is assigned, once."""
        match self.names.get(name):
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                return value
        return None

    def imported(self, name: str) -> "tuple[str, SourceFile] | None":
        """What a name that is imported from another file of the library is called there."""
        match self.names.get(name):
            case ast.ImportFrom(names=names) as statement:
                original = next(each.name for each in names if name in (each.asname, each.name))
                other = self.load(origin(statement, self.package))
                return None if other is None else (original, other)
        return None


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield a file's statements, and what it does for the type checker alone."""
    for statement in tree.body:
        match statement:
            case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from statement.body
            case _:
                yield statement


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name for alias in aliases]
    return []


def read_type(node: ast.expr, source: SourceFile) -> Type:
    """The type that an annotation means in its file; raises DeclarationError when it means none."""
    match node:
        case ast.Constant(value=None):
            return NIL
        case ast.Constant(value=str(text)):
            return read_type(_quoted(node, text), source)
        case ast.Name(id=name):
            return _named(node, name, source)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return union((read_type(left, source), read_type(right, source)))
        case ast.Subscript(value=ast.Name(id=form), slice=argument):
            return _subscript(node, form, argument, source)
    raise DeclarationError(node, f"`{ast.unparse(node)}` is no type of the contract", _use())


def _use() -> str:
    words = ", ".join(word for word in WORDS if word != "Steps")  # which no other module has
    return f"use one of {words}, or {FORMS}"


def _quoted(node: ast.expr, text: str) -> ast.expr:
    try:
        inner = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise DeclarationError(node, f"`{text}` is no type of the contract", _use()) from None
    for child in ast.walk(inner):
        ast.copy_location(child, node)
    return inner


def union(options: tuple[Type, ...]) -> Type:
    """The flat union of types, each once, in order."""
    flat: list[Type] = []
    for option in options:
        for one in option.options if isinstance(option, OneOf) else (option,):
            if one not in flat:
                flat.append(one)
    return flat[0] if len(flat) == 1 else OneOf(tuple(flat))


def _subscript(node: ast.Subscript, form: str, argument: ast.expr, source: SourceFile) -> Type:
    arguments = argument.elts if isinstance(argument, ast.Tuple) else [argument]
    match form, arguments:
        case ("list" | "Sequence", [item]):
            return ListOf(read_type(item, source))
        case ("dict" | "Mapping", [key, value]) if read_type(key, source) == TEXT:
            return MapOf(read_type(value, source))
        case ("Literal", _):
            return _literal(arguments)
        case ("Optional", [item]):
            return union((read_type(item, source), NIL))
        case ("Union", _):
            return union(tuple(read_type(item, source) for item in arguments))
        case ("Each", [item]):
            return PerRecord(read_type(item, source))
        case ("On", [dot, item]):
            return OnDot(read_type(dot, source), read_type(item, source))
    raise DeclarationError(node, f"`{ast.unparse(node)}` is no type of the contract", _use())


def _literal(arguments: list[ast.expr]) -> Type:
    values: list[str | int | bool] = []
    nil = False
    for argument in arguments:
        match argument:
            case ast.Constant(value=None):
                nil = True
            case ast.Constant(value=str() | int() as value):
                values.append(value)
            case _:
                shown = ast.unparse(argument)
                raise DeclarationError(argument, f"`{shown}` is no text, whole number or bool")
    choice = Choice(tuple(values))
    return union((choice, NIL)) if nil else choice


def _named(node: ast.expr, name: str, source: SourceFile) -> Type:
    if name not in source.resolved:
        if name not in source.names:
            if name in WORDS:
                return WORDS[name]
            slip = None if hasattr(builtins, name) else did_you_mean(name, [*source.names, *WORDS])
            raise DeclarationError(node, f"`{name}` is no type of the contract", slip or _use())
        source.resolved[name] = None  # being read: a type that contains itself meets this
        try:
            source.resolved[name] = _definition(node, name, source)
        except DeclarationError:
            del source.resolved[name]
            raise
    found = source.resolved[name]
    if found is None:
        raise DeclarationError(node, f"the type `{name}` contains itself", "use `dict[str, Any]`")
    return found


def _definition(node: ast.expr, name: str, source: SourceFile) -> Type:
    match source.names[name]:
        case ast.ClassDef() as definition:
            return _typed_dict(definition, source)
        case ast.ImportFrom() as statement:
            return _imported(node, name, origin(statement, source.package), statement, source)
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypedDict")) as call):
            return _functional(call, source)
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return ANY
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return read_type(value, source)
    raise DeclarationError(node, f"`{name}` is no type of the contract", _use())


def _imported(
    node: ast.expr, name: str, module: str, statement: ast.ImportFrom, source: SourceFile
) -> Type:
    original = next(each.name for each in statement.names if name in (each.asname, each.name))
    if module in ("typing", "gxo.runtime", "gxo.runtime.spec", "gxo.runtime.pipelines.steps"):
        if original in WORDS:
            return WORDS[original]
        if original in ("T", "R"):
            return ANY
    other = source.load(module)
    if other is None or original not in other.names:
        message = f"`{name}` from `{module}` is no type of the contract"
        raise DeclarationError(node, message, _use())
    try:
        return _named(node, original, other)
    except DeclarationError as error:  # its place is in the other file
        message = f"`{name}` from `{module}`: {error.message}"
        raise DeclarationError(node, message, error.hint) from None


class _Fields:
    """The fields of a TypedDict while it is read."""

    def __init__(self) -> None:
        self.types: dict[str, Type] = {}
        self.optional: set[str] = set()
        self.secret: set[str] = set()

    def inherit(self, base: Shape) -> None:
        self.types.update(base.fields)
        self.optional |= base.optional
        self.secret |= base.secret

    def add(self, name: str, annotation: ast.expr, total: bool, source: SourceFile) -> None:
        required = total
        match annotation:
            case ast.Subscript(value=ast.Name(id="Required" | "NotRequired" as mark), slice=inner):
                required = mark == "Required"
                annotation = inner
        kind = read_type(annotation, source)
        self.types[name] = kind
        (self.optional.discard if required else self.optional.add)(name)
        if Special("Secret") in (kind.options if isinstance(kind, OneOf) else (kind,)):
            self.secret.add(name)

    def shape(self, name: str) -> Shape:
        fields = tuple(self.types.items())
        return Shape(name, fields, frozenset(self.optional), frozenset(self.secret))


def _typed_dict(definition: ast.ClassDef, source: SourceFile) -> Shape:
    fields = _Fields()
    total = _total(definition.keywords)
    plain = False
    for base in definition.bases:
        if isinstance(base, ast.Name) and base.id == "TypedDict":
            plain = True
            continue
        inherited = read_type(base, source)
        if not isinstance(inherited, Shape):
            raise DeclarationError(base, f"`{ast.unparse(base)}` is no TypedDict")
        fields.inherit(inherited)
        plain = True
    if not plain:
        raise DeclarationError(definition, f"`{definition.name}` is no TypedDict", _use())
    for statement in definition.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                fields.add(name, annotation, total, source)
            case ast.Expr(value=ast.Constant(value=str() | EllipsisType())) | ast.Pass():
                pass
            case _:
                raise DeclarationError(statement, "a TypedDict holds nothing but `name: type`")
    return fields.shape(definition.name)


def _functional(call: ast.Call, source: SourceFile) -> Shape:
    """`TypedDict("Basic", {"pass": str})`: for field names that Python keeps for itself."""
    match call.args:
        case [ast.Constant(value=str(name)), ast.Dict(keys=keys, values=values)]:
            fields = _Fields()
            for key, annotation in zip(keys, values, strict=True):
                match key:
                    case ast.Constant(value=str(text)):
                        fields.add(text, annotation, _total(call.keywords), source)
                    case _:
                        raise DeclarationError(call, "a field's name is not a literal text")
            return fields.shape(name)
    raise DeclarationError(call, 'write `TypedDict("Name", {"field": type})`')


def _total(keywords: list[ast.keyword]) -> bool:
    for keyword in keywords:
        match keyword:
            case ast.keyword(arg="total", value=ast.Constant(value=bool(total))):
                return total
        raise DeclarationError(keyword, "the only option of a TypedDict is `total`")
    return True
