"""What must hold of a plan after every pass. A finding is a defect of gxo, never of the
playbook."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from gxo.compiler.ir.evaluation import (
    Place,
    is_code,
    is_helper,
    visited_call,
    visited_helper,
    visited_stage,
)
from gxo.compiler.ir.nodes import Computed, Copy, Fields, Items, Loop, Plan, Workload
from gxo.compiler.ir.walk import blocks, computed, every_call, every_workload
from gxo.compiler.template.ast import Expr, Shared
from gxo.compiler.template.evaluation import Visit, without_shared
from gxo.compiler.template.pprint import expression


class BrokenPlanError(Exception):
    """A pass left a plan that breaks an invariant; the message lists what is wrong."""


def verify(plan: Plan, after: str) -> None:
    """Raise BrokenPlanError if the plan that the pass `after` returned breaks an invariant."""
    problems = list(_problems(plan))
    if problems:
        raise BrokenPlanError(f"after {after}: " + "; ".join(problems))


def _problems(plan: Plan) -> Iterator[str]:
    names = {workload.name for workload in plan.workloads}
    if len(names) < len(plan.workloads):
        yield "two workloads have one name"
    registers = Counter(workload.register for workload in every_workload(plan))
    for register, count in registers.items():
        if register and count > 1:
            yield f"{count} workloads register '{register}'"
    for workload in plan.workloads:
        yield from _edge_problems(workload, names)
    for workload in every_workload(plan):
        ids = {step.name for step in workload.steps}
        for step in workload.steps:
            yield from _edge_problems(step, ids)
    for workload in every_call(plan):
        yield from _workload_problems(workload)
    yield from _loop_problems(plan)
    yield from _sharing_problems(plan)


def _loop_problems(plan: Plan) -> Iterator[str]:
    members = Counter(name for loop in plan.fused for name in loop.members)
    workloads = {one.name: one for block in blocks(plan) for one in block}
    for name, count in members.items():
        if name not in workloads:
            yield f"a loop has the member '{name}', which is not there"
        if count > 1:
            yield f"'{name}' is in {count} loops"
    for loop in plan.fused:
        if len(loop.members) < 2:
            yield f"the loop of '{loop.members[0]}' has no other member"
        for before, name in pairwise(loop.members):
            workload = workloads.get(name)
            if workload and [edge.name for edge in workload.stream_edges] != [before]:
                yield f"'{name}' is in a loop behind '{before}', and does not read it alone"


def _sharing_problems(plan: Plan) -> Iterator[str]:
    """What a function reads that it did not compute before."""
    for workload in every_call(plan):
        for call in workload.calls or (workload.arguments,):
            shared = _Shared()
            visited_call(workload, call, shared.at)
            yield from shared.problems
        for value in filter(is_helper, _own_templates(workload)):
            shared = _Shared()
            visited_helper(workload, value, shared.at)
            yield from shared.problems
    by_name = {workload.name: workload for workload in every_workload(plan)}
    for loop in plan.fused:
        shared = _Shared()
        for member in filter(None, map(by_name.get, loop.members)):
            if is_code(member):
                visited_stage(member, shared.at)
            else:
                shared.forget()
        yield from shared.problems


def _own_templates(workload: Workload) -> Iterator[Computed]:
    yield from computed(workload.when)
    yield from computed(workload.loop.items if workload.loop else None)
    for call in workload.calls or (workload.arguments,):
        for argument in call:
            yield from computed(argument.value)


class _Shared:
    """The shared values that have been met, in the order of evaluation."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._kept: dict[str, str] = {}

    def forget(self) -> None:
        """What comes next is not evaluated right after what came before."""
        self._kept.clear()

    def at(self, place: Place) -> Visit:
        def look(part: Expr, certain: bool, inside: Callable[[], Expr]) -> Expr:
            if isinstance(part, Shared):
                self._look(part, certain, f"'{place.workload.name}'")
            return inside()

        return look

    def _look(self, shared: Shared, certain: bool, where: str) -> None:
        name, value = shared.name, expression(without_shared(shared.value))
        if not shared.first:
            if self._kept.get(name) != value:
                self.problems.append(f"{where} reads '{name}', which nothing before it has kept")
            return
        if name in self._kept:
            self.problems.append(f"{where} keeps '{name}' a second time")
        if not certain:
            self.problems.append(f"{where} keeps '{name}' where it may not be evaluated")
        self._kept[name] = value


def _edge_problems(workload: Workload, names: set[str]) -> Iterator[str]:
    for source in workload.sources:
        if source not in names:
            yield f"'{workload.name}' has an edge from '{source}', which is not there"
        if source == workload.name:
            yield f"'{workload.name}' has an edge from itself"
    sources = Counter(edge.source for edge in workload.state_edges)
    for source, count in sources.items():
        if count > 1:
            yield f"'{workload.name}' has {count} state edges from '{source}'"


def _workload_problems(workload: Workload) -> Iterator[str]:
    name = workload.name
    if workload.module:
        for argument in workload.arguments:
            if workload.module.values is None and not workload.module.param(argument.name):
                yield f"'{name}' passes '{argument.name}', which {workload.module.name} has not"
    for argument in workload.arguments:
        if isinstance(argument.value, Copy) and argument.value.value.want != "native":
            yield f"'{name}' copies a rendered text"
    if workload.is_dead and workload.steps:
        yield f"'{name}' never runs, but has steps"
    if workload.loop and workload.loop.parallel < 1:
        yield f"'{name}' runs {workload.loop.parallel} instances at once"
    for call in workload.calls:
        if [one.name for one in call] != [one.name for one in workload.arguments]:
            yield f"a call of '{name}' has other arguments than the rest"
    if workload.calls and not _has_items(workload, len(workload.calls)):
        yield f"'{name}' has {len(workload.calls)} calls, and not as many items"
    if workload.retry and workload.retry.attempts < 2:
        yield f"'{name}' retries, but has one attempt"
    if workload.timeout is not None and workload.timeout <= 0:
        yield f"'{name}' has a time-out of {workload.timeout} s"


def _has_items(workload: Workload, count: int) -> bool:
    match workload.loop:
        case Loop(Items(values)):
            return len(values) == count
        case Loop(Fields(entries)):
            return len(entries) == count
    return False
