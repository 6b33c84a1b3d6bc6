"""Check the records of a mock against those that the calls send which it answers.

before:  tail: exec, with stdout_to: lines          records of line (text), number (int)
         log: test:mock_module, of exec, with records: [{lin: a}]
after:   error: the records of 'tail' have no field `lin`, did you mean "line"?

Who reads them is compiled for those fields. What a record leaves out is missing, as in a summary.
"""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics, did_you_mean
from gxo.compiler.ir.convertible import holds
from gxo.compiler.ir.nodes import Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.record_shapes import input_shapes, output_shape, stream_order
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.ir.walk import blocks
from gxo.compiler.modules.mocked import EXPECTED, MOCK, MODULE, RECORDS
from gxo.compiler.modules.spec import ParamSpec
from gxo.compiler.types import Shape, describe

CONTRADICTS = "GXO0567"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    check_records(plan, plan, diagnostics)
    return plan


def check_records(test: Plan, calls: Plan, diagnostics: Diagnostics) -> None:
    """Check the test's mocks against what calls in a plan send: its own, or the included one."""
    mocks = [one for one in test.workloads if one.module and one.module.name == MOCK]
    for block in blocks(calls) if mocks else ():
        outputs: dict[str, Shape] = {}
        for workload in stream_order(block):
            outputs[workload.name] = output_shape(workload, input_shapes(workload, outputs))
            for mock in mocks:
                if _may_answer(mock, workload):
                    for record in _records(mock):
                        _check(record, workload, outputs[workload.name], diagnostics)


def _may_answer(mock: Workload, call: Workload) -> bool:
    """Whether the mock may answer the call, as far as both are literal."""
    of_mock, given = _arguments(mock), _arguments(call)
    match of_mock.get(MODULE):
        case Constant(name) if call.module is not None and call.module.name == name:
            pass
        case _:
            return False
    expected = of_mock.get(EXPECTED)
    for name, value in expected.entries if isinstance(expected, Fields) else ():
        found = given.get(name) or _default(call, name)
        if found is not None and _differ(value, found):
            return False
    return True


def _default(call: Workload, name: str) -> Value | None:
    """What the call has for a parameter that it leaves out; None where that is a list or a map."""
    match call.module.param(name) if call.module else None:
        case ParamSpec(default=str() | int() | float() | None as value):
            return Constant(value, call.span)
    return None


def _differ(wanted: Value, found: Value) -> bool:
    """Whether what a mock expects is not what a call has, in every run."""
    match wanted, found:
        case Constant(one), Constant(other):
            return one != other
        case Items(some), Items(others):
            return len(some) != len(others) or any(map(_differ, some, others))
        case Fields(entries), Fields(others):
            there = dict(others)
            return any(name not in there or _differ(one, there[name]) for name, one in entries)
    return False


def _arguments(workload: Workload) -> dict[str, Value]:
    return {argument.name: argument.value for argument in workload.arguments}


def _records(mock: Workload) -> Iterator[Fields]:
    found = _arguments(mock).get(RECORDS)
    for record in found.values if isinstance(found, Items) else ():
        if isinstance(record, Fields):
            yield record


def _check(record: Fields, call: Workload, shape: Shape, diagnostics: Diagnostics) -> None:
    for name, value in record.entries:
        type_, known = shape.field(name), value_type(value)
        if type_ is None:
            message = f"the records of '{call.name}' have no field `{name}`"
            hint = did_you_mean(name, shape.names()) or f"they have {', '.join(shape.names())}"
        elif not holds(known, type_):
            message = (
                f"`{name}` of the records of '{call.name}' is {describe(type_)}, "
                f"not {describe(known)}"
            )
            hint = None
        else:
            continue
        diagnostics.error(CONTRADICTS, value.span, message, hint, root=f"record {value.span}")
