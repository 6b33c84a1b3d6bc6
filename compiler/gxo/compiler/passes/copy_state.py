"""Give modules copies of the state that they could change.

    before:  items: Computed(.users.rows)            a list that the module holds
    after:   items: Copy(Computed(.users.rows))      a copy of that path only

Texts and numbers cannot be changed, and templates only read, so they need none; neither does a
workload with `state_policy: {access_mode: unsafe_direct_reference}`.
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Computed, Copy, ForEach, Plan, Value, Workload
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
    copied = with_arguments(workload, lambda argument: _with_copies(argument.value))
    if copied.loop is None:
        return copied
    return replace(copied, loop=replace(copied.loop, items=_with_copies(copied.loop.items)))


def _with_copies(value: Value) -> Value:
    return value if isinstance(value, ForEach) else rebuild(value, _copied)


def _copied(value: Computed) -> Value:
    reads_state = value.references.registers or value.references.vars or value.references.summaries
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
