"""Draw the stream edges from `stream_inputs`, and check that modules have the ports.

before:  b says stream_inputs: [a, c.errors], d says lifecycle: {policy: event_driven, source: a}
after:   b.stream_edges = (a, c's record errors), d.stream_edges = (the events of a)
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics, Note, did_you_mean
from gxo.compiler.frontend.playbook import EventDriven, Name
from gxo.compiler.ir.nodes import Plan, StreamEdge, Workload
from gxo.compiler.ir.stream_names import stream_names

UNKNOWN_STREAM, READS_ITSELF, NO_PORT, NO_INPUT = "GXO0305", "GXO0602", "GXO0603", "GXO0604"
UNKNOWN_SOURCE, NO_STREAM, TWO_PLACES = "GXO0309", "GXO0620", "GXO0621"
LOOP_READS, NOT_AN_INPUT, FAIL_AND_ERRORS, IN_BLOCK = "GXO0605", "GXO0606", "GXO0607", "GXO0608"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    names = {workload.name for workload in plan.workloads}
    linked = tuple(
        replace(workload, stream_edges=_edges(workload, names, diagnostics))
        for workload in plan.workloads
    )
    by_name = {workload.name: workload for workload in plan.workloads}
    for workload in linked:
        # Events come from a `source`, which a lifecycle that cannot be read may name.
        may_have_source = isinstance(workload.decl.lifecycle, EventDriven | None)
        _check_ports(workload, may_have_source, diagnostics)
        _check_source(workload, by_name, diagnostics)
        _check_stream_names(workload, diagnostics)
    _check_error_readers(linked, diagnostics)
    for block in (*plan.cleanup, *(child for one in plan.workloads for child in one.on_failure)):
        _check_ports(block, False, diagnostics)
        for name in block.decl.stream_inputs:
            message = "streams inside `on_failure` and `finally` are not supported by this version"
            diagnostics.error(IN_BLOCK, name.span, message)
    return replace(plan, workloads=linked)


def _edges(workload: Workload, names: set[str], diagnostics: Diagnostics) -> tuple[StreamEdge, ...]:
    edges: dict[str, StreamEdge] = {}
    for name in workload.decl.stream_inputs:
        edge = _edge(name)
        if edge.source not in names:
            message = f"`stream_inputs` names a workload that does not exist: {edge.source}"
            near = did_you_mean(edge.source, names)
            root = f"workload {edge.source}"
            diagnostics.error(UNKNOWN_STREAM, name.span, message, near, root=root)
        elif edge.source == workload.name:
            message = f"workload '{workload.name}' cannot read its own stream"
            diagnostics.error(READS_ITSELF, name.span, message)
        else:
            edges.setdefault(edge.name, edge)
    if source := workload.decl.source:
        edges |= _events(workload, source, names, diagnostics)
    return tuple(edges.values())


def _events(
    workload: Workload, source: Name, names: set[str], diagnostics: Diagnostics
) -> dict[str, StreamEdge]:
    """The edge that an event-driven workload's events come by, by its name."""
    if source.text == workload.name:
        message = f"workload '{workload.name}' cannot be its own source"
        diagnostics.error(READS_ITSELF, source.span, message)
    elif source.text not in names:
        message = f"`source` names a workload that does not exist: {source.text}"
        near, root = did_you_mean(source.text, names), f"workload {source.text}"
        diagnostics.error(UNKNOWN_SOURCE, source.span, message, near, root=root)
    else:
        return {source.text: StreamEdge(source.text, source.span, events=True)}
    return {}


def _check_source(
    workload: Workload, by_name: dict[str, Workload], diagnostics: Diagnostics
) -> None:
    """Events are records, and come from one place (language, section 7)."""
    source, inputs = workload.decl.source, workload.decl.stream_inputs
    producer = by_name.get(source.text) if source else None
    if source and producer and not producer.emits and producer.is_understood:
        module = producer.module
        assert module is not None
        message = f"workload '{source.text}' has no stream, so it gives no events"
        hint = None
        if module.emits_when:
            hint = f"{module.name} has one with the parameter `{module.emits_when}`"
        diagnostics.error(NO_STREAM, source.span, message, hint)
    if source and inputs:
        message = f"workload '{workload.name}' gets its events from `source`, or reads streams"
        hint = "take out `stream_inputs`, or the lifecycle event_driven"
        diagnostics.error(TWO_PLACES, inputs[0].span, message, hint)


def _edge(name: Name) -> StreamEdge:
    source, dot, suffix = name.text.partition(".")
    return StreamEdge(source, name.span, errors=bool(dot) and suffix == "errors")


def _check_ports(workload: Workload, may_have_source: bool, diagnostics: Diagnostics) -> None:
    module = workload.module
    if module is None:
        return
    reads = module.records or module.inputs
    inputs = [edge for edge in workload.stream_edges if not edge.events]
    if inputs and not reads:
        message = f"{module.name} reads no stream"
        hint = "use `needs` to wait for a workload"
        diagnostics.error(NO_PORT, inputs[0].span, message, hint)
    if workload.stream_edges and workload.loop:
        message = "a workload with a loop cannot read a stream"
        diagnostics.error(LOOP_READS, workload.stream_edges[0].span, message)
    required = reads and not {"records", "inputs"} & module.optional_ports
    if required and not workload.decl.stream_inputs and not may_have_source:
        message = f"{module.name} needs `stream_inputs`: the workloads whose records it reads"
        diagnostics.error(NO_INPUT, workload.decl.module.span, message)


def _check_stream_names(workload: Workload, diagnostics: Diagnostics) -> None:
    """A parameter that names a stream must name one of `stream_inputs`, if those are right."""
    if len(workload.stream_edges) < len(workload.decl.stream_inputs):
        return
    inputs = [edge.name for edge in workload.stream_edges]
    for name, span in stream_names(workload):
        if name not in inputs:
            message = f"'{name}' is not one of this workload's stream_inputs"
            hint = did_you_mean(name, inputs) or f"they are: {', '.join(inputs)}"
            diagnostics.error(NOT_AN_INPUT, span, message, hint)


def _check_error_readers(workloads: tuple[Workload, ...], diagnostics: Diagnostics) -> None:
    """`on_record_error: fail` contradicts a reader of `<name>.errors` (language, section 5)."""
    readers = {
        edge.source: edge.span for one in workloads for edge in one.stream_edges if edge.errors
    }
    for workload in workloads:
        if workload.on_record_error == "fail" and workload.name in readers:
            note = Note(readers[workload.name], "its record errors are read here")
            message = "`on_record_error: fail` and a reader of its errors exclude each other"
            diagnostics.error(FAIL_AND_ERRORS, workload.span, message, notes=[note])
