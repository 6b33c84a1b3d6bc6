"""A module's specification as stable text, for case files."""

from collections.abc import Iterator

from gxo.compiler.modules.spec import Kernel, ModuleSpec
from gxo.compiler.types import (
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Scalar,
    Shape,
    Special,
    Type,
)


def show_type(kind: Type) -> str:
    """`[text]`, `{text}`, `{a: int, b?: bool, key!: Secret}`, `each any`, `text as url`."""
    match kind:
        case Scalar(name, use):
            return f"{name} as {use}" if use else name
        case Special(name):
            return name
        case ListOf(item):
            return f"[{show_type(item)}]"
        case MapOf(value):
            return f"{{{show_type(value)}}}"
        case Choice(values):
            return "(" + ", ".join(map(repr, values)) + ")"
        case OneOf(options):
            return " | ".join(map(show_type, options))
        case PerRecord(item):
            return f"each {show_type(item)}"
        case OnDot(dot, item):
            return f"on {show_type(dot)} {show_type(item)}"
        case Shape():
            return f"{kind.name}{{{', '.join(_fields(kind))}}}"


def _fields(shape: Shape) -> Iterator[str]:
    for name, kind in shape.fields:
        secret = "!" if name in shape.secret else ""
        optional = "?" if name in shape.optional else ""
        yield f"{name}{secret}{optional}: {show_type(kind)}"


def show_spec(spec: ModuleSpec) -> str:
    return "\n".join(_lines(spec)) + "\n"


def _lines(spec: ModuleSpec) -> Iterator[str]:
    place = f"{spec.span.line}:{spec.span.column}-{spec.span.end_column}"
    yield f"{spec.name} is {spec.source}.{spec.function} at {place}"
    if spec.ports:
        shown = (port + "?" * (port in spec.optional_ports) for port in spec.ports)
        yield f"  ports {' '.join(shown)}"
    for param in spec.params:
        default = "" if param.required else f" = {param.default!r}"
        python = "" if param.python == param.name else f" ({param.python})"
        doc = f"  # {param.doc}" if param.doc else ""
        yield f"  {param.name}{python}: {show_type(param.type)}{default}{doc}"
    if spec.values is not None:
        yield f"  **: {show_type(spec.values)}"
    echo = " = the values" if spec.returns_values else ""
    yield f"  -> {spec.summary_name or 'a map'} {show_type(spec.summary)}{echo}"
    yield from _options(spec)
    doc = spec.doc
    for name in ("summary", "text", "returns", "raises", "example"):
        if getattr(doc, name):
            yield f"  {name}: {getattr(doc, name)!r}"


def show_kernel(kernel: Kernel) -> str:
    words = [kernel.kind, kernel.name, *kernel.takes, kernel.summary, "fresh" * kernel.fresh]
    return " ".join(filter(None, words))


def _options(spec: ModuleSpec) -> Iterator[str]:
    flags = ("changes", "idempotent", "retry_after_records", "per_record")
    options: dict[str, object] = {
        **{name: getattr(spec, name) for name in flags},
        "emits_when": spec.emits_when,
        "reads_when": spec.reads_when,
        "handle": spec.handle,
        "lifecycles": spec.lifecycles if spec.lifecycles != ("run_once",) else None,
        "effects": [
            " unless ".join((f"{effect.kind} {effect.param}", *effect.unless))
            for effect in spec.effects
        ],
        "needs": tuple(map(str, spec.needs)),
        "native": spec.native,
        "one_of": spec.one_of,
        "at_most_one": spec.at_most_one,
        "requires": spec.requires,
        "options": spec.options,
        "returns": dict(spec.returns),
        "sends": spec.sends,
        "keeps": spec.keeps,
        "drops": spec.drops,
        "kernel": spec.kernel and show_kernel(spec.kernel),
    }
    for name, value in options.items():
        if value:
            yield f"  {name} = {value}"
