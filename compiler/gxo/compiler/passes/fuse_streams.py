"""Let chains of record modules share one loop (stream fusion).

    before:  parse -> active -> totals, three workloads with streams between them
    after:   the same, and "one loop parse active totals"

A chain begins with a module that makes records, or with one that reads the stream of any other
workload. Modules follow that are code of the loop, and at most one that gathers what has come. Each
reads the one before it alone, and nobody else does. A block has its own chains, as it has its own
streams. Of the steps of a `stream:pipeline`, which takes one event after the other through all of
them, those are in line in its loop that any loop could have between its ends:

    before:  step big: data:filter
    after:   step big: data:filter, and "in line"
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.kernels import AGGREGATE, FILTER, MAP, filter_condition, has_clock, map_parts
from gxo.compiler.ir.nodes import Constant, FusedLoop, Plan, StreamEdge, Workload
from gxo.compiler.ir.walk import blocks, map_workloads


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    loops = (loop for block in blocks(plan) for loop in _fuse(block, diagnostics))
    plan = replace(plan, fused=tuple(loops))

    def with_steps(workload: Workload) -> Workload:
        return replace(
            workload, steps=tuple(_put_in_line(step, diagnostics) for step in workload.steps)
        )

    return map_workloads(plan, with_steps)


def _fuse(workloads: Sequence[Workload], diagnostics: Diagnostics) -> Iterator[FusedLoop]:
    """The loops of the playbook's workloads, or of a block's."""
    by_name = {one.name: one for one in workloads}
    readers: dict[str, list[Workload]] = {}
    for workload in workloads:
        for edge in workload.stream_edges:
            readers.setdefault(edge.name, []).append(workload)
    behind: dict[str, str] = {}
    for reader in workloads:
        for edge in reader.stream_edges:
            link = _Link(by_name[edge.source], reader, edge, readers[edge.name])
            if obstacle := link.obstacle():
                diagnostics.explain("fuse_streams", reader.span, f"not fused: {obstacle}")
            else:
                behind[edge.source] = reader.name
    for loop in _loops(workloads, behind):
        words = f"fused into one loop: {', '.join(loop.members)}"
        diagnostics.explain("fuse_streams", by_name[loop.members[0]].span, words)
        yield loop


def _put_in_line(step: Workload, diagnostics: Diagnostics) -> Workload:
    """The step, in line if its module can be: what can be observed is the same in any case."""
    if step.is_dead:
        return step
    obstacle = _no_kernel(step) or _no_turns(step) or _only_run(step)
    words = f"not in line: {obstacle}" if obstacle else "in line in the loop of its pipeline"
    diagnostics.explain("fuse_streams", step.span, words)
    return replace(step, is_inline=not obstacle)


def _no_turns(step: Workload) -> str | None:
    """Why a step's kernel cannot take one event after the other."""
    assert step.module is not None and step.module.kernel is not None
    match step.module.kernel.kind:
        case "inline":
            return None
        case "tail":
            why = "which gathers records beside the events, and gives steps behind it events anew"
        case "head":
            why = "which makes records of its own, and is called for each event"
            if len(step.state_edges) > 1:
                why = "which reads its inputs one after the other, beside the events"
    return f"'{step.name}' is {step.module.name}, {why}"


def _loops(workloads: Sequence[Workload], behind: dict[str, str]) -> Iterator[FusedLoop]:
    """The chains, in the order of their first members."""
    inside = set(behind.values())
    for workload in workloads:
        name = workload.name
        if name in behind and name not in inside:
            members = [name]
            while members[-1] in behind:
                members.append(behind[members[-1]])
            yield FusedLoop(tuple(members))


@dataclass(frozen=True, slots=True)
class _Link:
    """A stream between two workloads, and all who read it."""

    source: Workload
    reader: Workload
    edge: StreamEdge
    readers: list[Workload]

    def obstacle(self) -> str | None:
        """Why the two cannot share a loop; None when they can."""
        source, reader = self.source, self.reader
        if self.edge.errors:
            return f"'{reader.name}' reads the record errors of '{source.name}'"
        if len(reader.stream_edges) > 1:
            return f"'{reader.name}' has {_number(len(reader.stream_edges))} inputs"
        if len(self.readers) > 1:
            return f"'{source.name}' has {_number(len(self.readers))} consumers"
        return _unfit(source) or _unfit(reader) or self._mismatch()

    def _mismatch(self) -> str | None:
        """Why their modules, each of which could be in a loop, cannot follow each other."""
        source, reader = self.source, self.reader
        assert source.module and source.module.kernel and reader.module and reader.module.kernel
        if source.module.kernel.kind == "tail":
            return f"'{source.name}', before it, gathers what it reads"
        if reader.module.kernel.kind == "head":
            return f"'{reader.name}' makes records of its own"
        if source.policies.channel.overflow != "block":
            return f"the stream of '{source.name}' may overflow"
        return None


def _unfit(workload: Workload) -> str | None:
    """Why the workload cannot be in any loop."""
    if reason := _no_kernel(workload):
        return reason
    if setting := next(_settings(workload), None):
        return f"'{workload.name}' has {setting}"
    return _only_run(workload)


def _no_kernel(workload: Workload) -> str | None:
    """Why a loop cannot do what its module does, whatever its parameters are."""
    name, module = workload.name, workload.module
    assert module is not None, "a plan with errors is not optimized"
    if not module.is_own:
        return f"'{name}' is {module.name}, which is not gxo's own"
    if module.kernel is None:
        return f"'{name}' is {module.name}, which cannot be a part of a loop"
    return None


def _only_run(workload: Workload) -> str | None:
    """Why a loop cannot do it with its parameters."""
    name, module = workload.name, workload.module
    assert module is not None
    if module.name == FILTER and filter_condition(workload) is None:
        return f"the condition of '{name}' is a constant"
    if module.name == AGGREGATE and has_clock(workload):
        return f"the windows of '{name}' end by the clock, also while no record comes"
    if module.name == MAP and map_parts(workload) is None:
        return f"what '{name}' makes is only known when it runs"
    return None


def _settings(workload: Workload) -> Iterator[str]:
    """What makes a workload more than one call of its module that takes all records."""
    lifecycle = workload.decl.lifecycle
    if lifecycle is not None and lifecycle.policy.text != "run_once":
        yield f"the lifecycle {lifecycle.policy.text}"
    if workload.background:
        yield "a stream from the background"
    if workload.when is not None and workload.when != Constant(True, workload.when.span):
        yield "a `when`"
    if workload.loop:
        yield "a `loop`"
    if workload.retry:
        yield "a `retry`"
    if workload.policies.skip_on_no_input:
        yield "`skip_on_no_input`"


def _number(count: int) -> str:
    return {2: "two", 3: "three"}.get(count, str(count))
