"""Draw the edges that templates and `needs` imply.

    before:  a registers `users`; b says {{ .users.body }} and needs: [c]
    after:   b.state_edges = (a for its register, c because it is needed)

References in `on_failure` and `finally` add no edges (language, section 6): those blocks read the
state as it is. An edge from a stream neighbour to itself is a cycle, which `detect_cycles`
reports.
"""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics, did_you_mean
from gxo.compiler.frozen import replace
from gxo.compiler.ir.groups import waits
from gxo.compiler.ir.nodes import Plan, StateEdge, Workload
from gxo.compiler.ir.order import Before
from gxo.compiler.ir.walk import workload_templates

UNKNOWN_NEED, NEEDS_ITSELF, NEED_IN_BLOCK = "GXO0304", "GXO0601", "GXO0612"
RACE = "GXO0613"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    registers = {
        workload.register: workload.name for workload in plan.workloads if workload.register
    }
    names = {workload.name for workload in plan.workloads}

    def link(workload: Workload) -> Workload:
        edges = (
            *_needs(workload, names, diagnostics),
            *_reads(workload, registers, names),
        )
        own = [edge for edge in edges if edge.source == workload.name]
        for edge in own[:1]:
            message = f"workload '{workload.name}' waits for itself"
            diagnostics.error(NEEDS_ITSELF, edge.span, message)
        others = [edge for edge in edges if edge.source != workload.name]
        return replace(workload, state_edges=_strongest(others))

    _refuse_needs_of_blocks(plan, diagnostics)
    linked = replace(plan, workloads=tuple(link(workload) for workload in plan.workloads))
    before = waits(linked.workloads)
    for workload in linked.workloads:
        if workload.ignore_errors and workload.on_failure:
            _refuse_races(workload, before, registers, names, diagnostics)
    return linked


def _refuse_races(
    failed: Workload,
    before: Before,
    registers: dict[str, str],
    names: set[str],
    diagnostics: Diagnostics,
) -> None:
    """After an ignored failure the others go on: only what the workload waited for is settled."""
    for child in failed.on_failure:
        for template in workload_templates(child):
            read = template.references
            sources = {registers[name] for name in read.registers if name in registers}
            sources |= (read.summaries | read.statuses) & names
            settled = before.among([failed.name], sources) | {failed.name}
            for name in sorted(sources - settled):
                message = (
                    f"'{name}' may still be running: the failure of '{failed.name}' is ignored,"
                    " and the playbook goes on"
                )
                hint = f"add `needs: [{name}]` to '{failed.name}', or read it elsewhere"
                diagnostics.error(RACE, template.span, message, hint)


def _refuse_needs_of_blocks(plan: Plan, diagnostics: Diagnostics) -> None:
    blocks = (plan.cleanup, *(workload.on_failure for workload in plan.workloads))
    for workload in (workload for block in blocks for workload in block):
        for need in workload.decl.needs:
            message = "`needs` says nothing here: `on_failure` and `finally` run in order"
            diagnostics.error(NEED_IN_BLOCK, need.span, message, "take it out")


def _needs(workload: Workload, names: set[str], diagnostics: Diagnostics) -> Iterator[StateEdge]:
    for need in workload.decl.needs:
        if need.text in names:
            yield StateEdge(need.text, need.span, "needs")
        else:
            message = f"`needs` names a workload that does not exist: {need.text}"
            near = did_you_mean(need.text, names)
            root = f"workload {need.text}"
            diagnostics.error(UNKNOWN_NEED, need.span, message, near, root=root)


def _reads(workload: Workload, registers: dict[str, str], names: set[str]) -> Iterator[StateEdge]:
    for template in workload_templates(workload):
        is_when = template is workload.when
        for register in sorted(template.references.registers):
            if register in registers:
                yield StateEdge(registers[register], template.span, "register")
        for name in sorted(template.references.summaries & names):
            yield StateEdge(name, template.span, "register")
        for name in sorted(template.references.statuses & names):
            yield StateEdge(name, template.span, "status" if is_when else "needs")


def _strongest(edges: list[StateEdge]) -> tuple[StateEdge, ...]:
    """One edge a source, in first-seen order.

    A `when` that asks for a workload's status makes the reader eligible after any end of it,
    whatever else reads it (language, section 6).
    """
    found: dict[str, StateEdge] = {}
    for edge in edges:
        known = found.get(edge.source)
        if known is None or (edge.observes and not known.observes):
            found[edge.source] = edge
    return tuple(found.values())
