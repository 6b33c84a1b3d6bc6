"""Reads module declarations from a library file's syntax tree; nothing is imported, nothing runs.

    before:  @module("control:sleep", changes=False)
             async def sleep(ctx: Context, *, duration: Duration) -> Slept: ...
    after:   ModuleSpec("control:sleep", params=(duration: Duration,), summary=Shape("Slept", ...))

A declaration that breaks the contract (architecture, "The module contract") is a diagnostic at its
line in the library file, and that module is left out.
"""

import ast
import re

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean
from gxo.compiler.imports import origin, quietly
from gxo.compiler.modules.annotations import Load, SourceFile, read_type
from gxo.compiler.modules.conforms import mismatches
from gxo.compiler.modules.decorator import Decorator, literal, read_decorator
from gxo.compiler.modules.docstrings import read_docstring
from gxo.compiler.modules.fault import DeclarationError, each_of, flat, span_of
from gxo.compiler.modules.spec import (
    RECORD_VALUES,
    RECORDS,
    USERS,
    Kernel,
    ModuleSpec,
    Options,
    ParamSpec,
    Port,
)
from gxo.compiler.types import (
    ANY,
    BOOL,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Shape,
    Special,
    Type,
    without_nil,
)

BROKEN, UNDOCUMENTED = "GXO0590", "GXO0522"

_UNITS = {
    "Duration": "write it in seconds, as in 30.0",
    "Size": "write it in bytes, as in 10 * 1024",
}

_PORT_TYPES: dict[str, str] = {"records": "Records", "inputs": "Inputs", "out": "Out"}


