"""The shape of a workload's output records, from what the playbook and its module say.

    data:map with fields: {id: "{{ int .id }}", name: ...}    a record with exactly id (int), name
    data:parse with format: jsonl                             a record of which nothing is known

A shape is claimed only where every record must have it; what comes from outside is open.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from gxo.compiler.ir.nodes import Computed, Constant, Fields, ForEach, Items, Value, Workload
from gxo.compiler.ir.order import reading_order
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.types import (
    ANY,
    FLOAT,
    INT,
    NIL,
    TEXT,
    UNKNOWN_RECORD,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    Type,
    one_of,
)

MAX_FIELDS = 1000
"""Of records with more fields nothing is claimed, or a chain of `keep` would repeat them all."""

Arguments = Mapping[str, Value]
Inputs = Mapping[str, Shape]
"""The shapes of the records that a workload reads, by the name in `stream_inputs` or `source`."""

_ERROR_RECORD = Shape(
    "record",
    (("record", MapOf(ANY)), ("error", TEXT), ("workload", TEXT), ("number", INT)),
)
"""A record of `<name>.errors` (language, section 5)."""


def stream_order(workloads: Iterable[Workload]) -> Iterator[Workload]:
    """The workloads, each after those whose records it reads; a circle is cut anywhere."""
    by_name = {workload.name: workload for workload in workloads}
    reads = {
        name: [source.text.partition(".")[0] for source in workload.decl.reads]
        for name, workload in by_name.items()
    }
    for name in reading_order(reads):
        yield by_name[name]


def input_shapes(workload: Workload, outputs: Mapping[str, Shape]) -> Inputs:
    """The shape of each stream that the workload reads."""
    shapes = {}
    for name in workload.decl.reads:
        source, _, suffix = name.text.partition(".")
        shapes[name.text] = _ERROR_RECORD if suffix else outputs.get(source, UNKNOWN_RECORD)
    return shapes


def merged(shapes: list[Shape]) -> Shape:
    """The shape of records that come from any of several streams."""
    if len(shapes) == 1:
        return shapes[0]
    fields = {name: one_of(possible) for name, possible in _possible(shapes)}
    required = [_required(shape) for shape in shapes]
    optional = frozenset(name for name in fields if not all(name in one for one in required))
    is_open = not shapes or any(shape.open for shape in shapes)
    return Shape("record", tuple(fields.items()), optional, open=is_open)


def _possible(shapes: list[Shape]) -> Iterator[tuple[str, list[Type]]]:
    """Each field that is known of any of the shapes, and its types in those that can have it."""
    tables = [(dict(shape.fields), shape.open) for shape in shapes]
    for name in dict.fromkeys(name for table, _ in tables for name in table):
        yield name, [table.get(name, ANY) for table, is_open in tables if is_open or name in table]


def _required(shape: Shape) -> frozenset[str]:
    """The fields that every record of the shape has."""
    return frozenset(shape.names()) - shape.optional


def records_of(inputs: Inputs, stream: str | None = None) -> Shape:
    """The shape of the records of one stream, or of any that is read."""
    if stream is not None:
        return inputs.get(stream, UNKNOWN_RECORD)
    return merged(list(inputs.values()))


def output_shape(workload: Workload, inputs: Inputs) -> Shape:
    """The shape of the records that the workload sends, its templates being bound."""
    rule = _RULES.get(workload.module.name if workload.module else "")
    if rule is None or not workload.is_understood:
        return UNKNOWN_RECORD
    shape = rule({argument.name: argument.value for argument in workload.arguments}, inputs)
    return shape if len(shape.fields) <= MAX_FIELDS else UNKNOWN_RECORD


def passes_on(workload: Workload) -> bool:
    """Whether its module sends the records that it reads, as they are."""
    return _RULES.get(workload.module.name if workload.module else "") is _same


# Rules, one a module -----------------------------------------------------------------------------


def _same(_: Arguments, inputs: Inputs) -> Shape:
    return records_of(inputs)


def _sorted(arguments: Arguments, inputs: Inputs) -> Shape:
    """The records read; but a step that sorts joins events, so it passes none of them on."""
    return _same(arguments, inputs)


def _generated(arguments: Arguments, _: Inputs) -> Shape:
    items = arguments.get("items")
    if isinstance(items, Items) and items.values:
        return merged([_as_record(value_type(item)) for item in items.values])
    kind = value_type(items) if items else ANY
    return _as_record(kind.item) if isinstance(kind, ListOf) else UNKNOWN_RECORD


def _as_record(type_: Type) -> Shape:
    """A map is a record as it is, anything else becomes `{item: value}`."""
    match type_:
        case Shape():
            return type_
        case MapOf() | OneOf():
            return UNKNOWN_RECORD
    return UNKNOWN_RECORD if type_ == ANY else Shape("record", (("item", type_),))


def _mapped(arguments: Arguments, inputs: Inputs) -> Shape:
    made = _record(arguments.get("template")) or _record(arguments.get("fields")) or ()
    drop, keep = arguments.get("drop"), arguments.get("keep")
    if not all(isinstance(one, Constant | Items | None) for one in (drop, keep)):
        return UNKNOWN_RECORD
    keeps = drop is not None or (isinstance(keep, Constant) and bool(keep.value))
    if not keeps:
        return Shape("record", made)
    kept, dropped = records_of(inputs), _texts(drop)
    if dropped is None:
        return UNKNOWN_RECORD
    own = dict(made)
    fields = {name: type_ for name, type_ in kept.fields if name not in dropped}
    optional = kept.optional.difference(own, dropped)
    return Shape("record", tuple((fields | own).items()), optional, open=kept.open)


def _record(value: Value | None) -> tuple[tuple[str, Type], ...] | None:
    """The fields that a value of `data:map` makes, each with its type."""
    match value:
        case ForEach(inner):
            return _record(inner)
        case Fields(entries):
            return tuple((name, value_type(item)) for name, item in entries)
    return None


def _texts(value: Value | None) -> frozenset[str] | None:
    """The texts of a literal list; None when it is not literal."""
    if value is None:
        return frozenset()
    if not isinstance(value, Items):
        return None
    texts = [item.value for item in value.values if isinstance(item, Constant)]
    return frozenset(map(str, texts)) if len(texts) == len(value.values) else None


def _parsed(arguments: Arguments, _: Inputs) -> Shape:
    options = arguments.get("format_options")
    given = dict(options.entries) if isinstance(options, Fields) else {}
    match arguments.get("format"):
        case Constant("text_lines"):
            return _LINE
        case Constant("csv" | "tsv"):
            headers = given.get("headers")
            columns = _texts(headers) if isinstance(headers, Items) else None
            return _of(columns, TEXT) if columns else UNKNOWN_RECORD
        case Constant("regex"):
            pattern = given.get("pattern")
            literal = pattern.value if isinstance(pattern, Constant) else None
            return _matched(literal) if isinstance(literal, str) else UNKNOWN_RECORD
    return UNKNOWN_RECORD


_LINE = Shape("record", (("line", TEXT), ("number", INT)))


def _matched(pattern: str) -> Shape:
    from gxo.runtime.errors import ExpressionError  # only this format needs the engine
    from gxo.runtime.regex import compile_pattern

    try:
        names = compile_pattern(pattern).names
    except ExpressionError:
        return UNKNOWN_RECORD
    return _of(names, OneOf((TEXT, NIL)))


def _of(names: "frozenset[str] | Mapping[str, int]", type_: Type) -> Shape:
    return Shape("record", tuple((name, type_) for name in sorted(names)))


def _executed(arguments: Arguments, _: Inputs) -> Shape:
    match arguments.get("stdout_to"):
        case Constant("lines"):
            return _LINE
    return UNKNOWN_RECORD


def _flattened(arguments: Arguments, inputs: Inputs) -> Shape:
    shape = records_of(inputs)
    match arguments.get("field"):
        case Constant(str(name)):
            element = shape.field(name)
            item = element.item if isinstance(element, ListOf) else ANY
            fields = dict(shape.fields) | {name: item}
            return Shape("record", tuple(fields.items()), shape.optional - {name}, open=shape.open)
    return UNKNOWN_RECORD


def _aggregated(arguments: Arguments, inputs: Inputs) -> Shape:
    upstream = records_of(inputs)
    groups = _literals(arguments.get("group_by_fields"))
    results = arguments.get("aggregate_fields")
    if groups is None or not isinstance(results, Items):
        return UNKNOWN_RECORD
    fields = {name: _grouped(upstream, name) for name in groups}
    for result in results.values:
        given = dict(result.entries) if isinstance(result, Fields) else {}
        match given.get("name"), given.get("op"):
            case Constant(str(name)), Constant(str(op)):
                fields[name] = _RESULTS.get(op, ANY)
            case _:
                return UNKNOWN_RECORD
    windows = [arguments[name] for name in ("window", "count") if name in arguments]
    fields |= dict.fromkeys(_BOUNDS if windows else (), TEXT)
    is_sure = any(isinstance(one, Constant) and one.value is not None for one in windows)
    optional = frozenset(() if is_sure or not windows else _BOUNDS)
    return Shape("record", tuple(fields.items()), optional)


_BOUNDS = ("window_start", "window_end")


def _literals(value: Value | None) -> tuple[str, ...] | None:
    """As `_texts`, in the list's order."""
    found = _texts(value)
    if found is None or value is None:
        return None if found is None else ()
    assert isinstance(value, Items)
    return tuple(str(item.value) for item in value.values if isinstance(item, Constant))


