"""Refuse a stream between workloads that do not run at the same times.

    before:  a is scheduled at 3:00, b runs once and reads a's stream
    after:   error: 'b' runs once, and 'a', whose records it reads, again and again

Workloads that streams connect start together (language, section 5). So a scheduled one reads only
from those of the same schedule; and what reads from it is scheduled alike, or goes on between its
runs, as a service and an event-driven workload do.
"""

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.frontend.playbook import Lifecycle, RunOnce, Scheduled
from gxo.compiler.ir.nodes import Plan, StreamEdge, Workload

OTHER_TIMES = "GXO0622"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    by_name = {workload.name: workload for workload in plan.workloads}
    for workload in plan.workloads:
        for edge in workload.stream_edges:
            _check(workload, edge, by_name[edge.source], diagnostics)
    return plan


def _check(reader: Workload, edge: StreamEdge, source: Workload, diagnostics: Diagnostics) -> None:
    match reader.decl.lifecycle, source.decl.lifecycle:
        case Scheduled() as one, Scheduled() as other if one.schedule == other.schedule:
            return
        case (None, _) | (_, None):
            return  # one of the two has an error
        case (Scheduled(), _) | (RunOnce(), Scheduled()):
            message = (
                f"'{reader.name}' {_times(reader.decl.lifecycle)}, and '{source.name}', whose"
                f" records it reads, {_times(source.decl.lifecycle)}"
            )
            hint = "give both the same lifecycle"
            note = Note(source.span, f"'{source.name}' is here")
            diagnostics.error(OTHER_TIMES, edge.span, message, hint, [note])


def _times(lifecycle: Lifecycle | None) -> str:
    match lifecycle:
        case Scheduled(_, cron, timezone, overlap):
            return f"runs at {cron} ({timezone}, overlap {overlap})"
        case RunOnce():
            return "runs once"
    return "goes on all the time"
