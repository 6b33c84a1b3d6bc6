"""Refuse playbooks that could never finish.

    before:  a needs b, b reads a's register
    after:   error: workloads wait for each other: a -> b -> a   (with a note at each edge)

Workloads joined by streams start together (language, section 5), so each group counts as one
node: a state edge between two of its members, direct or through workloads outside, is a cycle
too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics, Note, Span
from gxo.compiler.ir.groups import stream_groups
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.walk import every_workload

CYCLE, STREAM_CYCLE = "GXO0609", "GXO0610"


@dataclass(frozen=True, slots=True)
class Wait:
    """`reader` waits for `source`; `why` is the end of "because it ..."."""

    reader: str
    source: str
    span: Span
    why: str


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    streams = [
        Wait(
            workload.name,
            edge.source,
            edge.span,
            "takes its events" if edge.events else "reads its stream",
        )
        for workload in every_workload(plan)
        for edge in workload.stream_edges
    ]
    own = {workload.name: workload.name for workload in every_workload(plan)}
    _check_steps(plan, diagnostics)
    if _report(streams, own, STREAM_CYCLE, "records would flow in a circle", diagnostics):
        return plan
    _report(
        list(_state_waits(plan)),
        stream_groups(plan.workloads),
        CYCLE,
        "workloads wait for each other",
        diagnostics,
    )
    return plan


def _check_steps(plan: Plan, diagnostics: Diagnostics) -> None:
    for pipeline in every_workload(plan):
        waits = [
            Wait(step.name, edge.source, edge.span, "needs it")
            for step in pipeline.steps
            for edge in step.state_edges
        ]
        own = {step.name: step.name for step in pipeline.steps}
        _report(waits, own, CYCLE, "steps wait for each other", diagnostics)


def _state_waits(plan: Plan) -> Iterator[Wait]:
    words = {
        "needs": "needs it",
        "register": "reads its register",
        "status": "reads its status",
    }
    for workload in plan.workloads:
        for edge in workload.state_edges:
            yield Wait(workload.name, edge.source, edge.span, words[edge.why])


def _report(
    waits: list[Wait], groups: dict[str, str], code: str, what: str, diagnostics: Diagnostics
) -> bool:
    """Report one cycle for each knot of workloads; whether there was one."""
    outgoing: dict[str, list[Wait]] = {}
    for wait in waits:
        outgoing.setdefault(groups[wait.reader], []).append(wait)
    cycles = list(_cycles(outgoing, groups))
    for cycle in cycles:
        path = " -> ".join(_steps(cycle))
        notes = [
            Note(wait.span, f"'{wait.reader}' waits for '{wait.source}': it {wait.why}")
            for wait in cycle
        ]
        hint = "take one of these references away"
        if any(groups[wait.reader] != wait.reader for wait in cycle) or len(cycle) == 1:
            hint = (
                "workloads joined by streams start together, so none may wait for another's result"
            )
        start = cycle[0].span
        root = f"circle {start.line}:{start.column}"
        diagnostics.error(code, start, f"{what}: {path}", hint, notes, root)
    return bool(cycles)


def _steps(cycle: list[Wait]) -> Iterator[str]:
    """Each reader, and at last where it started; a jump inside a stream group is said in words."""
    for wait, following in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        yield f"{wait.reader} (line {wait.span.line})"
        if wait.source != following.reader:
            yield f"{wait.source}, which starts with {following.reader}"
        elif following is cycle[0]:
            yield wait.source


def _cycles(outgoing: dict[str, list[Wait]], groups: dict[str, str]) -> Iterator[list[Wait]]:
    """Depth-first search without recursion; each group is finished once, so this is linear."""
    finished: set[str] = set()
    for root in outgoing:
        path: list[Wait] = []
        entered = {root: 0}
        pending = [iter(outgoing.get(root, ()))] if root not in finished else []
        while pending:
            wait = next(pending[-1], None)
            if wait is None:
                pending.pop()
                done = groups[path[-1].source] if path else root
                finished.add(done)
                entered.pop(done, None)
                if path:
                    path.pop()
                continue
            target = groups[wait.source]
            if target in entered:
                yield [*path[entered[target] :], wait]
            elif target not in finished:
                path.append(wait)
                entered[target] = len(path)
                pending.append(iter(outgoing.get(target, ())))
