"""Stream groups: the connected components of stream edges (language, section 5)."""

from gxo.compiler.ir.nodes import Plan


def stream_groups(plan: Plan) -> dict[str, str]:
    """Every workload's name to the name of its group, which is the group's first member."""
    parent = {workload.name: workload.name for workload in plan.workloads}
    order = {workload.name: number for number, workload in enumerate(plan.workloads)}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for workload in plan.workloads:
        for edge in workload.stream_edges:
            first, second = sorted((root(workload.name), root(edge.source)), key=order.__getitem__)
            parent[second] = first
    return {name: root(name) for name in parent}
