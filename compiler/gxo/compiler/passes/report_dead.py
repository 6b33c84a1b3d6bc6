"""Say which workloads can never run.

    before:  old: when: false            or a condition that is false in every run
    after:   the same plan, and a warning that names the workload

The workload stays: its `Skipped` is in the report, and others may ask for it.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Computed, Constant, Plan, Workload
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.template.folding import Decided, fold
from gxo.compiler.template.to_python import Want

NEVER_RUNS = "GXO0611"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_workload(plan):
        _report(workload, "workload", diagnostics)
        for step in workload.steps:
            _report(step, "step", diagnostics)
    return plan


def _report(workload: Workload, what: str, diagnostics: Diagnostics) -> None:
    if workload.when is not None and _is_never(workload.when):
        message = f"{what} '{workload.name}' never runs: its `when` is false"
        diagnostics.warning(NEVER_RUNS, workload.span, message)


def _is_never(when: Constant | Computed) -> bool:
    if isinstance(when, Constant):
        return not when.value
    return fold(when.template, Want("condition")) == Decided(False)
