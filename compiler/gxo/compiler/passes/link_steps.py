"""Draw the edges between the steps of each `stream:pipeline`, and check that each can be a step.

before:  alert says needs: [counted], and stands before it
after:   counted, alert; alert.state_edges = (counted,)

Steps are a graph, so their order in the file says nothing; after this pass each stands behind those
that it needs.
"""

from collections.abc import Collection, Iterator

from gxo.compiler.diagnostics import Diagnostics, did_you_mean
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Plan, StateEdge, Workload
from gxo.compiler.ir.steps import EVENTS, Graph, kind
from gxo.compiler.ir.stream_names import stream_names
from gxo.compiler.ir.walk import map_workloads
from gxo.compiler.types import Special

UNKNOWN_NEED, NEEDS_ITSELF, NO_INPUT, NOT_AN_INPUT = "GXO0304", "GXO0601", "GXO0604", "GXO0606"
NO_STEP, DIFFERENT_EVENTS = "GXO0630", "GXO0631"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _link(workload, diagnostics))


def _link(workload: Workload, diagnostics: Diagnostics) -> Workload:
    if not workload.steps:
        return workload
    ids = {step.name: None for step in workload.steps}
    if len(ids) < len(workload.steps):
        return workload  # two have one id, which is reported
    linked = tuple(
        replace(step, state_edges=tuple(_edges(step, ids, diagnostics))) for step in workload.steps
    )
    graph = Graph(replace(workload, steps=linked))
    for step in linked:
        _check_module(step, diagnostics)
        _check_inputs(step, diagnostics)
        _check_origins(step, graph, diagnostics)
    return replace(workload, steps=graph.in_order())


def _edges(step: Workload, ids: Collection[str], diagnostics: Diagnostics) -> Iterator[StateEdge]:
    for need in step.decl.needs:
        if need.text == step.name:
            diagnostics.error(NEEDS_ITSELF, need.span, f"step '{step.name}' waits for itself")
        elif need.text in ids:
            yield StateEdge(need.text, need.span, "needs")
        else:
            others = [name for name in ids if name != step.name]
            message = f"`needs` names a step that does not exist: {need.text}"
            hint = did_you_mean(need.text, others) or f"steps of this pipeline: {', '.join(ids)}"
            diagnostics.error(UNKNOWN_NEED, need.span, message, hint)


def _check_module(step: Workload, diagnostics: Diagnostics) -> None:
    """A step is done once for a record, or once for all of a stream, and then it ends."""
    module = step.module
    if module is None:
        return
    span = step.decl.module.span
    if any(param.type == Special("Steps") for param in module.params):
        message = f"{module.name} cannot be a step: pipelines do not stand inside each other"
        hint = "make its steps steps of this pipeline, or give it a workload of its own"
        diagnostics.error(NO_STEP, span, message, hint)
    elif module.background or "run_once" not in module.lifecycles:
        message = f"{module.name} cannot be a step: it does not end by itself"
        diagnostics.error(NO_STEP, span, message, "give it a workload of its own")
    elif module.pauses:
        message = f"{module.name} cannot be a step: it waits for somebody outside"
        diagnostics.error(NO_STEP, span, message, "give it a workload of its own")


def _check_inputs(step: Workload, diagnostics: Diagnostics) -> None:
    """A module that reads streams by name reads those of the steps that `needs` names."""
    module = step.module
    if module is None:
        return
    inputs = [need.text for need in step.decl.needs]
    if module.inputs and kind(step) == "join" and not inputs:
        message = f"{module.name} needs `needs`: the steps whose records it reads"
        diagnostics.error(NO_INPUT, step.decl.module.span, message)
        return
    for name, span in stream_names(step):
        if name not in inputs:
            message = f"'{name}' is not one of the steps that this one needs"
            hint = did_you_mean(name, inputs) or f"they are: {', '.join(inputs)}"
            diagnostics.error(NOT_AN_INPUT, span, message, hint)


def _check_origins(step: Workload, graph: Graph, diagnostics: Diagnostics) -> None:
    """A step sees one event; only joins read the records of several."""
    origins = graph.origins(step)
    if len(origins) < 2 or kind(step) == "join":
        return
    if any(len(graph.origins(need)) > 1 and kind(need) != "join" for need in graph.needs(step)):
        return  # it is that step's mistake
    words = [f"step '{one}'" if one != EVENTS else "the pipeline itself" for one in origins]
    message = f"step '{step.name}' needs steps that never meet in one event"
    hint = f"the events of the one come from {words[0]}, those of the other from {words[1]}"
    diagnostics.error(DIFFERENT_EVENTS, step.decl.needs[-1].span, message, hint)
