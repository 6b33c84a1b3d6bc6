"""Check the parameters that name fields of the records a workload reads.

before:  amounts: data:map with fields: {team: ..., amount: ...}
         by-team: data:aggregate with source_field: amout
after:   error: `amout` is no field of these records, did you mean "amount"?

A name that no record has would be null in each of them, and nothing would say so. Only records
whose fields are known are looked at (`ir/record_shapes.py`).
"""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean
from gxo.compiler.ir.nodes import Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.record_shapes import (
    Inputs,
    input_shapes,
    output_shape,
    records_of,
    stream_order,
)
from gxo.compiler.ir.step_shapes import StepShapes
from gxo.compiler.ir.steps import Graph, kind
from gxo.compiler.ir.stream_names import named_stream
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.types import UNKNOWN_RECORD, ListOf, OneOf, Shape, Special, Type

NO_FIELD = "GXO0302"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    outputs: dict[str, Shape] = {}
    for workload in stream_order(every_workload(plan)):
        inputs = input_shapes(workload, outputs)
        outputs[workload.name] = output_shape(workload, inputs)
        _check_arguments(workload, inputs, diagnostics)
        if workload.steps:
            _check_steps(workload, records_of(inputs), diagnostics)
    return plan


def _check_steps(pipeline: Workload, events: Shape, diagnostics: Diagnostics) -> None:
    shapes = StepShapes(Graph(pipeline), events)
    for step in pipeline.steps:
        shapes.learn(step)
        if kind(step) != "call":
            _check_arguments(step, shapes.inputs(step), diagnostics)


def _check_arguments(workload: Workload, inputs: Inputs, diagnostics: Diagnostics) -> None:
    records = records_of(inputs)
    for argument in workload.arguments if inputs else ():
        for name, span, shape in _named(argument.value, argument.type, records, inputs):
            _check(name, span, shape, diagnostics)


def _named(
    value: Value, type_: Type, records: Shape, inputs: Inputs
) -> Iterator[tuple[str, Span, Shape]]:
    """The field names in a parameter, each with the records that must have it."""
    match type_, value:
        case Special("FieldName"), Constant(str(name), span):
            yield name, span, records
        case OneOf(options), _:
            for option in options:
                yield from _named(value, option, records, inputs)
        case ListOf(item), Items(values):
            for one in values:
                yield from _named(one, item, records, inputs)
        case Shape(), Fields(entries):
            stream = named_stream(type_, entries)
            if stream is not None:
                records = inputs.get(stream, UNKNOWN_RECORD)
            for key, one in entries:
                field = type_.field(key)
                if field is not None:
                    yield from _named(one, field, records, inputs)


def _check(name: str, span: Span, shape: Shape, diagnostics: Diagnostics) -> None:
    if shape.field(name) is not None:
        return
    known = shape.names()
    hint = did_you_mean(name, known) or f"they have: {', '.join(known[:10]) or 'nothing'}"
    diagnostics.error(NO_FIELD, span, f"`{name}` is no field of these records", hint)
