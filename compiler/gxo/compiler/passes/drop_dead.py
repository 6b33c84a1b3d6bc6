"""Leave out the calls of what can never run.

    before:  old: exec, when: false, command = 'rm'
    after:   old: exec, when: false, never called

The workload stays, for the report says that it was skipped, and others may ask for its status or
read its empty stream. What is gone is the call of its module, which is then linked only where
others call it too, its steps, and the calls of its `on_failure`, which nothing can start.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Constant, Plan, Workload


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    def drop(workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
        return tuple(map(deep, workloads))

    def deep(workload: Workload) -> Workload:
        when = workload.when
        if not isinstance(when, Constant) or when.value:
            steps, on_failure = drop(workload.steps), drop(workload.on_failure)
            return replace(workload, steps=steps, on_failure=on_failure)
        module = workload.module.name if workload.module else "its module"
        text = f"'{workload.name}' never runs, so {module} is not called"
        diagnostics.explain("drop_dead", when.span, text)
        return _dead(workload)

    return replace(plan, workloads=drop(plan.workloads), cleanup=drop(plan.cleanup))


def _dead(workload: Workload) -> Workload:
    on_failure = tuple(map(_dead, workload.on_failure))
    return replace(workload, is_dead=True, steps=(), on_failure=on_failure)
