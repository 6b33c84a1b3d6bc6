"""Parameters that name a stream: the join's `on: [{stream: orders, ...}]`."""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Span
from gxo.compiler.ir.nodes import Constant, Fields, Items, Value, Workload
from gxo.compiler.types import ListOf, OneOf, Shape, Special, Type


def stream_names(workload: Workload) -> Iterator[tuple[str, Span]]:
    """Each literal stream name in the arguments, and where it stands."""
    for argument in workload.arguments:
        yield from _names(argument.value, argument.type)


def _names(value: Value, type_: Type) -> Iterator[tuple[str, Span]]:
    match type_, value:
        case Special("StreamName"), Constant(str(name), span):
            yield name, span
        case ListOf(item), Items(values):
            for one in values:
                yield from _names(one, item)
        case Shape(), Fields(entries):
            for key, one in entries:
                field = type_.field(key)
                if field:
                    yield from _names(one, field)
        case OneOf(options), _:
            for option in options:
                yield from _names(value, option)
