"""Walk and rebuild the values of a plan: every pass that looks at templates goes through here."""

from collections.abc import Callable, Iterator

from gxo.compiler.diagnostics import working_on
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import (
    Argument,
    Computed,
    Constant,
    Copy,
    Fields,
    ForEach,
    Items,
    Plan,
    Value,
    Workload,
)


def computed(value: Value | None) -> list[Computed]:
    """Every template in the value."""
    found: list[Computed] = []
    _gather(value, found)
    return found


def _gather(value: Value | None, found: list[Computed]) -> None:
    match value:
        case Computed():
            found.append(value)
        case Copy(inner) | ForEach(inner):
            _gather(inner, found)
        case Items(values):
            for item in values:
                _gather(item, found)
        case Fields(entries):
            for _, item in entries:
                _gather(item, found)


def workload_templates(workload: Workload) -> list[Computed]:
    """Every template of the workload itself: `when`, `loop`, the parameters, and its steps'.

    The parameters of a dead one are never evaluated.
    """
    found = computed(workload.when)
    if workload.loop:
        _gather(workload.loop.items, found)
    if workload.is_dead:
        return found
    for argument in workload.arguments:
        _gather(argument.value, found)
    for step in workload.steps:
        found += workload_templates(step)
    return found


def plan_templates(plan: Plan) -> Iterator[Computed]:
    """Every template of the plan: those of its vars, and of all workloads."""
    for var in plan.vars:
        yield from computed(var.value)
    for workload in every_workload(plan):
        yield from workload_templates(workload)


def rebuild(value: Value, change: Callable[[Computed], Value]) -> Value:
    """The value with every template replaced by what `change` makes of it."""
    match value:
        case Computed():
            return change(value)
        case Constant():
            return value
        case Copy(inner):
            inside = change(inner)
            return replace(value, value=inside) if isinstance(inside, Computed) else inside
        case ForEach(inner):
            return replace(value, value=rebuild(inner, change))
        case Items(values):
            return replace(value, values=tuple(rebuild(item, change) for item in values))
        case Fields(entries):
            pairs = tuple((name, rebuild(item, change)) for name, item in entries)
            return replace(value, entries=pairs)
    raise AssertionError(value)


def with_arguments(workload: Workload, change: Callable[[Argument], Value]) -> Workload:
    """The workload with each argument's value replaced by what `change` makes of the argument."""
    arguments = tuple(replace(argument, value=change(argument)) for argument in workload.arguments)
    return replace(workload, arguments=arguments)


def blocks(plan: Plan) -> Iterator[tuple[Workload, ...]]:
    """The playbook's workloads, then each `on_failure` block, then `finally`."""
    yield plan.workloads
    for workload in plan.workloads:
        yield workload.on_failure
    yield plan.cleanup


def every_workload(plan: Plan) -> Iterator[Workload]:
    """All workloads: the playbook's, those of its `on_failure` blocks, and `finally`."""
    for workload in (*plan.workloads, *plan.cleanup):
        yield workload
        yield from workload.on_failure


def every_call(plan: Plan) -> Iterator[Workload]:
    """Everything that calls a module: all workloads, and the steps of those that have some."""
    for workload in every_workload(plan):
        yield workload
        yield from workload.steps


def live_calls(plan: Plan) -> Iterator[Workload]:
    """Everything whose module can be called."""
    return (workload for workload in every_call(plan) if not workload.is_dead)


def map_workloads(plan: Plan, change: Callable[[Workload], Workload]) -> Plan:
    """The plan with every workload, also those in blocks, and every step replaced."""

    def at(workload: Workload) -> Workload:
        with working_on(workload.span):
            return change(workload)

    def with_steps(workload: Workload) -> Workload:
        changed = at(workload)
        return replace(changed, steps=tuple(map(at, changed.steps))) if changed.steps else changed

    def deep(workload: Workload) -> Workload:
        changed = with_steps(workload)
        if not workload.on_failure:
            return changed
        return replace(changed, on_failure=tuple(map(with_steps, workload.on_failure)))

    return replace(
        plan,
        workloads=tuple(deep(workload) for workload in plan.workloads),
        cleanup=tuple(deep(workload) for workload in plan.cleanup),
    )
