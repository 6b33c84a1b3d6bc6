"""Leave out edges that a longer path implies (transitive reduction).

    before:  c after a and b, b after a
    after:   c after b

An edge that asks for a status decides more than an order, so it stays and implies nothing.
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Plan, Workload


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    del diagnostics
    bits = {workload.name: 1 << number for number, workload in enumerate(plan.workloads)}
    ancestors = _ancestors(plan, bits)
    return replace(
        plan, workloads=tuple(_reduce(workload, ancestors, bits) for workload in plan.workloads)
    )


def _reduce(workload: Workload, ancestors: dict[str, int], bits: dict[str, int]) -> Workload:
    sources = [edge.source for edge in workload.state_edges if not edge.observes]
    implied = 0
    for source in sources:
        implied |= ancestors[source]
    kept = tuple(
        edge for edge in workload.state_edges if edge.observes or not implied & bits[edge.source]
    )
    return replace(workload, state_edges=kept)


def _ancestors(plan: Plan, bits: dict[str, int]) -> dict[str, int]:
    """For each workload the set, as bits, of those that must have ended before it."""
    sources = {
        workload.name: [edge.source for edge in workload.state_edges if not edge.observes]
        for workload in plan.workloads
    }
    found: dict[str, int] = {}
    for root in bits:
        stack = [root]
        while stack:
            name = stack[-1]
            missing = [source for source in sources[name] if source not in found]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            found[name] = 0
            for source in sources[name]:
                found[name] |= found[source] | bits[source]
    return found
