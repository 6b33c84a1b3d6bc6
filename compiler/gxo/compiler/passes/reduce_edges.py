"""Leave out edges that a longer path implies (transitive reduction).

    before:  c after a and b, b after a
    after:   c after b

An edge that asks for a status decides more than an order, so it stays and implies nothing.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.groups import waits
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.order import Before


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    before = waits(plan.workloads)
    reduced = tuple(_reduce(workload, before, diagnostics) for workload in plan.workloads)
    return replace(plan, workloads=reduced)


def _reduce(workload: Workload, before: Before, diagnostics: Diagnostics) -> Workload:
    sources = [edge.source for edge in workload.state_edges if not edge.observes]
    implied = before.among(sources, sources)
    if not implied:
        return workload
    left_out = {edge for edge in workload.state_edges if edge.source in implied}
    if diagnostics.explanations is not None:
        for edge in left_out:
            way = next(name for name in sources if before.among([name], [edge.source]))
            text = f"'{workload.name}' waits for '{edge.source}' already: it waits for '{way}'"
            diagnostics.explain("reduce_edges", edge.span, text)
    kept = tuple(edge for edge in workload.state_edges if edge not in left_out)
    return replace(workload, state_edges=kept)
