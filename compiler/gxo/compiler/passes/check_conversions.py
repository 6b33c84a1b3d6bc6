"""Report values that can never become what their parameter takes.

before:  retry_attempts: "{{ .hosts }}"     a list, where an int is wanted
after:   error: parameter 'retry_attempts' of http:request must be an int, not a list

What only the run can know (a text that may be an int's own) is converted, or is an error, there
(language, section 3, "Native values").
"""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.convertible import convertible
from gxo.compiler.ir.nodes import Computed, Copy, Fields, ForEach, Items, Plan, Value, Workload
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.ir.walk import every_call
from gxo.compiler.types import describe

WRONG_TYPE = "GXO0504"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_call(plan):
        for where, value in _computed(workload):
            known = value_type(value)
            if not convertible(known, value.type):
                message = f"{where} must be {describe(value.type)}, not {describe(known)}"
                diagnostics.error(WRONG_TYPE, value.span, message)
    return plan


def _computed(workload: Workload) -> Iterator[tuple[str, Computed]]:
    """Every template that becomes a value of a declared type, and what a message calls it."""
    if workload.loop:
        yield from _named("`loop`", workload.loop.items)
    module = workload.module.name if workload.module else ""
    for argument in workload.arguments:
        yield from _named(f"parameter '{argument.name}' of {module}", argument.value)


def _named(where: str, value: Value) -> Iterator[tuple[str, Computed]]:
    match value:
        case Computed(want="text" | "native"):
            yield where, value
        case Copy(inner) | ForEach(inner):
            yield from _named(where, inner)
        case Items(values):
            for index, item in enumerate(values):
                yield from _named(f"{where}[{index}]", item)
        case Fields(entries):
            for name, item in entries:
                yield from _named(f"{where}.{name}", item)
