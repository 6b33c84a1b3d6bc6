"""Leave out copies of the state that nobody could change.

    before:  control:identity(rows=copy(.users.rows))     gxo's own: it changes no parameter
             mine:sort(rows=copy(.users.rows))            a user's: it could
    after:   control:identity(rows=.users.rows)
             mine:sort(rows=copy(.users.rows))

That gxo's modules change nothing that they are given is tested in every case of `tests/stdlib`
(`Bench.call`). A copy stays where the value could reach somebody else who changes it: where the
module sends it on as records, which a fused loop may update, and in a playbook in which a user's
module gets the state by reference. A whole summary is copied too: the copy finds out when a dry run
does not know all of it. A template that changes maps (`set`) has its own copies already.
"""

from collections.abc import Callable

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Argument, Computed, Copy, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.walk import live_calls, map_workloads, with_arguments
from gxo.compiler.template.ast import Field, Root, Template
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.typed import mutates


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    shared = next(filter(_may_change_state, live_calls(plan)), None)
    return map_workloads(plan, lambda workload: _elide(workload, shared, diagnostics))


def _may_change_state(workload: Workload) -> bool:
    module = workload.module
    return module is not None and not module.is_own and not workload.policies.state_copies


def _elide(workload: Workload, shared: Workload | None, diagnostics: Diagnostics) -> Workload:
    def decide(copy: Copy, parameter: str) -> Value:
        reason = "its template copies what it reads"
        if not mutates(copy.value.template):
            kept = _why_kept(workload, parameter, shared)
            if not kept and _may_be_summary(copy.value):
                kept = "it may be a whole summary, of which a dry run does not know all"
            if kept:
                diagnostics.explain("elide_copies", copy.span, f"copied: {kept}")
                return copy
            assert workload.module is not None
            reason = f"{workload.module.name} does not change what it is given"
        diagnostics.explain("elide_copies", copy.span, f"not copied: {reason}")
        return copy.value

    def decided(argument: Argument) -> Value:
        return _decided(argument.value, lambda copy: decide(copy, argument.name))

    workload = with_arguments(workload, decided)
    loop = workload.loop
    if loop is not None:
        loop = replace(loop, items=_decided(loop.items, lambda copy: decide(copy, "")))
    return replace(workload, loop=loop)


def _why_kept(workload: Workload, parameter: str, shared: Workload | None) -> str:
    """Who could change the value; empty when nobody could."""
    module = workload.module
    if module is None or not module.is_own:
        return f"'{workload.name}' calls a module of yours, which could change it"
    if parameter in module.sends or (not parameter and module.sends):
        return f"{module.name} sends it on as records"
    if shared is not None:
        return f"'{shared.name}' reads the state by reference, and could change it"
    return ""


def _may_be_summary(value: Computed) -> bool:
    """Whether it could be, or hold, what a workload returns, and not only a field of that."""
    if not value.references.registers and not value.references.summaries:
        return False
    template = value.template
    match single_action(template) if isinstance(template, Template) else template:
        case Field(Root("register"), names):
            return all(isinstance(name, int) for name in names)
    return True


def _decided(value: Value, decide: Callable[[Copy], Value]) -> Value:
    """The value with each copy in it decided on."""
    match value:
        case Copy():
            return decide(value)
        case Items(values):
            return replace(value, values=tuple(_decided(item, decide) for item in values))
        case Fields(entries):
            pairs = tuple((name, _decided(item, decide)) for name, item in entries)
            return replace(value, entries=pairs)
    return value
