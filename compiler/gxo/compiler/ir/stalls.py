"""Streams on which workloads could wait for each other in a circle.

    events ─┬─> small ─┬─> joined      joined reads `small` to its end first: it waits for `small`,
            └──────────┘               `small` for `events`, and `events` for joined to take more

On each stream one side may wait for the other: the reader for records, or the producer for room.
Whoever is waited for may wait itself:

    b waits for records of a    a waits for records of what it reads, or for room in what else
                                reads it
    a waits for room in b       b waits for room in what reads it, or, if it reads one input after
                                the other, for records of another one

A circle of such waits goes down some streams and up others, and it turns upwards where a workload
leaves one input alone while it waits for another. If that one's records have another place to wait
(`StreamEdge.spills`), the circle cannot close. Streams that merely touch make no circle: there a
producer that waits for its readers is what keeps memory bounded.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from gxo.compiler.ir.kernels import JOIN
from gxo.compiler.ir.nodes import Constant, Fields, Items, Workload
from gxo.compiler.ir.order import knots


def inputs_that_stall(workloads: Sequence[Workload]) -> set[tuple[str, str]]:
    """Reader and input, for each input that could be left alone, or waited for, in a circle.

    The work grows with the streams, not with pairs of them.
    """
    if not any(next(_turns(one), None) for one in workloads):
        return set()
    waits = _Waits(workloads)
    knot = knots(waits.leads_to)
    return {
        (reader.name, name)
        for reader in workloads
        for left_alone, waited_for in _turns(reader)
        if knot[waits.for_room[reader.name, left_alone]]
        == knot[waits.for_records[reader.name, waited_for]]
        for name in (left_alone, waited_for)
    }


class _Waits:
    """The waits that are possible, as numbers, and for each one those that it may lead to.

    for_records, for_room: the two waits of each stream, by its reader and its name.
    """

    def __init__(self, workloads: Sequence[Workload]) -> None:
        self.leads_to: list[list[int]] = []
        self.for_records: dict[tuple[str, str], int] = {}
        self.for_room: dict[tuple[str, str], int] = {}
        outputs: dict[str, list[tuple[str, str]]] = {one.name: [] for one in workloads}
        for reader in workloads:
            for edge in reader.stream_edges:
                stream = (reader.name, edge.name)
                self.for_records[stream] = self._new()
                self.for_room[stream] = self._new()
                outputs[edge.source].append(stream)
        for workload in workloads:
            self._connect(workload, outputs[workload.name])

    def _connect(self, workload: Workload, outputs: list[tuple[str, str]]) -> None:
        """What a workload that others wait for may itself wait for."""
        inputs = [(workload.name, edge.name) for edge in workload.stream_edges]
        wanted = [self.for_records[stream] for stream in outputs]
        full = [self.for_room[stream] for stream in outputs]
        above = self._new(self.for_records[stream] for stream in inputs)
        below = self._new(full)
        for wait in wanted:
            self.leads_to[wait].append(above)
        self._lead_to_others(wanted, full)
        for stream in inputs:
            self.leads_to[self.for_room[stream]].append(below)
        for left_alone, waited_for in _turns(workload):
            wait = self.for_room[workload.name, left_alone]
            self.leads_to[wait].append(self.for_records[workload.name, waited_for])

    def _lead_to_others(self, waits: list[int], others: list[int]) -> None:
        """Let each wait lead to the others, but for the one in its own place."""
        pairs = list(zip(waits, others, strict=True))
        for ordered in (pairs, pairs[::-1]):
            passed = self._new()
            for wait, other in ordered:
                self.leads_to[wait].append(passed)
                passed = self._new((passed, other))

    def _new(self, leads_to: Iterable[int] = ()) -> int:
        self.leads_to.append(list(leads_to))
        return len(self.leads_to) - 1


def _turns(reader: Workload) -> Iterator[tuple[str, str]]:
    """The pairs of inputs of which the first may be left alone until the second has a record."""
    if reader.module is None or not reader.module.inputs or len(reader.stream_edges) < 2:
        return
    inputs = [edge.name for edge in reader.stream_edges]
    probe = _probe(reader)
    if probe in inputs:
        yield from ((probe, name) for name in inputs if name != probe)
    else:
        yield from permutations(inputs, 2)


def _probe(reader: Workload) -> str | None:
    """The stream that a `data:join` reads once it has read all others, which it reads at once."""
    assert reader.module is not None
    if reader.module.name != JOIN or not reader.module.is_own:
        return None
    for argument in reader.arguments:
        if argument.name == "on" and isinstance(argument.value, Items):
            sides = [dict(one.entries) for one in argument.value.values if isinstance(one, Fields)]
            for side in sides:
                match side.get("role"), side.get("stream"):
                    case Constant("probe"), Constant(str(name)):
                        return name
    return None
