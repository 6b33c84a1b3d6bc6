"""The assertions of a `test:assert`, as far as the playbook lists them.

assertions: [{actual: "{{ .got.body }}", equal_to: hi}]     one, whose operator is equal_to
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gxo.compiler.ir.nodes import Fields, Items, Value, Workload

MODULE = "test:assert"
ACTUAL, MESSAGE = "actual", "message"


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion. number: from 1. operators: what it says of `actual`, of which there is one."""

    number: int
    fields: Fields
    actual: Value
    operators: tuple[tuple[str, Value], ...]


def listed(workload: Workload) -> Items | None:
    """The list of assertions; None of another module's workload, and where it is a template."""
    if workload.module is None or workload.module.name != MODULE:
        return None
    values = [one.value for one in workload.arguments if one.name == "assertions"]
    return values[0] if values and isinstance(values[0], Items) else None


def assertions(workload: Workload) -> Iterator[Assertion]:
    """Those that are maps with an `actual`."""
    found = listed(workload)
    for number, value in enumerate(found.values if found else (), 1):
        given = dict(value.entries) if isinstance(value, Fields) else {}
        if isinstance(value, Fields) and ACTUAL in given:
            operators = tuple(one for one in value.entries if one[0] not in (ACTUAL, MESSAGE))
            yield Assertion(number, value, given[ACTUAL], operators)
