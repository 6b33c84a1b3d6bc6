"""Who runs together, and who has ended before (language, sections 5 and 6)."""

from collections.abc import Iterable, Sequence

from gxo.compiler.ir.nodes import Workload
from gxo.compiler.ir.order import Before


def stream_groups(workloads: Sequence[Workload]) -> dict[str, str]:
    """The connected components of stream edges: each name to that of its group's first member."""
    parent = {workload.name: workload.name for workload in workloads}
    order = {workload.name: number for number, workload in enumerate(workloads)}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for workload in workloads:
        for edge in workload.stream_edges:
            first, second = sorted((root(workload.name), root(edge.source)), key=order.__getitem__)
            parent[second] = first
    return {name: root(name) for name in parent}


def waits(workloads: Iterable[Workload]) -> Before:
    """Whom each workload waited for, directly or not, to be Completed or Skipped."""
    return Before(
        {
            workload.name: [edge.source for edge in workload.state_edges if not edge.observes]
            for workload in workloads
        }
    )
