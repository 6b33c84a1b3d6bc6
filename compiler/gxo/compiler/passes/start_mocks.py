"""Let the mocks of a test be in service before anything that they do not wait for themselves.

    before:  mocks: test:mock_command    build: exec make
    after:   build after mocks

What a mock waits for comes before it: where one mock's preparation could wait for another mock, and
the other's for the first, the mock that the playbook has first comes first.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.testing import MOCKS
from gxo.compiler.frozen import replace
from gxo.compiler.ir.groups import stream_groups
from gxo.compiler.ir.nodes import Plan, StateEdge, Workload


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    mocks = [workload for workload in plan.workloads if _is_mock(workload)]
    if not mocks or diagnostics.has_errors:  # with circles, nothing is before anything
        return plan
    groups = stream_groups(plan.workloads)
    waits: dict[str, set[str]] = {group: set() for group in groups.values()}
    for workload in plan.workloads:
        waits[groups[workload.name]].update(groups[source] for source in workload.sources)
    edges = {workload.name: workload.state_edges for workload in plan.workloads}
    for mock in mocks:
        before = _before(mock.name, waits)
        for workload in plan.workloads:
            if groups[workload.name] in before or _is_mock(workload):
                continue
            waits[groups[workload.name]].add(mock.name)
            if mock.name not in workload.sources:
                edges[workload.name] += (StateEdge(mock.name, mock.span, "mock"),)
    linked = (replace(one, state_edges=edges[one.name]) for one in plan.workloads)
    return replace(plan, workloads=tuple(linked))


def _is_mock(workload: Workload) -> bool:
    return workload.module is not None and workload.module.name.startswith(MOCKS)


def _before(name: str, waits: dict[str, set[str]]) -> set[str]:
    """The name, and all that it waits for, directly or not."""
    found, waiting = {name}, [name]
    while waiting:
        new = waits[waiting.pop()] - found
        found |= new
        waiting += new
    return found
