"""What stands in the YAML, read as the type that the module declares for it.

    before:  {port: "8080", timeout: 30s, body: "{{ .users.body }}"}   against   int, Duration, Any
    after:   Constant(8080), Constant(30.0), Computed(.users.body, native)

Literals are converted and checked here (language, section 3, "Native values"); templates are
parsed and keep their type, so that the generated code converts what only the run can know.
"""

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean, nearest
from gxo.compiler.frontend.durations import parse_duration, parse_size
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, Sequence
from gxo.compiler.frozen import replace
from gxo.compiler.ir.json_template import read_record_template
from gxo.compiler.ir.nodes import (
    NO_REFERENCES,
    Computed,
    Constant,
    Fields,
    ForEach,
    Items,
    Value,
    Want,
)
from gxo.compiler.ir.stream_names import named_stream
from gxo.compiler.template.ast import Expr, Template
from gxo.compiler.template.parse import is_template, parse, parse_condition, single_action
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Shape,
    Special,
    Type,
    describe,
    is_text,
)

WRONG_TYPE, BAD_CHOICE, BAD_FORMAT, UNKNOWN_KEY, MISSING_KEY = (
    "GXO0504",
    "GXO0505",
    "GXO0506",
    "GXO0507",
    "GXO0508",
)
CONDITION = Special("Condition")
RECORD = MapOf(ANY)


