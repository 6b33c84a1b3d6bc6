"""Which distributions a call needs, with the parameters that it is called with."""

from collections.abc import Iterator

from gxo.compiler.ir.nodes import Computed, Constant, Workload
from gxo.compiler.ir.texts import Given
from gxo.compiler.modules.spec import Need
from gxo.compiler.template.ast import Template


def distributions(workload: Workload) -> Iterator[str]:
    """What must be linked for its module, with the parameters that it is called with."""
    for need in workload.module.needs if workload.module else ():
        if not need.param or _can_be(need, workload):
            yield need.name


def _can_be(need: Need, workload: Workload) -> bool:
    """Whether the parameter can have the value, as far as the playbook tells."""
    name, *keys = need.param.split(".")
    values = [argument.value for argument in workload.arguments if argument.name == name]
    given = next(Given({}).held(values[0], keys), None) if values else None
    begin = need.value.removesuffix("*")
    match given:
        case None:
            param = workload.module.param(name) if workload.module else None
            return param is not None and param.default == need.value
        case Constant(str(text)) if begin != need.value:
            return text.startswith(begin)
        case Constant(value):
            return value == need.value
        case Computed(Template(source=source)) if begin != need.value:
            literal = source.value.partition("{{")[0]
            return literal.startswith(begin) or begin.startswith(literal)
    return True