def _grouped(upstream: Shape, name: str) -> Type:
    """A group's own field, which is nil where the records lack it."""
    type_ = upstream.field(name) or NIL
    return type_ if upstream.requires(name) else one_of([type_, NIL])


_NUMBER: Type = OneOf((INT, FLOAT))
_RESULTS: Mapping[str, Type] = {
    "count": INT,
    "distinct": INT,
    "sum": _NUMBER,
    "avg": OneOf((INT, FLOAT, NIL)),
    "stddev": OneOf((INT, FLOAT, NIL)),
    "median": OneOf((INT, FLOAT, NIL)),
    "p95": OneOf((INT, FLOAT, NIL)),
    "collect": ListOf(ANY),
}


def _joined(arguments: Arguments, inputs: Inputs) -> Shape:
    sides = _sides(arguments.get("on"))
    output = arguments.get("output")
    inner = isinstance(kind := arguments.get("join_type"), Constant) and kind.value == "inner"
    if sides is None or isinstance(output, Computed) or set(sides) - set(inputs):
        return UNKNOWN_RECORD
    given = dict(output.entries) if isinstance(output, Fields) else {}
    match given.get("merge_strategy"):
        case None | Constant("flat"):
            return _flat([inputs[name] for name in sides], inner)
        case Constant("nested"):
            return _nested(sides, inputs, given.get("nesting_keys"), inner)
    return UNKNOWN_RECORD