def read_value(node: Node, type_: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    """Read a YAML node as a value of `type_`; `where` names it in messages ("parameter 'port'").

    Returns None after it reported what is wrong.
    """
    match type_:
        case PerRecord(item):
            value = _read_each(node, item, where, diagnostics)
            return value and ForEach(value, node.span)
        case OnDot(dot, item):
            value = read_value(node, item, where, diagnostics)
            return value and ForEach(value, node.span, dot=dot)
        case Special("Condition"):
            return _read_condition(node, where, diagnostics)
        case OneOf(options):
            return _read_union(node, options, where, diagnostics)
    match node:
        case Scalar():
            return _read_scalar(node, type_, where, diagnostics)
        case Sequence():
            return _read_sequence(node, type_, where, diagnostics)
        case Mapping():
            return _read_mapping(node, type_, where, diagnostics)


def literal_value(node: Node) -> Value:
    """The node as it stands: texts are no templates here (defaults and enums of inputs)."""
    match node:
        case Scalar():
            return Constant(node.value, node.span)
        case Sequence():
            return Items(tuple(literal_value(item) for item in node.items), node.span)
        case Mapping():
            pairs = tuple((e.key.text.value, literal_value(e.value)) for e in node.entries)
            return Fields(pairs, node.span)


def _read_each(node: Node, item: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    """A record that is written as text is a JSON template (catalogue, `data:map`)."""
    if item == RECORD and isinstance(node, Scalar) and _is_text(node):
        template = parse(node.text, diagnostics)
        return None if template is None else read_record_template(template, diagnostics)
    return read_value(node, item, where, diagnostics)


def _read_condition(node: Node, where: str, diagnostics: Diagnostics) -> Value | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, bool | str):
        return _wrong(node, CONDITION, where, diagnostics)
    if isinstance(node.value, bool):
        return Constant(node.value, node.span)
    template = parse_condition(node.text, diagnostics)
    return _computed(template, "condition", CONDITION, node.span)


def _read_union(
    node: Node, options: tuple[Type, ...], where: str, diagnostics: Diagnostics
) -> Value | None:
    """Read the node as the first option that its kind fits; a template fits any."""
    given = [option for option in options if option != NIL]
    if len(given) == 1 and not _is_nil(node):
        return read_value(node, given[0], where, diagnostics)
    fitting = [option for option in options if _fits(node, option)]
    if len(fitting) == 1 or (fitting and not _is_text_template(node)):
        return read_value(node, fitting[0], where, diagnostics)
    if not fitting:
        return _wrong(node, OneOf(options), where, diagnostics)
    assert isinstance(node, Scalar)
    rest = tuple(option for option in fitting if option != NIL)
    type_ = rest[0] if len(rest) == 1 else OneOf(rest)
    return _read_template(node, type_, where, diagnostics)


def _fits(node: Node, type_: Type) -> bool:
    if type_ == ANY:
        return True
    match type_:
        case PerRecord(item) if item == RECORD and _is_text(node):
            return True
        case PerRecord(item) | OnDot(_, item):
            return _fits(node, item)
        case OneOf(options):
            return any(_fits(node, option) for option in options)
    match node:
        case Mapping():
            return isinstance(type_, MapOf | Shape)
        case Sequence():
            return isinstance(type_, ListOf)
        case Scalar(value=None):
            return type_ == NIL
    if _is_text_template(node):
        return type_ != NIL
    return not isinstance(type_, MapOf | Shape | ListOf) and _scalar_matches(node.value, type_)


def _scalar_matches(value: object, type_: Type) -> bool:
    match type_:
        case Choice(values):
            return any(value == option and type(value) is type(option) for option in values)
        case _ if type_ == BOOL:
            return isinstance(value, bool)
        case _ if type_ in (INT, FLOAT):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Special("Duration"):
            return isinstance(value, str)
        case Special("Size"):
            return isinstance(value, str | int) and not isinstance(value, bool)
        case Special("Condition"):
            return isinstance(value, str | bool)
        case _ if type_ == NIL:
            return value is None
    return isinstance(value, str)


def _is_nil(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def _is_text_template(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str) and is_template(node.value)


def _read_scalar(node: Scalar, type_: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    if _is_text_template(node):
        return _read_template(node, type_, where, diagnostics)
    if type_ == ANY:
        return Constant(node.value, node.span)
    if isinstance(type_, ListOf | MapOf | Shape):
        return _wrong(node, type_, where, diagnostics)
    return _read_literal(node, type_, where, diagnostics)


def _read_template(node: Scalar, type_: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    if _holds_templates(type_):
        message = f"{where} must be written out: what is in it is evaluated for each record"
        diagnostics.error(WRONG_TYPE, node.span, message, "write a map whose values are templates")
        return None
    template = parse(node.text, diagnostics, secrets=not node.verbatim)
    if template is None:
        return None
    want: Want = "native" if not is_text(type_) and single_action(template) else "text"
    return _computed(template, want, type_, node.span)


def _holds_templates(type_: Type) -> bool:
    """Whether something in a value of the type is a template of its own, called by the module."""
    match type_:
        case ListOf(item) | MapOf(item):
            return isinstance(item, PerRecord | OnDot) or _holds_templates(item)
        case Shape(fields=fields):
            return any(_holds_templates(ListOf(item)) for _, item in fields)
        case OneOf(options):
            return any(_holds_templates(option) for option in options)
    return False


def _computed(
    template: Template | Expr | None, want: Want, type_: Type, span: Span
) -> Value | None:
    return None if template is None else Computed(template, want, type_, NO_REFERENCES, span)


def _read_literal(node: Scalar, type_: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    """Convert a literal: text to int, float or bool only if it is that value's own text."""
    value = node.value
    match type_:
        case Choice(values):
            if _scalar_matches(value, type_):
                return Constant(value, node.span)
            options = ", ".join(str(option) for option in values)
            diagnostics.error(
                BAD_CHOICE,
                node.span,
                f"{where} cannot be {_quoted(node)}; it is one of: {options}",
                did_you_mean(str(value), [str(option) for option in values]),
            )
            return None
        case Special("Duration" | "Size" as name):
            return _read_quantity(node, name, where, diagnostics)
        case Special("FileMode"):
            return _read_mode(node, where, diagnostics)
    if type_ == INT and isinstance(value, float) and value.is_integer():
        return Constant(int(value), node.span)
    if type_ == FLOAT and isinstance(value, int) and not isinstance(value, bool):
        return Constant(float(value), node.span)
    if isinstance(value, str) and type_ in (INT, BOOL):
        converted = _from_text(value, type_)
        if converted is not None:
            return Constant(converted, node.span)
    elif _scalar_matches(value, type_) and not (type_ == INT and isinstance(value, float)):
        return Constant(value, node.span)
    return _wrong(node, type_, where, diagnostics)


def _from_text(value: str, type_: Type) -> int | bool | None:
    if type_ == BOOL:
        return {"true": True, "false": False}.get(value)
    digits = value.removeprefix("-")
    own_text = digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0")
    return int(value) if own_text and value != "-0" else None


def _read_quantity(node: Scalar, name: str, where: str, diagnostics: Diagnostics) -> Value | None:
    if name == "Size" and isinstance(node.value, int) and not isinstance(node.value, bool):
        return Constant(node.value, node.span)
    read = parse_duration if name == "Duration" else parse_size
    example = (
        "a duration such as 250ms, 30s or 1h30m" if name == "Duration" else "a size such as 10MiB"
    )
    if isinstance(node.value, str):
        try:
            return Constant(read(node.value), node.span)
        except ValueError:
            pass  # said below, as for a value of another type
    diagnostics.error(BAD_FORMAT, node.span, f"{where} must be {example}, not {_quoted(node)}")
    return None


def _read_mode(node: Scalar, where: str, diagnostics: Diagnostics) -> Value | None:
    value = node.value
    if isinstance(value, str) and 3 <= len(value) <= 4 and set(value) <= set("01234567"):
        return Constant(value, node.span)
    message = f'{where} must be an octal file mode in quotes, such as "0644", not {_quoted(node)}'
    diagnostics.error(BAD_FORMAT, node.span, message)
    return None


def _read_sequence(
    node: Sequence, type_: Type, where: str, diagnostics: Diagnostics
) -> Value | None:
    if type_ == ANY:
        item: Type = ANY
    elif isinstance(type_, ListOf):
        item = type_.item
    else:
        return _wrong(node, type_, where, diagnostics)
    values = [
        read_value(value, item, f"{where}[{index}]", diagnostics)
        for index, value in enumerate(node.items)
    ]
    kept = tuple(value for value in values if value is not None)
    return Items(kept, node.span) if len(kept) == len(values) else None


def _read_mapping(node: Mapping, type_: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    match type_:
        case Shape():
            return _read_shape(node, type_, where, diagnostics)
        case MapOf(item):
            pass
        case _ if type_ == ANY:
            item = ANY
        case _:
            return _wrong(node, type_, where, diagnostics)
    entries = [
        (
            str(entry.key.text.value),
            read_value(entry.value, item, f"{where}.{entry.key.text.value}", diagnostics),
        )
        for entry in node.entries
    ]
    return _fields(entries, node.span)


def _read_shape(node: Mapping, shape: Shape, where: str, diagnostics: Diagnostics) -> Value | None:
    entries: list[tuple[str, Value | None]] = []
    names = [known for known, _ in shape.fields]
    for entry in node.entries:
        name = str(entry.key.text.value)
        field = shape.field(name)
        if field is None:
            hint = did_you_mean(name, names) or f"known keys: {', '.join(names)}"
            # A map with an anchor can be the parameter of several modules: the key is one mistake.
            diagnostics.error(
                UNKNOWN_KEY,
                entry.key.span,
                f'{where} has no key "{name}"',
                hint,
                root=f"key {entry.key.span}",
            )
            # A misspelt key is missing too, but that is one mistake.
            entries.append((nearest(name, names) or name, None))
        else:
            entries.append((name, read_value(entry.value, field, f"{where}.{name}", diagnostics)))
    given = {name for name, _ in entries}
    for name, _ in shape.fields:
        if name not in given and name not in shape.optional:
            diagnostics.error(MISSING_KEY, node.span, f'{where} needs the key "{name}"')
            entries.append((name, None))
    return _of_one_stream(_fields(entries, node.span), shape)


def _fields(entries: list[tuple[str, Value | None]], span: Span) -> Fields | None:
    kept = tuple((name, value) for name, value in entries if value is not None)
    return Fields(kept, span) if len(kept) == len(entries) else None


def _of_one_stream(fields: Fields | None, shape: Shape) -> Fields | None:
    """The map, whose templates see the records of the stream that it names, if it names one."""
    stream = named_stream(shape, fields.entries) if fields else None
    if fields is None or stream is None:
        return fields
    entries = (
        (name, replace(value, stream=stream) if isinstance(value, ForEach) else value)
        for name, value in fields.entries
    )
    return replace(fields, entries=tuple(entries))


def _wrong(node: Node, type_: Type, where: str, diagnostics: Diagnostics) -> Value | None:
    """Report a value of the wrong type; there is no value, so this returns None."""
    message = f"{where} must be {describe(type_)}, not {_quoted(node)}"
    hint = "put it in quotes" if type_ == TEXT and isinstance(node, Scalar) else None
    diagnostics.error(WRONG_TYPE, node.span, message, hint)
    return None


def _quoted(node: Node) -> str:
    """The value as a message shows it: its kind, and its text when that is short."""
    match node:
        case Mapping():
            return "a map"
        case Sequence():
            return "a list"
        case Scalar(value=None):
            return "nil"
        case Scalar(value=bool() as value):
            return f"the bool {str(value).lower()}"
        case Scalar(value=int() | float() as value):
            return f"the number {value}"
    text = node.text.value
    return f'the text "{text if len(text) <= 40 else text[:37] + "..."}"'
