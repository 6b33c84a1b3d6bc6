"""What the manifest says of a plan: its lifecycles, what it touches outside the process, and what a
resumed job must know of its workloads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Literal

from gxo.compiler.frontend.playbook import Backoff, Lifecycle, Name
from gxo.compiler.ir.addresses import touched
from gxo.compiler.ir.nodes import Argument, Computed, Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import every_workload, live_calls, workload_templates
from gxo.compiler.modules.spec import EffectKind, Need
from gxo.compiler.template.ast import Template
from gxo.compiler.types import BOOL

KINDS = {
    "reads": "reads",
    "writes": "writes",
    "runs": "commands",
    "connects": "hosts",
    "listens": "listens",
}


def effects(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Kind of effect to what is touched: a literal text, or `dynamic: ` and the expression."""
    found: dict[str, set[str]] = {}
    for kind, value in _touching(plan):
        for text, mark in _touched(value):
            for what, shown in touched(text) if kind == "connects" else [(kind, text)]:
                found.setdefault(KINDS[what], set()).add(mark + shown)
    return {kind: tuple(sorted(found[kind])) for kind in sorted(found)}


def changes(workload: Workload) -> bool | Literal["by_call"]:
    """Whether it changes something outside the process; a pipeline changes what its steps do."""
    declared = {one.module.changes for one in (workload.steps or (workload,)) if one.module}
    return True if True in declared else "by_call" if declared - {False} else False


def is_idempotent(workload: Workload) -> bool:
    """Whether doing it a second time changes nothing; a pipeline needs that of each step."""
    return all(one.module.idempotent for one in (workload.steps or (workload,)) if one.module)


def distributions(workload: Workload) -> Iterator[str]:
    """What must be linked for its module, with the parameters that it is called with."""
    for need in workload.module.needs if workload.module else ():
        if not need.param or _can_be(need, workload):
            yield need.name


def _can_be(need: Need, workload: Workload) -> bool:
    """Whether the parameter can have the value, as far as the playbook tells."""
    name, *keys = need.param.split(".")
    values = [argument.value for argument in workload.arguments if argument.name == name]
    given = next(_held(values[0], keys), None) if values else None
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


def register_owners(plan: Plan) -> dict[str, str]:
    """Which workload leaves each register."""
    return {one.register: one.name for one in every_workload(plan) if one.register}


def read_by(workload: Workload, registers: Mapping[str, str]) -> tuple[str, ...]:
    """The workloads whose results its templates read, sorted."""
    found: set[str] = set()
    for template in workload_templates(workload):
        found.update(template.references.summaries)
        found.update(registers[name] for name in template.references.registers & registers.keys())
    return tuple(sorted(found))


def lifecycle_facts(lifecycle: Lifecycle | None) -> Mapping[str, object]:
    """The lifecycle as the playbook writes it, with every key; durations in seconds."""
    facts: dict[str, object] = {"policy": "run_once"}
    for field in fields(lifecycle) if lifecycle else ():
        value = getattr(lifecycle, field.name)
        match value:
            case Name(text):
                facts[field.name] = text
            case Backoff():
                facts[field.name] = asdict(value)
            case _:
                facts[field.name] = value
    return facts


def _touching(plan: Plan) -> Iterator[tuple[EffectKind, Value]]:
    for workload in live_calls(plan):
        given = {argument.name: argument for argument in workload.arguments}
        for effect in workload.module.effects if workload.module else ():
            if any(_is_on(given[name]) for name in effect.unless if name in given):
                continue
            name, *keys = effect.param.split(".")
            param = workload.module.param(name) if workload.module else None
            if name in given:
                yield from ((effect.kind, value) for value in _held(given[name].value, keys))
            elif param is not None and isinstance(param.default, str):
                yield effect.kind, Constant(param.default, workload.span)


def _held(value: Value, keys: Sequence[str]) -> Iterator[Value]:
    """What is under the keys, in each element of a list; all of a value that only the run knows."""
    match value:
        case Items(values) if keys:
            for item in values:
                yield from _held(item, keys)
        case Fields(entries) if keys:
            for name, item in entries:
                if name == keys[0]:
                    yield from _held(item, keys[1:])
        case Constant(None):
            pass
        case _:
            yield value


def _is_on(argument: Argument) -> bool:
    """Whether it is given, whatever the run makes of it: a switch that is computed may be off."""
    if isinstance(argument.value, Constant):
        return argument.value.value not in (False, None)
    return argument.type != BOOL


def _touched(value: Value) -> Iterator[tuple[str, str]]:
    """Each text, or expression, and what stands before it."""
    match value:
        case Constant(constant):
            yield str(constant), ""
        case Items(values):
            for item in values:
                yield from _touched(item)
        case Computed(Template(source=source)):
            yield source.value, "dynamic: "
        case _:
            yield print_value(value), "dynamic: "
