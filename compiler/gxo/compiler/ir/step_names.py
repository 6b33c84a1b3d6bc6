"""From a step's position in its pipeline to what its templates can name.

before:  alert needs counted (a join: fields ip, hits), counted needs parsed
after:   in alert, `.hits` is a field and `.counted` a result; `.parsed` is refused: counted joins
"""

from collections.abc import Callable
from dataclasses import dataclass

from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Workload
from gxo.compiler.ir.record_shapes import records_of
from gxo.compiler.ir.step_shapes import StepShapes
from gxo.compiler.ir.steps import EVENTS, Graph, kind
from gxo.compiler.template.ast import Root
from gxo.compiler.template.step_names import RecordNames, Refusal, StepNames
from gxo.compiler.types import UNKNOWN_RECORD

NOT_NEEDED, OUT_OF_SIGHT = "GXO0330", "GXO0331"


@dataclass(frozen=True, slots=True)
class PipelineNames:
    """The names of one pipeline's steps; `shapes` knows those that the step at hand needs."""

    graph: Graph
    shapes: StepShapes

    def of_when(self, step: Workload) -> StepNames:
        """For its `when`, which sees the record alone where a join reads those of several steps."""
        several = kind(step) == "join" and len(self.graph.needs(step)) > 1
        return self._alone(step) if several else self._per_event(step)

    def of_record(self, step: Workload, stream: str | None = None) -> StepNames:
        """For what is evaluated for each record: the parameters of a call, the per-record ones of a
        transform, and those of a join, which works on many events at once; maybe of one stream."""
        return self._alone(step, stream) if kind(step) == "join" else self._per_event(step)

    def _per_event(self, step: Workload) -> StepNames:
        if not self.graph.is_sure(step):
            return self._anything()
        joins = [origin for origin in self.graph.origins(step) if origin != EVENTS]
        why_not = _joined(joins[0]) if joins else None

        def find(name: str) -> Root | Refusal:
            return self._result(name) if self.graph.sees(step, name) else self._unseen(step, name)

        names = StepNames(self.graph.steps, find, self._records(step), why_not)
        # `{id: name, with: {fields: {name: "{{ upper .name }}"}}}` can only mean the field.
        others = self.graph.steps.keys() - {step.name}
        return replace(names, ids=others) if names.certain(step.name) else names

    def _alone(self, step: Workload, stream: str | None = None) -> StepNames:
        """The record without its event."""
        if not self.graph.is_sure(step):
            return self._anything()
        why = f"{_module(step)} joins events together, so its templates see the record alone"
        hint = f"{why}; put what you need into the record with a data:map before it"
        record = RecordNames("record", records_of(self.shapes.inputs(step), stream))
        return StepNames(self.graph.steps, self._refusing(step, hint), (record,), why)

    def once(self, step: Workload) -> StepNames:
        """For what is evaluated once, before the first event: the other parameters of a module
        that reads a stream."""
        why = f"this parameter of {_module(step)} is evaluated once, before the first event"
        return StepNames(self.graph.steps, self._refusing(step, why), why_not=why)

    def _anything(self) -> StepNames:
        """For a step whose needs are wrong: what that entails is not said a second time."""
        return StepNames(
            self.graph.steps,
            lambda name: Root("step", name),
            (RecordNames("record", UNKNOWN_RECORD),),
        )

    def _refusing(self, step: Workload, why: str) -> Callable[[str], Root | Refusal]:
        def find(name: str) -> Refusal:
            if self.graph.depends_on(step, name):
                return _out_of_sight(name, why)
            return self._unseen(step, name)

        return find

    def _unseen(self, step: Workload, name: str) -> Refusal:
        """Why the step does not see the result of that name."""
        graph = self.graph
        if graph.depends_on(step, name):
            return _out_of_sight(name, _joined(graph.join_between(step, name)))
        if name == step.name:
            message = f"`.{name}` is the result of this step itself"
            hint = "a step cannot read what it has yet to do; if a field is meant, rename the step"
            return Refusal(NOT_NEEDED, message, hint)
        if graph.depends_on(graph.steps[name], step.name):
            message = f"`.{name}` is the result of a step that runs after this one"
            return Refusal(NOT_NEEDED, message, f"step '{name}' needs this one")
        needs = ", ".join([*(need.name for need in graph.needs(step)), name])
        message = f"`.{name}` is the result of a step that this one does not need"
        return Refusal(NOT_NEEDED, message, f"add it: needs: [{needs}]")

    def _records(self, step: Workload) -> tuple[RecordNames, ...]:
        """The record that the step works on, and the event where that is another one."""
        [record] = self.shapes.inputs(step).values()
        own = RecordNames("record", record)
        if self.shapes.is_event(step):
            return (own,)
        return own, RecordNames("event", self.shapes.event(step))

    def _result(self, name: str) -> Root:
        return Root("step", name, self.shapes.result(name))


def _module(step: Workload) -> str:
    return step.module.name if step.module else step.decl.module.text


def _out_of_sight(name: str, why: str) -> Refusal:
    return Refusal(OUT_OF_SIGHT, f"the result of step `{name}` cannot be read here", why)


def _joined(join: str) -> str:
    return f"step '{join}' joins events together: after it, there is only what it sends"
