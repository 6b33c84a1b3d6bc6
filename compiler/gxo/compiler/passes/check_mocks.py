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
        match value, given.get(name):
            case Constant(wanted), Constant(found) if wanted != found:
                return False
    return True


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
