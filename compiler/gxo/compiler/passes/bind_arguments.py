"""Match a workload's `params` with its module's declaration.

before:  params: {comand: uname}                  (as it stands in the YAML)
after:   error: unknown parameter "comand", did you mean "command"?
         Argument("command", Constant("uname"), text)
"""

from gxo.compiler.diagnostics import Diagnostics, did_you_mean, nearest
from gxo.compiler.frontend.testing import INCLUDE
from gxo.compiler.frontend.yaml import Entry, Scalar
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Argument, Plan, Workload
from gxo.compiler.ir.values import read_value
from gxo.compiler.ir.walk import map_workloads
from gxo.compiler.modules.spec import ModuleSpec, ParamSpec
from gxo.compiler.types import NIL, Special

UNKNOWN_PARAMETER, MISSING_PARAMETER = "GXO0502", "GXO0503"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _bind(workload, diagnostics))


def _bind(workload: Workload, diagnostics: Diagnostics) -> Workload:
    module = workload.module
    if module is None:
        return workload
    entries = workload.decl.params.entries if workload.decl.params else ()
    arguments = [
        _argument(entry, module, diagnostics)
        for entry in entries
        if not _is_steps(module.param(entry.key.text.value))
    ]
    given = {entry.key.text.value for entry in entries}
    _report_missing(workload, module, given | _meant(given, module), diagnostics)
    return replace(workload, arguments=tuple(filter(None, arguments)))


def _is_steps(param: ParamSpec | None) -> bool:
    """Whether these are steps: they are in `Workload.steps`, each with arguments of its own."""
    return param is not None and param.type == Special("Steps")


def _meant(given: set[str], module: ModuleSpec) -> set[str]:
    """The parameters that misspelt ones stand for: one mistake is one finding."""
    unknown = (name for name in given if not module.param(name))
    return {name for word in unknown if (name := nearest(word, module.param_names()))}


def _argument(entry: Entry, module: ModuleSpec, diagnostics: Diagnostics) -> Argument | None:
    name = entry.key.text.value
    param = module.param(name)
    type_ = param.type if param else module.values
    if type_ is None:
        hint = did_you_mean(name, module.param_names()) or _known(module)
        message = f'{module.name} has no parameter "{name}"'
        diagnostics.error(UNKNOWN_PARAMETER, entry.key.span, message, hint)
        return None
    if param and _left_out(entry, param):
        return None
    # `test:include` is no word of the playbook: there, `vars` is a key of its own.
    where = name if module.name == INCLUDE else f"parameter '{name}' of {module.name}"
    value = read_value(entry.value, type_, where, diagnostics)
    return None if value is None else Argument(name, value, type_)


def _left_out(entry: Entry, param: ParamSpec) -> bool:
    """`key: null` means the same as leaving the key out, where None is the parameter's default."""
    is_nil = isinstance(entry.value, Scalar) and entry.value.value is None
    return is_nil and param.nullable and not param.required and param.type != NIL


def _known(module: ModuleSpec) -> str:
    names = ", ".join(module.param_names())
    return f"its parameters: {names}" if names else "it takes no parameters"


def _report_missing(
    workload: Workload, module: ModuleSpec, given: set[str], diagnostics: Diagnostics
) -> None:
    for param in module.params:
        # That steps are missing was told when the playbook was read.
        if param.required and param.name not in given and not _is_steps(param):
            message = f'{module.name} needs the parameter "{param.name}"'
            diagnostics.error(
                MISSING_PARAMETER, workload.decl.module.span, message, param.doc or None
            )
