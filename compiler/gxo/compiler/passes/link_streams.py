"""Draw the stream edges from `stream_inputs`, and check that modules have the ports.

before:  b says stream_inputs: [a, c.errors], d says lifecycle: {policy: event_driven, source: a}
after:   b.stream_edges = (a, c's record errors), d.stream_edges = (the events of a)

Inputs that a module may read one after the other are marked where workloads would else wait for
each other in a circle (`ir/stalls.py`; language, section 5). Who reads from a background module is
in the background too. The streams of an `on_failure` or `finally` block stay inside it.
"""

from gxo.compiler.diagnostics import Diagnostics, Note, did_you_mean
from gxo.compiler.frontend.playbook import EventDriven, Name
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Plan, StreamEdge, Workload
from gxo.compiler.ir.stalls import inputs_that_stall
from gxo.compiler.ir.stream_names import stream_names
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.modules.spec import ModuleSpec

UNKNOWN_STREAM, READS_ITSELF, NO_PORT, NO_INPUT = "GXO0305", "GXO0602", "GXO0603", "GXO0604"
UNKNOWN_SOURCE, NO_STREAM, TWO_PLACES = "GXO0309", "GXO0620", "GXO0621"
LOOP_READS, NOT_AN_INPUT, FAIL_AND_ERRORS = "GXO0605", "GXO0606", "GXO0607"
LEAVES_BLOCK, WRONG_PLACE, USELESS_POLICY = "GXO0608", "GXO0623", "GXO0625"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    elsewhere = {workload.name for workload in every_workload(plan)}

    def linked(block: tuple[Workload, ...], *, outermost: bool = False) -> tuple[Workload, ...]:
        return _link(block, elsewhere, outermost, diagnostics)

    workloads = linked(plan.workloads, outermost=True)
    return replace(
        plan,
        workloads=tuple(replace(one, on_failure=linked(one.on_failure)) for one in workloads),
        cleanup=linked(plan.cleanup),
    )


def _link(
    block: tuple[Workload, ...], elsewhere: set[str], outermost: bool, diagnostics: Diagnostics
) -> tuple[Workload, ...]:
    """The workloads of one block, or of the playbook itself, with their edges.

    elsewhere: the names of all workloads, also of those whose streams are out of reach here.
    """
    by_name = {workload.name: workload for workload in block}
    linked = tuple(
        replace(one, stream_edges=_edges(one, set(by_name), elsewhere, diagnostics))
        for one in block
    )
    for workload in linked:
        # Events come from a `source`, which a lifecycle that cannot be read may name.
        may_have_source = outermost and isinstance(workload.decl.lifecycle, EventDriven | None)
        _check_ports(workload, may_have_source, diagnostics)
        _check_source(workload, by_name, diagnostics)
        _check_stream_names(workload, diagnostics)
        _check_place(workload, outermost, diagnostics)
    _check_error_readers(linked, diagnostics)
    _check_policies(linked, diagnostics)
    background = _background(linked)
    return tuple(replace(one, background=one.name in background) for one in _with_spills(linked))


def _with_spills(workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
    """Mark the inputs whose records must have another place to wait, or all would wait for ever."""
    found = inputs_that_stall(workloads)
    if not found:
        return workloads
    readers = {reader for reader, _ in found}

    def marked(workload: Workload) -> Workload:
        if workload.name not in readers:
            return workload
        edges = (
            replace(edge, spills=(workload.name, edge.name) in found)
            for edge in workload.stream_edges
        )
        return replace(workload, stream_edges=tuple(edges))

    return tuple(marked(one) for one in workloads)


def _background(workloads: tuple[Workload, ...]) -> set[str]:
    """The workloads of background modules, and those that read from them, directly or not."""
    readers: dict[str, list[str]] = {}
    for workload in workloads:
        for edge in workload.stream_edges:
            readers.setdefault(edge.source, []).append(workload.name)
    found = {one.name for one in workloads if one.module and one.module.background}
    waiting = list(found)
    while waiting:
        fresh = [name for name in readers.get(waiting.pop(), ()) if name not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


def _edges(
    workload: Workload, names: set[str], elsewhere: set[str], diagnostics: Diagnostics
) -> tuple[StreamEdge, ...]:
    edges: dict[str, StreamEdge] = {}
    for name in workload.decl.stream_inputs:
        edge = _edge(name)
        if edge.source in elsewhere - names:
            message = f"the stream of '{edge.source}' cannot be read here: it is in another block"
            hint = "streams of `on_failure` and `finally` stay inside one block"
            diagnostics.error(LEAVES_BLOCK, name.span, message, hint)
        elif edge.source not in names:
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


def _check_place(workload: Workload, outermost: bool, diagnostics: Diagnostics) -> None:
    """A background module runs as long as the job, so it cannot be one of several in turn; and one
    that waits for somebody outside cannot be in a block, which has little time."""
    module = workload.module
    if module is None:
        return
    if module.background and not outermost:
        message = f"{module.name} runs in the background, and cannot run in a block"
    elif module.background and workload.decl.loop:
        message = f"{module.name} runs in the background, and cannot be repeated by a `loop`"
    elif module.pauses and not outermost:
        message = f"{module.name} waits for somebody outside, and cannot run in a block"
    else:
        return
    hint = "give it a workload of its own, outside `on_failure` and `finally`"
    diagnostics.error(WRONG_PLACE, workload.decl.module.span, message, hint)


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
        diagnostics.error(NO_STREAM, source.span, message, _how_it_emits(module))
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


def _check_policies(workloads: tuple[Workload, ...], diagnostics: Diagnostics) -> None:
    """A `channel_policy` is for the streams that its own workload sends (language, section 2)."""
    rejects = {edge.source for one in workloads for edge in one.stream_edges if edge.errors}
    for workload in workloads:
        policy, module = workload.decl.channel_policy, workload.module
        has_none = not workload.emits and workload.is_understood and workload.name not in rejects
        if policy and module and has_none:
            message = f"channel_policy does nothing here: {module.name} sends no records"
            hint = _how_it_emits(module)
            if hint is None and workload.stream_edges:
                names = " and ".join(f"'{edge.source}'" for edge in workload.stream_edges)
                hint = f"it is for what a workload sends: give it to {names}"
            diagnostics.warning(USELESS_POLICY, policy.span, message, hint)


def _how_it_emits(module: ModuleSpec) -> str | None:
    """What gives a module that sends no records here a stream, if anything does."""
    if not module.emits_when:
        return None
    return f"{module.name} has a stream with the parameter `{module.emits_when}`"
