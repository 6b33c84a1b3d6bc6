"""What a JSON Schema cannot say about a playbook: names, paths, and inputs that fit their types.

References (to registers, workloads, inputs) are not looked at here: they need the templates.
"""

from collections.abc import Iterator
from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.frontend.playbook import AllowedPath, InputDecl, Name, Playbook, WorkloadDecl
from gxo.compiler.frontend.schema import shown
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, Sequence
from gxo.runtime.errors import ExpressionError
from gxo.runtime.regex import matches_whole

DEFAULT_LOOP_VARIABLE = "item"
_MOST_PARTS, _MOST_RECURSIVE = 100, 2
"""Of a path: more are not looked for in bounded time and depth of calls."""

_TYPE_NOUNS = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "map": "a map",
}


def check(playbook: Playbook, diags: Diagnostics) -> None:
    """Report every breach of a rule; the playbook may have parts that are missing already."""
    workloads = list(_all_workloads(playbook.workloads)) + list(_all_workloads(playbook.cleanup))
    _check_workload_names(workloads, diags)
    names = _check_names(playbook, workloads, diags)
    for workload in workloads:
        _check_loop_variables(workload, names, diags)
        _check_step_ids(workload, names, diags)
    for declaration in playbook.inputs:
        _check_input(declaration, diags)
    for paths in (playbook.allow_paths, *(workload.allow_paths for workload in workloads)):
        _check_allowed(paths or (), diags)
    for path in playbook.assets:
        check_path(path, "an asset is below the playbook's folder", diags)
    for path in playbook.outputs:
        check_path(path, "an output is below the workspace", diags)


def _all_workloads(workloads: tuple[WorkloadDecl, ...]) -> Iterator[WorkloadDecl]:
    for workload in workloads:
        yield workload
        yield from _all_workloads(workload.on_failure)


def _check_workload_names(workloads: list[WorkloadDecl], diags: Diagnostics) -> None:
    first: dict[str, Name] = {}
    for workload in workloads:
        name = workload.name
        if first.setdefault(name.text, name) is not name:
            message = f'two workloads are named "{name.text}"'
            note = Note(first[name.text].span, "the first one is here")
            diags.error("GXO0310", name.span, message, "give each its own name", [note])


def _check_names(
    playbook: Playbook, workloads: list[WorkloadDecl], diags: Diagnostics
) -> dict[str, tuple[str, Name]]:
    """Inputs, vars and registers share one space of names. Returns each name's kind and place."""
    names: dict[str, tuple[str, Name]] = {}
    declared = [("an input", declaration.name) for declaration in playbook.inputs]
    declared += [("a var", declaration.name) for declaration in playbook.vars]
    declared += [("a register", workload.register) for workload in workloads if workload.register]
    for kind, name in declared:
        if name.text.startswith("_gxo"):
            message = f'"{name.text}" is reserved: names that begin with _gxo are gxo\'s own'
            diags.error("GXO0313", name.span, message, "choose another name")
        elif name.text in names:
            _report_collision(kind, name, names[name.text], diags)
        names.setdefault(name.text, (kind, name))
    return names


def _report_collision(kind: str, name: Name, first: tuple[str, Name], diags: Diagnostics) -> None:
    first_kind, first_name = first
    note = Note(first_name.span, "it is declared here first")
    if kind == first_kind:
        message = f'two workloads register their result as "{name.text}"'
        diags.error("GXO0311", name.span, message, "give each its own register", [note])
    else:
        message = f'"{name.text}" is {kind} here and {first_kind} already'
        hint = "inputs, vars and registers share their names"
        diags.error("GXO0312", name.span, message, hint, [note])


def _check_loop_variables(
    workload: WorkloadDecl, names: dict[str, tuple[str, Name]], diags: Diagnostics
) -> None:
    if workload.loop is None:
        return
    control = workload.loop_control
    default = Name(DEFAULT_LOOP_VARIABLE, workload.loop.span)
    variables = [(control.loop_var if control else None) or default]
    if control and control.index_var:
        variables.append(control.index_var)
        if control.index_var.text == variables[0].text:
            message = f'loop_var and index_var are both "{control.index_var.text}"'
            diags.error("GXO0312", control.index_var.span, message, "give them different names")
    hint = "give the variable another name with loop_control: {loop_var: ...}"
    for variable in variables:
        _check_inner_name("loop variable", variable, names, hint, diags)


def _check_step_ids(
    workload: WorkloadDecl, names: dict[str, tuple[str, Name]], diags: Diagnostics
) -> None:
    first: dict[str, Name] = {}
    for name in (step.name for step in workload.steps):
        if first.setdefault(name.text, name) is not name:
            message = f'two steps have the id "{name.text}"'
            note = Note(first[name.text].span, "the first one is here")
            diags.error("GXO0310", name.span, message, "give each its own id", [note])
        else:
            _check_inner_name("step", name, names, "give the step another id", diags)


def _check_inner_name(
    what: str, inner: Name, names: dict[str, tuple[str, Name]], hint: str, diags: Diagnostics
) -> None:
    """A name that means something in a part of the playbook, where it hides an outer one."""
    if inner.text.startswith("_gxo"):
        message = f'"{inner.text}" is reserved: names that begin with _gxo are gxo\'s own'
        diags.error("GXO0313", inner.span, message, "choose another name")
    elif inner.text in names:
        kind, name = names[inner.text]
        note = Note(name.span, f"{kind} of this name is declared here")
        message = f'the {what} "{inner.text}" hides {kind}'
        diags.warning("GXO0314", inner.span, message, hint, [note])


