"""Merge the playbook's policies with each workload's own.

before:  channel_policy: {buffer_size: 10} at the playbook, {overflow_strategy: error} at `a`
after:   a.policies.channel = Channel(10, "error")
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.policies import merge
from gxo.compiler.ir.walk import map_workloads


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    del diagnostics

    def resolve(workload: Workload) -> Workload:
        return replace(workload, policies=merge(plan.policies, workload.decl))

    return map_workloads(map_workloads(plan, resolve), _inherit)


def _inherit(workload: Workload) -> Workload:
    """A step has the policies of its pipeline."""
    steps = tuple(replace(step, policies=workload.policies) for step in workload.steps)
    return replace(workload, steps=steps)
