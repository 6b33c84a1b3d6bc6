"""The steps of a `stream:pipeline` as a graph: what each does with records, and what it can see.

    before:  parsed: data:map;  counted: data:aggregate, needs parsed;  alert: exec, needs counted
    after:   parsed is a transform, counted a join, alert a call; alert's events are the records of
             counted, so alert sees counted's result and not parsed's

A step's module says which kind it is:

call       reads no stream: it is called once for each record that the step gets, and its summary
           (or, if it is a source, each record that it sends) is what the step emits
transform  `per_record`: one call for all records; what it sends belongs to the event that it reads
join       one call for all records too, but what it sends belongs to none of the events: each such
           record is an event of its own for the steps after it. A module that reads a stream and
           sends none emits its summary, once, when its records have ended.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Literal

from gxo.compiler.ir.nodes import Workload

Kind = Literal["call", "transform", "join"]
EVENTS = ""
"""The origin of steps that work on the pipeline's own events."""


def kind(step: Workload) -> Kind:
    """What the step does with records; one whose module is unknown is a call."""
    module = step.module
    if module is None or not (module.records or module.inputs):
        return "call"
    if {"records", "inputs"} & module.optional_ports and not _gives(step, module.reads_when):
        return "call"
    return "transform" if module.per_record else "join"


def emits_records(step: Workload) -> bool:
    """Whether what the step emits are records that its module sends, and not its summary."""
    return step.module is not None and step.emits


def _gives(step: Workload, parameter: str | None) -> bool:
    return any(argument.name == parameter for argument in step.arguments)


class Graph:
    """The steps of one pipeline by id, and where each stands.

    Sets of steps are numbers with a bit for each: a chain of thousands costs next to nothing.
    """

    def __init__(self, pipeline: Workload) -> None:
        self.steps = {step.name: step for step in pipeline.steps}
        self._needs = {
            step.name: tuple(edge.source for edge in step.state_edges) for step in pipeline.steps
        }
        self._bits = {name: 1 << number for number, name in enumerate(self.steps)}
        self._before = dict.fromkeys(self.steps, 0)
        self._visible = dict.fromkeys(self.steps, 0)
        self._origins: dict[str, tuple[str, ...]] = dict.fromkeys(self.steps, (EVENTS,))
        self._sure: set[str] = set()
        self._order = tuple(self._sorted())
        for name in self._order:
            self._place(name)

    def in_order(self) -> tuple[Workload, ...]:
        """The steps, each after those that it needs, else in the order of the file; last those that
        circles keep from having an order."""
        with_circles = dict.fromkeys((*self._order, *self.steps))
        return tuple(self.steps[name] for name in with_circles)

    def needs(self, step: Workload) -> tuple[Workload, ...]:
        """The steps that it names, in its order."""
        return tuple(self.steps[name] for name in self._needs[step.name])

    def origins(self, step: Workload) -> tuple[str, ...]:
        """Whose records are its events: `EVENTS` or a join; several where its needs never meet."""
        return self._origins[step.name]

    def is_sure(self, step: Workload) -> bool:
        """Whether all that it needs, directly or not, is there, and nothing goes in a circle."""
        return step.name in self._sure

    def sees(self, step: Workload, name: str) -> bool:
        """Whether the step sees the result of that name."""
        return bool(self._visible[step.name] & self._bits[name])

    def seen(self, step: Workload) -> list[str]:
        """The names of all results that it sees."""
        return [name for name in self.steps if self.sees(step, name)]

    def depends_on(self, step: Workload, name: str) -> bool:
        """Whether the step needs the one of that name, directly or not."""
        return bool(self._before[step.name] & self._bits[name])

    def join_between(self, step: Workload, name: str) -> str:
        """The join that puts the result of that name out of the step's sight."""
        return next(
            join
            for join in self.seen(step)
            if kind(self.steps[join]) == "join" and self._before[join] & self._bits[name]
        )

    def _sorted(self) -> Iterator[str]:
        """The names in order; those in a circle, and behind one, are left out."""
        numbers = {name: number for number, name in enumerate(self.steps)}
        names = list(self.steps)
        waiting = {name: len(needs) for name, needs in self._needs.items()}
        followers: dict[str, list[str]] = {name: [] for name in names}
        for name, needs in self._needs.items():
            for need in needs:
                followers[need].append(name)
        ready = [numbers[name] for name in names if not waiting[name]]
        heapify(ready)
        while ready:
            name = names[heappop(ready)]
            yield name
            for follower in followers[name]:
                waiting[follower] -= 1
                if not waiting[follower]:
                    heappush(ready, numbers[follower])

    def _place(self, name: str) -> None:
        """What is known of a step follows from what is known of those that it needs."""
        step, needs = self.steps[name], self._needs[name]
        if len(needs) == len(step.decl.needs) and self._sure.issuperset(needs):
            self._sure.add(name)
        origins: dict[str, None] = {}
        for need in needs:
            self._before[name] |= self._before[need] | self._bits[need]
            self._visible[name] |= self._bits[need]
            if kind(self.steps[need]) == "join":
                origins[need] = None
            else:
                self._visible[name] |= self._visible[need]
                origins.update(dict.fromkeys(self._origins[need]))
        if needs:
            self._origins[name] = tuple(origins)
