"""Leave out workloads whose `when` is false in the playbook itself.

    before:  old: when: false
    after:   (no code; a warning names the workload)

Only one that nothing reads can go: with a reader, its `Skipped` still decides what the reader does.
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Constant, Plan, Workload

NEVER_RUNS = "GXO0611"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    read = {source for workload in plan.workloads for source in workload.sources}
    dead = [one for one in plan.workloads if _is_dead(one) and one.name not in read]
    for workload in dead:
        message = f"workload '{workload.name}' never runs: its `when` is false"
        diagnostics.warning(NEVER_RUNS, workload.span, message)
    return replace(plan, workloads=tuple(one for one in plan.workloads if one not in dead))


def _is_dead(workload: Workload) -> bool:
    return isinstance(workload.when, Constant) and not workload.when.value
