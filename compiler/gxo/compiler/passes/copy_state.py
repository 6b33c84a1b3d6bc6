"""Give modules copies of the state that they could change.

    before:  items: Computed(.users.rows)            a list that the module holds
    after:   items: Copy(Computed(.users.rows))      a copy of that path only

The record and the results that a step of a pipeline reads are state too. Texts and numbers cannot
be changed, and templates only read, so they need none; neither does a workload with
`state_policy: {access_mode: unsafe_direct_reference}`.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Computed, Copy, ForEach, Plan, Value, Workload
from gxo.compiler.ir.steps import kind
from gxo.compiler.ir.walk import map_workloads, rebuild, with_arguments
from gxo.compiler.template.ast import Template
from gxo.compiler.template.check import type_of
from gxo.compiler.template.parse import single_action
from gxo.compiler.types import BOOL, FLOAT, INT, NIL, TEXT, Choice, OneOf, Special, Type


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    del diagnostics
    return map_workloads(plan, _copy)


def _copy(workload: Workload) -> Workload:
    if not workload.policies.state_copies:
        return workload
    of_event = kind(workload) == "call"
    copied = with_arguments(workload, lambda argument: _with_copies(argument.value, of_event))
    if copied.loop is None:
        return copied
    return replace(copied, loop=replace(copied.loop, items=_with_copies(copied.loop.items)))


def _with_copies(value: Value, of_event: bool = False) -> Value:
    """`of_event`: the records that it reads are other steps' too."""
    if isinstance(value, ForEach):
        return value
    return rebuild(value, lambda part: _copied(part, of_event))


def _copied(value: Computed, of_event: bool) -> Value:
    read = value.references
    reads_state = read.registers or read.vars or read.summaries or (of_event and read.records)
    if value.want != "native" or not reads_state or _immutable(value.type):
        return value
    template = value.template
    expression = single_action(template) if isinstance(template, Template) else template
    if expression is None or _immutable(type_of(expression)):
        return value
    return Copy(value, value.span)


def _immutable(type_: Type) -> bool:
    match type_:
        case Choice() | Special():
            return True
        case OneOf(options):
            return all(_immutable(option) for option in options)
    return type_ in (TEXT, INT, FLOAT, BOOL, NIL)
