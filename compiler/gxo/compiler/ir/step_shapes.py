"""The shapes of what the steps of a pipeline emit, learned as their templates are bound.

before:  events {url};  fetch: http:request;  ok: data:filter, needs fetch
after:   fetch emits {status_code, body, ...}, and so does ok
"""

from gxo.compiler.ir.nodes import Workload
from gxo.compiler.ir.record_shapes import Inputs, output_shape, passes_on
from gxo.compiler.ir.steps import EVENTS, Graph, emits_records, kind
from gxo.compiler.ir.value_types import register_type
from gxo.compiler.types import UNKNOWN_RECORD, Shape, Type


class StepShapes:
    """What is known of the records of one pipeline. events: the shape of those that it reads.

    `learn` is called with each step, after those that it needs.
    """

    def __init__(self, graph: Graph, events: Shape) -> None:
        self._graph = graph
        self._emitted: dict[str, Shape] = {EVENTS: events}
        self._results: dict[str, Type] = {}

    def learn(self, step: Workload) -> None:
        """Take up what the step emits, its templates being bound."""
        result = register_type(step)
        emitted = result if isinstance(result, Shape) else UNKNOWN_RECORD
        if emits_records(step):
            result = emitted = output_shape(step, self.inputs(step))
        self._emitted[step.name], self._results[step.name] = emitted, result

    def result(self, name: str) -> Type:
        """What `.name` is for the steps that see it."""
        return self._results.get(name, UNKNOWN_RECORD)

    def inputs(self, step: Workload) -> Inputs:
        """The shapes of what the step reads, by the names of the steps that it needs."""
        needs = [need.name for need in self._graph.needs(step)]
        if kind(step) != "join" and len(needs) > 1:
            return {EVENTS: self.event(step)}
        return {name: self._shape(name) for name in needs or [EVENTS]}

    def event(self, step: Workload) -> Shape:
        """The shape of the event that the step works on."""
        return self._shape(self._graph.origins(step)[0])

    def is_event(self, step: Workload) -> bool:
        """Whether the record that the step works on is the event itself."""
        needs = self._graph.needs(step)
        return len(needs) != 1 or self._source(needs[0]) == self._graph.origins(step)[0]

    def _shape(self, name: str) -> Shape:
        return self._emitted.get(name, UNKNOWN_RECORD)

    def _source(self, step: Workload) -> str:
        """The step that made the records that this one emits, or `EVENTS`."""
        entered: set[str] = set()
        while passes_on(step) and step.name not in entered:
            entered.add(step.name)
            needs = self._graph.needs(step)
            if len(needs) != 1:
                return step.name if needs else EVENTS
            step = needs[0]
        return step.name
