"""What a plan does, as data for the manifest: workloads, secrets, and what they touch outside."""

from collections.abc import Iterator

from gxo.compiler.ir.nodes import Constant, Items, Plan, Value, Workload
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import every_workload


def plan_facts(plan: Plan) -> dict[str, object]:
    """The manifest's part that follows from the plan alone.

    An effect is `{workload, kind, literal}` when the playbook itself says what is touched, else
    `{workload, kind, dynamic}` with the expression that decides it.
    """
    return {
        "workloads": [_workload(workload) for workload in every_workload(plan)],
        "inputs": [decl.name for decl in plan.inputs],
        "secrets": list(plan.secrets),
        "environment": list(plan.environment),
        "effects": [effect for workload in every_workload(plan) for effect in _effects(workload)],
        "outputs": list(plan.outputs),
    }


def _workload(workload: Workload) -> dict[str, object]:
    lifecycle = workload.decl.lifecycle
    return {
        "name": workload.name,
        "module": workload.module.name if workload.module else "",
        "lifecycle": lifecycle.policy.text if lifecycle else "run_once",
    }


def _effects(workload: Workload) -> Iterator[dict[str, object]]:
    if workload.module is None:
        return
    given = {argument.name: argument.value for argument in workload.arguments}
    for effect in workload.module.effects:
        value = given.get(effect.param)
        if value is not None:
            yield {"workload": workload.name, "kind": effect.kind, **_touched(value)}


def _touched(value: Value) -> dict[str, object]:
    match value:
        case Constant(constant):
            return {"literal": constant}
        case Items(values) if all(isinstance(item, Constant) for item in values):
            return {"literal": [item.value for item in values if isinstance(item, Constant)]}
    return {"dynamic": print_value(value)}
