"""Compute what is the same in every run.

    before:  {{ upper "ok" }}-{{ .name }}      {{ if eq "a" "b" }}x{{ else }}y{{ end }}
    after:   OK-{{ .name }}                    y

Inputs, vars, the environment, secrets, the clock and random numbers are never folded, and neither
is the definition of a var: whoever starts the job may give another value. See `template.folding`.
"""

from functools import partial

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Computed, Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import map_workloads, rebuild, with_arguments
from gxo.compiler.template.folding import Decided, fold
from gxo.compiler.template.resolve import references
from gxo.compiler.template.to_python import Want


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _fold(workload, diagnostics))


def _fold(workload: Workload, diagnostics: Diagnostics) -> Workload:
    change = partial(_folded, diagnostics=diagnostics)
    folded = with_arguments(workload, lambda argument: rebuild(argument.value, change))
    if isinstance(folded.when, Computed):
        when = change(folded.when)
        assert isinstance(when, Constant | Computed), "a condition is a bool"
        folded = replace(folded, when=when)
    if folded.loop is not None:
        folded = replace(
            folded, loop=replace(folded.loop, items=rebuild(folded.loop.items, change))
        )
    return folded


def _folded(value: Computed, diagnostics: Diagnostics) -> Value:
    tell = partial(diagnostics.explain, "fold_constants")
    template = fold(value.template, Want(value.want, value.type), tell)
    if isinstance(template, Decided):
        constant = _written(template.value, value.span)
        tell(value.span, f"the value is always {print_value(constant)}")
        return constant
    if template is value.template:
        return value
    return replace(value, template=template, references=references(template))


def _written(value: object, span: Span) -> Value:
    """The value as it would stand in the playbook."""
    match value:
        case list():
            return Items(tuple(_written(item, span) for item in value), span)
        case dict():
            pairs = tuple((str(key), _written(item, span)) for key, item in value.items())
            return Fields(pairs, span)
    assert value is None or isinstance(value, str | int | float | bool)
    return Constant(value, span)