def _check_input(declaration: InputDecl, diags: Diagnostics) -> None:
    if declaration.secret:
        _check_secret(declaration, diags)
        declaration = replace(declaration, default=None, enum=())
    pattern, default = declaration.pattern, declaration.default
    if not declaration.type:
        return
    for value in declaration.enum:
        _check_type(value, declaration, "the choice", diags)
    if default is not None and _check_type(default, declaration, "the default", diags):
        _check_choice(default, declaration, diags)
    if pattern is not None:
        _check_pattern(pattern, declaration, diags)


def _check_secret(declaration: InputDecl, diags: Diagnostics) -> None:
    """A secret is a text that is in no playbook."""
    name, default = declaration.name, declaration.default
    if declaration.type != "string":
        message = f'the input "{name.text}" is secret, and only texts can be'
        hint = "declare type: string; a template reads a number with int, a document with fromJson"
        diags.error("GXO0211", name.span, message, hint)
    if default is not None:
        message = f'the secret input "{name.text}" cannot have a default'
        diags.error("GXO0211", default.span, message, "remove the default")
    if declaration.enum:
        message = f'the secret input "{name.text}" cannot have an enum'
        diags.error("GXO0211", declaration.enum[0].span, message, "its choices would be no secret")


def _check_type(node: Node, declaration: InputDecl, what: str, diags: Diagnostics) -> bool:
    if _fits(node, declaration.type):
        return True
    name, noun = declaration.name.text, _TYPE_NOUNS[declaration.type]
    message = f'{what} of the input "{name}" must be {noun}'
    hint = None
    if declaration.type == "string" and isinstance(node, Scalar) and node.value is not None:
        hint = f'put it in quotes: "{shown(node.text.value)}"'
    diags.error("GXO0211", node.span, message, hint)
    return False


def _fits(node: Node, type_: str) -> bool:
    if type_ in ("list", "map"):
        return isinstance(node, Sequence if type_ == "list" else Mapping)
    if not isinstance(node, Scalar):
        return False
    value = node.value
    match type_:
        case "string":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _check_choice(default: Node, declaration: InputDecl, diags: Diagnostics) -> None:
    allowed = [value.value for value in declaration.enum if isinstance(value, Scalar)]
    if allowed and isinstance(default, Scalar) and default.value not in allowed:
        message = f'the default of the input "{declaration.name.text}" is not one of its enum'
        hint = f"one of: {', '.join(shown(str(value)) for value in allowed)}"
        diags.error("GXO0211", default.span, message, hint)


def _check_pattern(pattern: str, declaration: InputDecl, diags: Diagnostics) -> None:
    name, default = declaration.name, declaration.default
    if declaration.type != "string":
        message = f'the input "{name.text}" has a pattern, but only texts can have one'
        diags.error("GXO0211", name.span, message, "remove the pattern, or declare type: string")
        return
    try:
        matches = isinstance(default, Scalar) and matches_whole(pattern, str(default.value))
    except ExpressionError as error:
        message = f'the pattern of the input "{name.text}" is no regular expression'
        diags.error("GXO0211", name.span, message, error.message)
        return
    if isinstance(default, Scalar) and not matches:
        message = f'the default of the input "{name.text}" does not match its pattern'
        diags.error("GXO0211", default.span, message, f"the pattern is {shown(pattern)}")


def check_path(path: Name, rule: str, diags: Diagnostics) -> None:
    """Report a path, or a pattern of paths, that could lead out of the folder it is below."""
    parts = path.text.split("/")
    if len(parts) > _MOST_PARTS or parts.count("**") > _MOST_RECURSIVE:
        message = f"a path has at most {_MOST_PARTS} parts, and {_MOST_RECURSIVE} of them are `**`"
        diags.error("GXO0210", path.span, message, "write a shorter path")
    elif path.text.startswith(("/", "~")) or ".." in parts:
        message = f'"{shown(path.text)}" leaves its folder'
        diags.error("GXO0210", path.span, message, f"{rule}: write a path without / first and ..")
    elif "{{" in path.text:
        diags.error("GXO0204", path.span, "a template cannot stand here", "write the path itself")


def _check_allowed(paths: tuple[AllowedPath, ...], diags: Diagnostics) -> None:
    """A path is literal and absolute, and listed once; writing to a folder is writing below it."""
    known: dict[str, AllowedPath] = {}
    for allowed in paths:
        path = allowed.path
        if "{{" in path.text or "${" in path.text:
            hint = "write the path itself: it must be known before anything runs"
            diags.error("GXO0204", path.span, "a template cannot stand here", hint)
        elif not path.text.startswith("/") or ".." in path.text.split("/"):
            message = f'"{shown(path.text)}" is no absolute path without ..'
            diags.error("GXO0233", path.span, message, "write where it is from / on")
        elif allowed.normal in known:
            note = Note(known[allowed.normal].path.span, "the first one is here")
            message = f'"{shown(path.text)}" is listed twice in allow_paths'
            diags.error("GXO0209", path.span, message, None, [note])
        known.setdefault(allowed.normal, allowed)
    for allowed in known.values():
        _check_inside_writable(allowed, known, diags)


def _check_inside_writable(
    inner: AllowedPath, known: dict[str, AllowedPath], diags: Diagnostics
) -> None:
    for path, outer in known.items():
        inside = inner.normal != path and inner.normal.startswith(path.rstrip("/") + "/")
        if inside and (inner.access, outer.access) == ("ro", "rw"):
            message = f'"{shown(inner.path.text)}" cannot be read-only: it is inside {shown(path)}'
            note = Note(outer.path.span, "everything in here may be changed")
            hint = "take it out, or allow only those parts of the folder that are to be changed"
            diags.error("GXO0234", inner.path.span, message, hint, [note])
