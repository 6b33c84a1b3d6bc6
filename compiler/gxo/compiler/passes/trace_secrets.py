"""Find which secrets each workload needs, so that they are looked up before it starts.

    before:  bearer: "{{ secret 'API_TOKEN' }}", x: "{{ .dsn }}", vars: {dsn: "{{ secret 'DB' }}"}
    after:   workload.secrets = ("API_TOKEN", "DB"), plan.secrets = ("API_TOKEN", "DB")

A secret in a var belongs to every workload that reads the var (language, section 8). A secret input
is the secret of its name.
"""

from collections.abc import Iterable

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.calls import variables
from gxo.compiler.ir.nodes import Computed, Plan, Workload
from gxo.compiler.ir.order import reading_order
from gxo.compiler.ir.walk import (
    computed,
    every_workload,
    live_calls,
    map_workloads,
    workload_templates,
)


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    del diagnostics
    inputs = frozenset(decl.name for decl in plan.inputs if decl.secret)
    by_var = _secrets_of_vars(plan, inputs)

    def trace(workload: Workload) -> Workload:
        return replace(workload, secrets=_secrets(workload_templates(workload), inputs, by_var))

    traced = map_workloads(plan, trace)
    every = {name for workload in every_workload(traced) for name in workload.secrets} | inputs
    every.update(name for names in by_var.values() for name in names)
    environment = {
        name
        for workload in every_workload(plan)
        for template in workload_templates(workload)
        for name in template.references.env
    }
    environment.update(name for one in live_calls(plan) for name in variables(one))
    environment.update(
        name for var in plan.vars for one in computed(var.value) for name in one.references.env
    )
    return replace(traced, secrets=tuple(sorted(every)), environment=tuple(sorted(environment)))


def _secrets_of_vars(plan: Plan, inputs: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """The secrets of each var, those of the vars it reads included."""
    templates = {var.name: computed(var.value) for var in plan.vars}
    reads = {
        name: sorted({other for one in values for other in one.references.vars})
        for name, values in templates.items()
    }
    found: dict[str, tuple[str, ...]] = {}
    for name in reading_order(reads):
        found[name] = _secrets(templates[name], inputs, found)
    return found


def _secrets(
    templates: Iterable[Computed], inputs: frozenset[str], by_var: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    names: set[str] = set()
    for template in templates:
        names |= template.references.secrets | (template.references.inputs & inputs)
        for var in template.references.vars:
            names.update(by_var.get(var, ()))
    return tuple(sorted(names))