def parse_file(
    text: str, file: str, load: Load, diags: Diagnostics, package: str = ""
) -> SourceFile | None:
    """The tree of a library's file, by import name `package`; a syntax error is a diagnostic."""
    try:
        with quietly():
            tree = ast.parse(text, file)
            if package.startswith(f"{USERS}."):
                # Some of what is no Python is found later, as an encoding, or `return` at the top.
                compile(text.encode(), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = max(getattr(error, "lineno", None) or 1, 1)
        column = max(getattr(error, "offset", None) or 1, 1)
        span = Span(file, line, column, line, column + 1)
        diags.error(BROKEN, span, f"this module file is no Python: {error.args[0]}")
        return None
    return SourceFile(file, tree, text.splitlines(), load, package)


def read_modules(source: SourceFile, package: str, diags: Diagnostics) -> tuple[ModuleSpec, ...]:
    """Every module that a file declares, in its order; `package` is the file's import name."""
    specs: list[ModuleSpec] = []
    for statement in source.tree.body:
        if not isinstance(statement, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        try:
            decorator = read_decorator(statement, source)
            if decorator is not None:
                _check_new(decorator, specs)
                spec = _read_module(statement, decorator, source, package)
                _check_user(spec, decorator, diags)
                specs.append(spec)
        except* DeclarationError as faults:
            for fault in flat(faults):
                span = span_of(fault.node, source.file, source.lines)
                message = f"module `{statement.name}`: {fault.message}"
                diags.error(BROKEN, span, message, fault.hint)
    return tuple(specs)


def _check_user(spec: ModuleSpec, decorator: Decorator, diags: Diagnostics) -> None:
    """What gxo's own modules may do, and what its tests ask of them, differs for a user's own."""
    if not spec.is_users:
        return
    for name in ("head", "inline", "tail", "summary", "fresh", "native", "pauses"):
        if getattr(decorator, name):
            message = f"`{name}` is for gxo's own modules"
            raise DeclarationError(decorator.node, message, "leave it out")
    for param in spec.params:
        if any(kind == Special("Steps") for kind in _options(param.type)):
            message = f"the parameter `{param.name}` cannot hold steps"
            raise DeclarationError(decorator.node, message, "only `stream:pipeline` takes them")
    missing = [] if spec.doc.summary else ["has no docstring"]
    undescribed = [f"`{param.name}`" for param in spec.params if not param.doc]
    if undescribed:
        missing.append(f"does not say what {', '.join(undescribed)} is for")
    if missing:
        message = f"the module `{spec.name}` {' and '.join(missing)}"
        hint = "`gxo modules` shows its docstring; parameters are described below `Args:`"
        diags.warning(UNDOCUMENTED, spec.span, message, hint)


def _options(kind: Type) -> tuple[Type, ...]:
    return kind.options if isinstance(kind, OneOf) else (kind,)


def _check_new(decorator: Decorator, before: list[ModuleSpec]) -> None:
    for spec in before:
        if spec.name == decorator.name:
            message = f"`{spec.name}` is declared in line {spec.span.line} too"
            raise DeclarationError(decorator.node, message, "rename one of them")


def _read_module(
    definition: ast.AsyncFunctionDef | ast.FunctionDef,
    decorator: Decorator,
    source: SourceFile,
    package: str,
) -> ModuleSpec:
    if isinstance(definition, ast.FunctionDef):
        raise DeclarationError(definition, "a module is an `async def`")
    arguments = definition.args
    ports, optional_ports = _read_ports(definition)
    doc, descriptions = read_docstring(definition, [each.arg for each in arguments.kwonlyargs])
    params = _read_params(arguments, descriptions, source)
    values = _read_values(arguments, source)
    summary, name, returns_values = _read_summary(definition, source)
    _check_decorator(decorator, params, ports)
    _check_contents(decorator, summary, ports)
    _check_kernel(decorator, source)
    return ModuleSpec(
        name=decorator.name,
        function=definition.name,
        source=package,
        params=params,
        values=values,
        summary=summary,
        summary_name=name,
        summary_source=_defined_in(definition.returns, source, package),
        returns_values=returns_values,
        ports=ports,
        optional_ports=optional_ports,
        emits_when=decorator.emits_when,
        reads_when=decorator.reads_when,
        lifecycles=decorator.lifecycles,
        changes=decorator.changes,
        effects=decorator.effects,
        environment=decorator.environment,
        idempotent=decorator.idempotent,
        needs=decorator.needs,
        native=decorator.native,
        one_of=decorator.one_of,
        at_most_one=decorator.at_most_one,
        requires=decorator.requires,
        options=decorator.options,
        retry_after_records=decorator.retry_after_records,
        per_record=decorator.per_record,
        background=decorator.background,
        pauses=decorator.pauses,
        handle=decorator.handle,
        returns=decorator.returns,
        sends=decorator.sends,
        keeps=decorator.keeps,
        drops=decorator.drops,
        kernel=_read_kernel(decorator, ports),
        doc=doc,
        span=_name_span(definition, source),
    )


def _check_kernel(decorator: Decorator, source: SourceFile) -> None:
    """The file has what the decorator names for a fused loop, and a module is one thing in it."""
    kinds = [decorator.head, decorator.inline or None, decorator.tail]
    if len(kinds) - kinds.count(None) > 1:
        message = "a module is one of `head`, `inline` and `tail`"
        raise DeclarationError(decorator.node, message)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = {each.name for each in source.tree.body if isinstance(each, functions)}
    for name in (*kinds, decorator.summary):
        if isinstance(name, str) and name not in defined:
            message = f"the file has no `{name}` that could be a part of a loop"
            raise DeclarationError(decorator.node, message, did_you_mean(name, defined))


def _read_kernel(decorator: Decorator, ports: tuple[Port, ...]) -> Kernel | None:
    """What the decorator says of a fused loop."""
    reads = tuple(port for port in ports if port != "out")
    sends = tuple(port for port in ports if port == "out")
    summary = decorator.summary or ""
    if decorator.head:
        return Kernel("head", decorator.head, reads, summary, decorator.fresh)
    if decorator.tail:
        return Kernel("tail", decorator.tail, sends, summary, fresh=False)
    if decorator.inline:
        name = decorator.inline if isinstance(decorator.inline, str) else ""
        return Kernel("inline", name, (), summary, fresh=False)
    return None


def _name_span(definition: ast.AsyncFunctionDef, source: SourceFile) -> Span:
    line = source.lines[definition.lineno - 1]
    start = re.compile(rf"def\s+({re.escape(definition.name)})").search(line)
    column = start.start(1) + 1 if start else 1
    end = column + len(definition.name)
    return Span(source.file, definition.lineno, column, definition.lineno, end)


def _read_ports(
    definition: ast.AsyncFunctionDef,
) -> tuple[tuple[Port, ...], frozenset[Port]]:
    """The positional parameters: `ctx`, then `records` or `inputs`, then `out`."""
    arguments = definition.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if not positional or positional[0].arg != "ctx":
        where = positional[0] if positional else definition
        raise DeclarationError(where, "the first parameter is `ctx: Context`")
    if arguments.vararg is not None:
        raise DeclarationError(arguments.vararg, "a module takes no `*args`")
    first_default = len(positional) - len(arguments.defaults)
    ports: list[Port] = []
    optional: set[Port] = set()
    for index, argument in enumerate(positional[1:], 1):
        port = _read_port(argument, index >= first_default)
        ports.append(port)
        if index >= first_default:
            optional.add(port)
    if ports not in ([], ["records"], ["inputs"], ["out"], ["records", "out"], ["inputs", "out"]):
        message = "the ports are `records` or `inputs`, then `out`"
        raise DeclarationError(positional[1], message)
    return tuple(ports), frozenset(optional)


def _read_port(argument: ast.arg, optional: bool) -> Port:
    match argument.arg:
        case "records" | "inputs" | "out" as port:
            written = ast.unparse(argument.annotation) if argument.annotation else ""
            kind = _PORT_TYPES[port]
            expected = f"{kind} | None" if optional or port == "out" else kind
            if written == expected:
                return port
            form = f"{port}: {expected}{' = None' if optional else ''}"
            raise DeclarationError(argument, f"the port is declared as `{form}`")
    message = f"`{argument.arg}` is no port, and parameters are keyword-only"
    raise DeclarationError(argument, message, "put `*` before the parameters")


def _read_params(
    arguments: ast.arguments, descriptions: dict[str, str], source: SourceFile
) -> tuple[ParamSpec, ...]:
    """The parameters; raises what is wrong with any of them as one group."""

    def read(argument: ast.arg, default: ast.expr | None) -> ParamSpec:
        python = argument.arg
        kind = _annotation(argument, source)
        return ParamSpec(
            name=python.removesuffix("_"),
            python=python,
            type=kind,
            required=default is None,
            default=None if default is None else _default(default, kind, source),
            doc=descriptions.get(python, ""),
            span=span_of(argument, source.file, source.lines),
        )

    return tuple(each_of(read, arguments.kwonlyargs, arguments.kw_defaults))


def _default(node: ast.expr, kind: Type, source: SourceFile) -> object:
    """The default, which must be of the parameter's type, as Python puts it in unconverted."""
    value = literal(node, source)
    if not isinstance(kind, PerRecord | OnDot) and any(mismatches(_with_lists(value), kind)):
        hint = _UNITS.get(kind.name) if isinstance(kind, Special) else None
        raise DeclarationError(node, f"the default `{ast.unparse(node)}` is not of this type", hint)
    return value


def _with_lists(literal: object) -> object:
    match literal:
        case tuple():
            return [_with_lists(each) for each in literal]
        case dict():
            return {name: _with_lists(each) for name, each in literal.items()}
    return literal


def _annotation(argument: ast.arg, source: SourceFile) -> Type:
    if argument.annotation is None:
        raise DeclarationError(argument, f"the parameter `{argument.arg}` has no type")
    return read_type(argument.annotation, source)


def _read_values(arguments: ast.arguments, source: SourceFile) -> Type | None:
    if arguments.kwarg is None:
        return None
    if not arguments.posonlyargs:
        message = "with `**values`, a playbook could give a parameter `ctx`"
        raise DeclarationError(arguments.kwarg, message, "put `/` after the ports")
    return _annotation(arguments.kwarg, source)


def _read_summary(
    definition: ast.AsyncFunctionDef, source: SourceFile
) -> tuple[Shape | MapOf, str, bool]:
    """The summary's type, its name in Python ("" for a plain map), and whether it echoes."""
    returned = definition.returns
    if returned is None:
        raise DeclarationError(definition, "the summary has no type", "write `-> Written:`")
    match read_type(returned, source):
        case Shape() as shape:
            dry = (*(each for each in shape.fields if each[0] != "dry_run"), ("dry_run", BOOL))
            optional = shape.optional | {"dry_run"}
            return Shape(shape.name, dry, optional, shape.secret), ast.unparse(returned), False
        case MapOf(value) as free:
            kwarg = definition.args.kwarg
            return free, "", kwarg is not None and _is_echo(returned, kwarg, value)
    message = f"a summary is a TypedDict, not `{ast.unparse(returned)}`"
    raise DeclarationError(returned, message)


def _defined_in(returned: ast.expr | None, source: SourceFile, package: str) -> str:
    """The file that a summary's name is imported from, as mypy lets nobody take it from another.

    gxo's own files say which names they pass on.
    """
    match returned:
        case ast.Name(id=name) if package.startswith(f"{USERS}."):
            match source.names.get(name):
                case ast.ImportFrom() as statement:
                    return origin(statement, package)
    return package


def _is_echo(returned: ast.expr, kwarg: ast.arg, value: Type) -> bool:
    """`**values: T` and `-> dict[str, T]`: what comes out is what went in."""
    match returned, kwarg.annotation:
        case ast.Subscript(slice=ast.Tuple(elts=[_, ast.Name(id=out)])), ast.Name(id=into):
            return out == into and out != "Any" and value == ANY
    return False


def _check_decorator(
    decorator: Decorator, params: tuple[ParamSpec, ...], ports: tuple[Port, ...]
) -> None:
    """The decorator names parameters, keys of them, and ports that the signature has."""
    named = [
        *((name, "effects") for one in decorator.effects for name in one.params),
        *((name, "environment") for name in _asked(decorator.environment)),
        *((name, "emits_when") for name in [decorator.emits_when] if name),
        *((name, "reads_when") for name in [decorator.reads_when] if name),
        *((need.param, "needs") for need in decorator.needs if need.param),
        *((name, "one_of") for name in decorator.one_of),
        *((name, "at_most_one") for names in decorator.at_most_one for name in names),
        *((name, "requires") for one, others in decorator.requires for name in (one, *others)),
        *((name, "options") for name in _optional(decorator.options)),
        *((name, "keeps") for name in [decorator.keeps] if name),
        *((name, "drops") for name in [decorator.drops] if name),
        *((name, "sends") for name in decorator.sends),
        *((name, "returns") for name in _returned(decorator)),
    ]
    for name, option in named:
        if name not in (RECORDS, RECORD_VALUES):
            _check_named(decorator, name, option, params)
    if decorator.per_record and not {"records", "out"} <= set(ports):
        raise DeclarationError(decorator.node, "`per_record` needs the ports `records` and `out`")
    if decorator.emits_when and "out" not in ports:
        raise DeclarationError(decorator.node, "`emits_when` needs the port `out`")
    if decorator.reads_when and not {"records", "inputs"} & set(ports):
        raise DeclarationError(decorator.node, "`reads_when` needs the port `records` or `inputs`")


def _check_named(
    decorator: Decorator, name: str, option: str, params: tuple[ParamSpec, ...]
) -> None:
    """`name` is a parameter, or a key of one whose keys are declared."""
    types = {param.name: param.type for param in params}
    what = "parameter"
    for part in name.split("."):
        if part not in types:
            message = f"`{option}` names `{part}`, which is no {what}"
            raise DeclarationError(decorator.node, message, did_you_mean(part, types))
        type_ = without_nil(types[part])
        if isinstance(type_, ListOf):
            type_ = without_nil(type_.item)
        if not isinstance(type_, Shape) or type_.open:
            return
        what, types = f"key of `{part}`", dict(type_.fields)


def _asked(environment: tuple[str, ...]) -> list[str]:
    """The parameters, or keys of them, that conditions of variables are about."""
    conditions = (each.partition("; ")[2] for each in environment)
    return [each.partition(" == ")[0] for each in conditions if each]


def _optional(options: Options | None) -> list[str]:
    return [options.param, options.choice] if options else []


def _returned(decorator: Decorator) -> list[str]:
    return [source for _, sources in decorator.returns for source in sources]


def _check_contents(decorator: Decorator, summary: Shape | MapOf, ports: tuple[Port, ...]) -> None:
    """`returns` and `handle` name fields of the summary, `sends` needs a stream to send."""
    known = [name for name, _ in summary.fields] if isinstance(summary, Shape) else []
    named = [("returns", name) for name, _ in decorator.returns]
    named += [("handle", decorator.handle)] if decorator.handle is not None else []
    for option, name in named:
        if name not in known:
            message = f"`{option}` names `{name}`, which is no field of the summary"
            raise DeclarationError(decorator.node, message, did_you_mean(name, known))
    if (decorator.sends or decorator.keeps or decorator.drops) and "out" not in ports:
        raise DeclarationError(decorator.node, "`sends` needs the port `out`")
