"""What a test knows of the playbook that it includes (language, section 10).

    deploy.gxo.yaml   inputs: {port: {type: int}}   workloads: [{name: build, register: built, ...}]
    the test          vars: {port: 8080}            {{ .included.workloads.build.summary.stdout }}

Its inputs and vars give the parameter `vars` of the workload `included` a type, and its workloads
the summary: a value or a field that the playbook does not have is a mistake in the test.
"""

from collections.abc import Iterator, Mapping

from gxo.compiler.diagnostics import Diagnostics, Note, did_you_mean, nearest
from gxo.compiler.frontend.playbook import TestDecl
from gxo.compiler.frontend.testing import INCLUDE, INCLUDED
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Computed, Constant, Fields, InputDef, Items, Plan, Value, Workload
from gxo.compiler.ir.value_types import register_type
from gxo.compiler.ir.walk import computed, every_call, every_workload, plan_templates
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.template.check import STATUSES
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
    Shape,
    Type,
    one_of,
    type_of_value,
)

UNKNOWN_VAR, MISSING_INPUT, NOT_A_MODULE = "GXO0552", "GXO0553", "GXO0557"
NOT_LOOKED_AT, UNUSED_SECRET = "GXO0554", "GXO0555"

_STATUS = Choice(("Completed", "Failed", "Cancelled"))
"""How a job can end."""
_RESULT: tuple[tuple[str, Type], ...] = (
    ("status", Choice(STATUSES)),
    ("reason", one_of((TEXT, NIL))),
    ("error", one_of((TEXT, NIL))),
    ("attempts", INT),
    ("iterations", one_of((INT, NIL))),
    ("records_in", INT),
    ("records_out", INT),
)
_INPUT_TYPES: Mapping[str, Type] = {
    "string": TEXT,
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "list": ListOf(ANY),
    "map": MapOf(ANY),
}


def with_included(test: Plan, included: Plan, diagnostics: Diagnostics) -> Plan:
    """The test's plan before any pass, with the types of what it gives the playbook and gets back.

    included: the playbook's plan after all passes. What the test gives it is checked by name.
    """

    def typed(workload: Workload) -> Workload:
        if not is_include(workload) or workload.module is None:
            return workload
        _check_vars(workload, test, included, diagnostics)
        return replace(workload, module=_typed(workload.module, included))

    return replace(test, workloads=tuple(map(typed, test.workloads)))


def is_include(workload: Workload) -> bool:
    """Whether it is the workload that the key `include` makes."""
    return workload.module is not None and workload.module.name == INCLUDE


def _typed(module: ModuleSpec, included: Plan) -> ModuleSpec:
    assert isinstance(module.summary, Shape)
    results = Shape(
        "workloads", tuple((one.name, _result(one)) for one in every_workload(included))
    )
    known: dict[str, Type] = {"workloads": results, "status": _STATUS}
    fields = tuple((name, known.get(name, type_)) for name, type_ in module.summary.fields)
    given = tuple(_given(included))
    vars_ = Shape("vars", given, optional=frozenset(name for name, _ in given), open=True)
    params = tuple(
        replace(param, type=vars_) if param.name == "vars" else param for param in module.params
    )
    return replace(module, summary=replace(module.summary, fields=fields), params=params)


def _result(workload: Workload) -> Shape:
    """How a workload ends; one that has not registered anything has no summary."""
    if workload.register is None:
        return Shape("result", _RESULT)
    fields = (*_RESULT, ("summary", register_type(workload)))
    return Shape("result", fields, optional=frozenset(("summary",)))


# What the test gives ------------------------------------------------------------------------------


def _given(included: Plan) -> Iterator[tuple[str, Type]]:
    """The inputs and vars that can be given, and what each takes."""
    for one in included.inputs:
        if not one.secret:
            yield one.name, _input_type(one)
    for var in included.vars:
        yield var.name, _var_type(var.value)


def _input_type(decl: InputDef) -> Type:
    choices = [
        option.value
        for option in decl.enum
        if isinstance(option, Constant) and isinstance(option.value, str | int)
    ]
    return Choice(tuple(choices)) if choices else _INPUT_TYPES.get(decl.type, ANY)


def _var_type(value: Value) -> Type:
    """Of what can stand in place of a var's value: of a template a text, of others their like."""
    match value:
        case Constant(constant):
            return ANY if constant is None else type_of_value(constant)
        case Items() if not computed(value):
            return ListOf(ANY)
        case Fields() if not computed(value):
            return MapOf(ANY)
        case Computed():
            return TEXT
    return ANY


def _check_vars(workload: Workload, test: Plan, included: Plan, diagnostics: Diagnostics) -> None:
    """Report names that the playbook does not take, and inputs that it must be given."""
    vars_ = workload.decl.params.get("vars") if workload.decl.params else None
    keys = {one.key.text.value: one.key.span for one in getattr(vars_, "entries", ())}
    known = [name for name, _ in _given(included)]
    secret = {one.name for one in included.inputs if one.secret}
    meant = {nearest(name, known) for name in keys}  # a slip is one mistake
    for name, span in keys.items():
        if name in secret:
            message = f"the input `{name}` of {included.name} is secret"
            diagnostics.error(UNKNOWN_VAR, span, message, "give it under `secrets`")
        elif name not in known:
            message = f"{included.name} has no input or var `{name}`"
            hint = did_you_mean(name, known) or f"it has: {', '.join(known) or 'none'}"
            diagnostics.error(UNKNOWN_VAR, span, message, hint)
    secrets = {name for name, _ in test.test.secrets} if test.test else set()
    for decl in included.inputs:
        given = decl.name in (secrets if decl.secret else keys)
        if decl.default is None and not given and decl.name not in meant:
            where = "secrets" if decl.secret else "vars"
            message = f"{included.name} needs the input `{decl.name}`"
            hint = f"give it: {where}: {{{decl.name}: ...}}"
            note = Note(decl.span, "it is declared here, without a default")
            diagnostics.error(MISSING_INPUT, workload.span, message, hint, [note])


# What the test looks at ---------------------------------------------------------------------------


def check_used(test: Plan, decl: TestDecl, included: Plan | None, diagnostics: Diagnostics) -> None:
    """Warn of secrets that nobody reads, and of a test that passes whatever the playbook does.

    The plans after all passes; there are no errors in them.
    """
    read = {*test.secrets, *(included.secrets if included else ())}
    for name, _ in decl.secrets:
        if name.text not in read:
            message = f"nothing reads the secret `{name.text}`"
            hint = did_you_mean(name.text, read) or "take it out"
            diagnostics.warning(UNUSED_SECRET, name.span, message, hint)
    if included and not _is_looked_at(test):
        span = next(one.span for one in test.workloads if is_include(one))
        message = f"nothing looks at how {included.name} ends: the test passes if it fails"
        hint = 'assert that `{{ .included.status }}` is equal_to "Completed"'
        diagnostics.warning(NOT_LOOKED_AT, span, message, hint)


def _is_looked_at(test: Plan) -> bool:
    return any(
        INCLUDED in one.references.registers | one.references.summaries
        for one in plan_templates(test)
    )


def check_modules(test: Plan, diagnostics: Diagnostics) -> None:
    """Report `test:include` where the playbook itself names the module."""
    for workload in every_call(test):
        if is_include(workload) and workload.decl.module.span != workload.span:
            message = f"{INCLUDE} is no module to write: the key `include` makes it one"
            hint = "write include: PATH at the top of the test playbook"
            diagnostics.error(NOT_A_MODULE, workload.decl.module.span, message, hint)
