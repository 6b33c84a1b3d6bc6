"""Say which workloads can never run.

    before:  old: when: false
    after:   the same plan, and a warning that names the workload

The workload stays: its `Skipped` is in the report, and others may ask for it.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Constant, Plan, Workload
from gxo.compiler.ir.walk import every_workload

NEVER_RUNS = "GXO0611"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_workload(plan):
        _report(workload, "workload", diagnostics)
        for step in workload.steps:
            _report(step, "step", diagnostics)
    return plan


def _report(workload: Workload, what: str, diagnostics: Diagnostics) -> None:
    if isinstance(workload.when, Constant) and not workload.when.value:
        message = f"{what} '{workload.name}' never runs: its `when` is false"
        diagnostics.warning(NEVER_RUNS, workload.span, message)
