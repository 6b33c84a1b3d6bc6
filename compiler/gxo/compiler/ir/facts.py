"""What the manifest says of workloads: their lifecycles, and what a resumed job must know."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Literal

from gxo.compiler.frontend.playbook import Backoff, Lifecycle, Name
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.walk import every_workload, workload_templates


def changes(workload: Workload) -> bool | Literal["by_call"]:
    """Whether it changes something outside the process; a pipeline changes what its steps do."""
    declared = {one.module.changes for one in (workload.steps or (workload,)) if one.module}
    return True if True in declared else "by_call" if declared - {False} else False


def is_idempotent(workload: Workload) -> bool:
    """Whether doing it a second time changes nothing; a pipeline needs that of each step."""
    return all(one.module.idempotent for one in (workload.steps or (workload,)) if one.module)


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
