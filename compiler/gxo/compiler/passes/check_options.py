"""Check parameters, and parts of one, that depend on each other, as the module declares it.

before:  format: csv, format_options: {pattern: x}     (`options` of data:parse)
after:   error: "pattern" of "format_options" does not apply to format "csv"

before:  source: a, no destination     (`requires` of crypto:encrypt)
after:   error: "source" needs "destination" beside it

before:  format: csv, format_options: {headers: [a, b, a]}     (`list[ColumnName]`)
after:   error: the column "a" is named twice

What is a template is left to the run.
"""

from collections.abc import Iterator, Mapping

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.yaml import Mapping as YamlMap
from gxo.compiler.frontend.yaml import Node
from gxo.compiler.ir.nodes import Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.walk import every_call
from gxo.compiler.modules.spec import ModuleSpec, Options
from gxo.compiler.types import ListOf, OneOf, Shape, Special, Type

NO_OPTION, NOT_ONE, NAMED_TWICE = "GXO0512", "GXO0513", "GXO0514"
NOT_ALONE = "GXO0525"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_call(plan):
        module = workload.module
        if module is None or not workload.is_understood:
            continue
        given = {argument.name: argument.value for argument in workload.arguments}
        is_right = True
        if module.options:
            usual = module.param(module.options.choice)
            default = usual.default if usual is not None else None
            is_right = _check_options(workload, module.options, given, default, diagnostics)
        if module.one_of:
            _check_one_of(workload, module.one_of, given, diagnostics)
        if is_right:
            _check_together(workload, module, set(_names(given)), diagnostics)
        for argument in workload.arguments:
            for columns in _columns(argument.value, argument.type):
                _check_columns(columns, diagnostics)
    return plan


def _check_options(
    workload: Workload,
    options: Options,
    given: Mapping[str, Value],
    default: object,
    diagnostics: Diagnostics,
) -> bool:
    """Whether all keys apply, as far as is known."""
    choice = given.get(options.choice)
    params = workload.decl.params
    written = params.get(options.param) if params else None
    if not isinstance(choice, Constant | None) or not isinstance(written, YamlMap):
        return True
    chosen = default if choice is None else choice.value
    known = options.keys.get(str(chosen), ())
    others = [entry for entry in written.entries if entry.key.text.value not in known]
    for entry in others:
        key = entry.key.text.value
        message = f'"{key}" of "{options.param}" does not apply to {options.choice} "{chosen}"'
        hint = f"what applies: {', '.join(known)}" if known else "nothing applies to it"
        diagnostics.error(NO_OPTION, entry.key.span, message, hint)
    return not others


def _check_one_of(
    workload: Workload,
    names: tuple[str, ...],
    given: Mapping[str, Value],
    diagnostics: Diagnostics,
) -> None:
    here = [name for name in names if name in given]
    all_names = " and ".join(f'"{name}"' for name in names)
    if not here:
        message = f"it needs one of the parameters {all_names}"
        diagnostics.error(NOT_ONE, workload.decl.module.span, message)
    elif len(here) > 1:
        message = f"only one of the parameters {all_names} can be given"
        diagnostics.error(NOT_ONE, workload.decl.module.span, message)


def _check_together(
    workload: Workload, module: ModuleSpec, given: set[str], diagnostics: Diagnostics
) -> None:
    """What excludes, or needs, something else: the first mistake is the one that is told."""
    for names in module.at_most_one:
        here = [name for name in names if name in given]
        if len(here) > 1:
            both = " and ".join(f'"{name}"' for name in here)
            hint = f"give at most one of {', '.join(names)}"
            diagnostics.error(NOT_ONE, _span(workload, here[1]), f"{both} exclude each other", hint)
            return
    for name, others in module.requires:
        missing = [f'"{other}"' for other in others if other not in given]
        if name in given and missing:
            message = f'"{name}" needs {" and ".join(missing)} beside it'
            diagnostics.error(NOT_ALONE, _span(workload, name), message)
            return


def _names(given: Mapping[str, Value]) -> Iterator[str]:
    """The parameters that are given, and the keys of those that are maps."""
    for name, value in given.items():
        if not isinstance(value, Constant) or value.value is not None:
            yield name
        if isinstance(value, Fields):
            for key, one in value.entries:
                if not isinstance(one, Constant) or one.value not in (None, False):
                    yield f"{name}.{key}"


def _span(workload: Workload, name: str) -> Span:
    """Where a parameter, or the key of one, stands."""
    span = workload.decl.module.span
    where: Node | None = workload.decl.params
    for part in name.split("."):
        entries = where.entries if isinstance(where, YamlMap) else ()
        for entry in entries:
            if entry.key.text.value == part:
                span, where = entry.key.span, entry.value
    return span


def _columns(value: Value, type_: Type) -> Iterator[Items]:
    """The lists of columns in a parameter."""
    match type_, value:
        case ListOf(Special("ColumnName")), Items():
            yield value
        case OneOf(options), _:
            for option in options:
                yield from _columns(value, option)
        case Shape(), Fields(entries):
            for key, one in entries:
                if (field := type_.field(key)) is not None:
                    yield from _columns(one, field)


def _check_columns(columns: Items, diagnostics: Diagnostics) -> None:
    seen: set[object] = set()
    for column in columns.values:
        if isinstance(column, Constant):
            if column.value in seen:
                message = f'the column "{column.value}" is named twice'
                diagnostics.error(NAMED_TWICE, column.span, message)
            seen.add(column.value)
