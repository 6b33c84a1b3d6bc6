"""What a plan touches outside the process, for the manifest and for those who review it.

before:  process: {module: exec, params: {command: "{{ .tool }}"}}
after:   Effect("commands", "{{ .tool }}", dynamic=True, workload="build", module="exec")
"""

from collections.abc import Iterator, Mapping, Sequence

from gxo.compiler.effects import Effect, EffectKind
from gxo.compiler.ir.addresses import touched
from gxo.compiler.ir.nodes import Argument, Computed, Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import computed, every_workload, workload_templates
from gxo.compiler.modules import spec
from gxo.compiler.template.ast import Template
from gxo.compiler.types import BOOL

_KINDS: Mapping[spec.EffectKind, EffectKind] = {
    "reads": "reads",
    "writes": "writes",
    "runs": "commands",
    "connects": "hosts",
    "listens": "listens",
}


def effects(plan: Plan) -> tuple[Effect, ...]:
    """All that the plan's vars and its calls touch, each once, sorted."""
    found = set(_of_vars(plan))
    for workload in every_workload(plan):
        found.update(_of_templates(workload, workload.name))
        found.update(Effect("secrets", name, workload=workload.name) for name in workload.secrets)
        for call in (workload, *workload.steps):
            name = workload.name if call is workload else f"{workload.name}.{call.name}"
            if not call.is_dead:
                found.update(_of_module(call, name))
    secrets = {one.what for one in found if one.kind == "secrets"}
    found.update(Effect("secrets", name) for name in plan.secrets if name not in secrets)
    return tuple(sorted(found))


def held(value: Value, keys: Sequence[str]) -> Iterator[Value]:
    """What is under the keys, in each element of a list; all of a value that only the run knows."""
    match value:
        case Items(values) if keys:
            for item in values:
                yield from held(item, keys)
        case Fields(entries) if keys:
            for name, item in entries:
                if name == keys[0]:
                    yield from held(item, keys[1:])
        case Constant(None):
            pass
        case _:
            yield value


def _of_vars(plan: Plan) -> Iterator[Effect]:
    for var in plan.vars:
        for template in computed(var.value):
            yield from (Effect("environment", name) for name in template.references.env)


def _of_templates(workload: Workload, name: str) -> Iterator[Effect]:
    for template in workload_templates(workload):
        for variable in template.references.env:
            yield Effect("environment", variable, workload=name)


def _of_module(call: Workload, name: str) -> Iterator[Effect]:
    """What the call's module touches, by what it declares."""
    if call.module is None:
        return
    module = call.module.name
    for variable in call.module.environment:
        yield Effect("environment", variable, workload=name, module=module)
    for kind, value in touching(call, call.module):
        for text, dynamic in _touched(value):
            for what, shown in touched(text) if kind == "connects" else [(kind, text)]:
                yield Effect(_KINDS[what], shown, dynamic, name, module)


def touching(call: Workload, module: spec.ModuleSpec) -> Iterator[tuple[spec.EffectKind, Value]]:
    """What the call touches, each with the value that says so. module: the call's."""
    given = {argument.name: argument for argument in call.arguments}
    for effect in module.effects:
        if any(_is_on(given[name]) for name in effect.unless if name in given):
            continue
        name, *keys = effect.param.split(".")
        param = module.param(name)
        if name in given:
            yield from ((effect.kind, value) for value in held(given[name].value, keys))
        elif param is not None and isinstance(param.default, str):
            yield effect.kind, Constant(param.default, call.span)


def _is_on(argument: Argument) -> bool:
    """Whether it is given, whatever the run makes of it: a switch that is computed may be off."""
    if isinstance(argument.value, Constant):
        return argument.value.value not in (False, None)
    return argument.type != BOOL


def _touched(value: Value) -> Iterator[tuple[str, bool]]:
    """Each text, or the expression of what only the run knows and that this is one."""
    match value:
        case Constant(constant):
            yield str(constant), False
        case Items(values):
            for item in values:
                yield from _touched(item)
        case Computed(Template(source=source)):
            yield source.value, True
        case _:
            yield print_value(value), True