def _sides(on: Value | None) -> list[str] | None:
    """The streams' names, the probe first; None where the playbook does not say them literally."""
    sides: list[tuple[bool, str]] = []
    for side in on.values if isinstance(on, Items) else ():
        given = dict(side.entries) if isinstance(side, Fields) else {}
        match given.get("stream"), given.get("role"):
            case Constant(str(stream)), Constant(str(role)):
                sides.append((role != "probe", stream))
            case _:
                return None
    return [stream for _, stream in sorted(sides, key=lambda side: side[0])] or None


def _flat(shapes: list[Shape], inner: bool) -> Shape:
    """All fields in one record; of two with one name the first shape's stays."""
    required = [_required(shape) if inner else frozenset[str]() for shape in shapes]
    fields = {
        name: types[0] if name in required[0] else one_of([*types, *([] if inner else [NIL])])
        for name, types in _possible(shapes)
    }
    optional = frozenset(fields).difference(*required)
    is_open = any(shape.open for shape in shapes)
    return Shape("record", tuple(fields.items()), optional, open=is_open)


def _nested(sides: list[str], inputs: Inputs, keys: Value | None, inner: bool) -> Shape:
    """A field for each stream, nil where the stream had no partner."""
    renamed = dict(keys.entries) if isinstance(keys, Fields) else {}
    names = {stream: one.value for stream, one in renamed.items() if isinstance(one, Constant)}
    if not isinstance(keys, Fields | None) or len(names) < len(renamed):
        return UNKNOWN_RECORD
    return Shape(
        "record",
        tuple(
            (
                str(names.get(stream, stream)),
                inputs[stream] if inner else OneOf((inputs[stream], NIL)),
            )
            for stream in sides
        ),
    )


def _batched(_: Arguments, inputs: Inputs) -> Shape:
    return Shape("record", (("records", ListOf(merged(list(inputs.values())))), ("count", INT)))


_RULES: Mapping[str, Callable[[Arguments, Inputs], Shape]] = {
    "data:aggregate": _aggregated,
    "data:batch": _batched,
    "data:dedupe": _same,
    "data:filter": _same,
    "data:flatten": _flattened,
    "data:generate_from_list": _generated,
    "data:join": _joined,
    "data:limit": _same,
    "data:map": _mapped,
    "data:parse": _parsed,
    "data:sample": _same,
    "data:sort": _sorted,
    "exec": _executed,
    "passthrough": _same,
}
