"""What a plan touches outside the process, for the manifest and for those who review it.

    before:  process: {module: exec, params: {command: git, args: [fetch, "{{ .remote }}"]}}
    after:   Effect("commands", "git", detail="git fetch '{{ .remote }}'", workload="update",
                    module="exec")

Modules declare which of their parameters name what they touch; `calls.py` reads those. Here is what
belongs to the job: secrets, the environment, paths outside the workspace, outputs, distributions.
"""

from collections.abc import Iterator

from gxo.compiler.effects import Effect
from gxo.compiler.ir.calls import touched_by
from gxo.compiler.ir.needs import distributions
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.texts import given_by
from gxo.compiler.ir.walk import computed, every_workload, workload_templates


def effects(plan: Plan) -> tuple[Effect, ...]:
    """All that the plan's vars and its calls touch, each once, sorted."""
    found = set(_of_job(plan))
    given = given_by(plan)
    for workload in every_workload(plan):
        found.update(_of_workload(workload))
        for call in (workload, *workload.steps):
            name = workload.name if call is workload else f"{workload.name}.{call.name}"
            if not call.is_dead:
                found.update(_distributions(call, name))
                found.update(touched_by(call, name, given))
    secrets = {one.what for one in found if one.kind == "secrets"}
    found.update(Effect("secrets", name) for name in plan.secrets if name not in secrets)
    return tuple(sorted(found))


def _of_job(plan: Plan) -> Iterator[Effect]:
    for var in plan.vars:
        for template in computed(var.value):
            yield from (Effect("environment", name) for name in template.references.env)
            yield from (Effect("distributions", name) for name in template.references.needs)
    yield from (Effect("outputs", pattern) for pattern in plan.outputs)


def _of_workload(workload: Workload) -> Iterator[Effect]:
    """What its templates and its policies touch."""
    name = workload.name
    for secret in workload.secrets:
        yield Effect("secrets", secret, workload=name)
    for template in workload_templates(workload):
        for variable in template.references.env:
            yield Effect("environment", variable, workload=name)
        for need in template.references.needs:
            yield Effect("distributions", need, workload=name)
    for allowed in workload.policies.allow_paths:
        yield Effect("reads", allowed.path, detail="allow_paths", workload=name)
        if allowed.access == "rw":
            yield Effect("writes", allowed.path, detail="allow_paths", workload=name)


def _distributions(call: Workload, name: str) -> Iterator[Effect]:
    module = call.module.name if call.module else ""
    for need in distributions(call):
        yield Effect("distributions", need, workload=name, module=module)
