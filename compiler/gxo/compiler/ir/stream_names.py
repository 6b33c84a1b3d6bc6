"""Parameters that name a stream: the join's `on: [{stream: orders, ...}]`.

What stands in a map beside such a name, a field or a template, is about that stream's records.
"""

from collections.abc import Iterable, Iterator

from gxo.compiler.diagnostics import Span
from gxo.compiler.ir.nodes import Constant, Fields, Items, Value, Workload
from gxo.compiler.types import ListOf, OneOf, Shape, Special, Type


def stream_names(workload: Workload) -> Iterator[tuple[str, Span]]:
    """Each literal stream name in the arguments, and where it stands."""
    for argument in workload.arguments:
        yield from _names(argument.value, argument.type)


def named_stream(shape: Shape, entries: Iterable[tuple[str, Value]]) -> str | None:
    """The stream that a map of this shape names, if it does so literally."""
    for key, value in entries:
        match shape.field(key), value:
            case Special("StreamName"), Constant(str(name)):
                return name
    return None


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
