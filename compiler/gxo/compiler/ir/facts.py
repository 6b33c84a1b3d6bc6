"""What the manifest says of a plan: its lifecycles, and what it touches outside the process."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields

from gxo.compiler.frontend.playbook import Backoff, Lifecycle, Name
from gxo.compiler.ir.nodes import Computed, Constant, Items, Plan, Value
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import every_call
from gxo.compiler.template.ast import Template

KINDS = {"reads": "reads", "writes": "writes", "runs": "commands", "connects": "hosts"}


def effects(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Kind of effect to what is touched: a literal text, or `dynamic: ` and the expression."""
    found: dict[str, set[str]] = {}
    for kind, value in _touching(plan):
        found.setdefault(KINDS[kind], set()).update(_touched(value))
    return {kind: tuple(sorted(found[kind])) for kind in sorted(found)}


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


def _touching(plan: Plan) -> Iterator[tuple[str, Value]]:
    for workload in every_call(plan):
        given = {argument.name: argument.value for argument in workload.arguments}
        for effect in workload.module.effects if workload.module else ():
            if effect.param in given:
                yield effect.kind, given[effect.param]


def _touched(value: Value) -> Iterator[str]:
    match value:
        case Constant(constant):
            yield str(constant)
        case Items(values):
            for item in values:
                yield from _touched(item)
        case Computed(Template(source=source)):
            yield f"dynamic: {source.value}"
        case _:
            yield f"dynamic: {print_value(value)}"
