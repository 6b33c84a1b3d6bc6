"""Leave out edges that a longer path implies (transitive reduction).

    before:  c after a and b, b after a
    after:   c after b

An edge that asks for a status decides more than an order, so it stays and implies nothing.
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.groups import waits
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.order import Before


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    del diagnostics
    before = waits(plan.workloads)
    return replace(plan, workloads=tuple(_reduce(workload, before) for workload in plan.workloads))


def _reduce(workload: Workload, before: Before) -> Workload:
    sources = [edge.source for edge in workload.state_edges if not edge.observes]
    implied = before.among(sources, sources)
    kept = tuple(
        edge for edge in workload.state_edges if edge.observes or edge.source not in implied
    )
    return replace(workload, state_edges=kept)
