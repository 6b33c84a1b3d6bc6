"""Check that a join says of each of its streams, once, what it is and where its records' keys are.

before:  on: [{stream: orders, role: probe, field: id}, {stream: orders, role: build, field: id}]
after:   error: 'orders' is joined twice

The module says the same of what it is called with, but only when the job runs.
"""

from collections.abc import Iterable

from gxo.compiler.diagnostics import Diagnostics, Note, Span, did_you_mean
from gxo.compiler.ir.kernels import JOIN
from gxo.compiler.ir.nodes import Argument, Constant, Fields, Items, Plan, Value, Workload
from gxo.compiler.ir.walk import every_call

NOT_AN_INPUT, UNCLEAR_JOIN = "GXO0606", "GXO0624"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_call(plan):
        if workload.module is not None and workload.module.name == JOIN:
            _check(workload, diagnostics)
    return plan


def _check(workload: Workload, diagnostics: Diagnostics) -> None:
    arguments = {argument.name: argument for argument in workload.arguments}
    on = arguments.get("on")
    if on is None or not isinstance(on.value, Items):
        return  # what is wrong with it is said already
    sides = [side for side in on.value.values if isinstance(side, Fields)]
    for side in sides:
        _check_key(side, diagnostics)
    _check_roles([_part(side, "role") for side in sides], on.value.span, diagnostics)
    streams = [_part(side, "stream") for side in sides]
    if names := _literal(streams):
        _check_streams(names, workload, on.value.span, diagnostics)
        _check_nesting(arguments.get("output"), [name for name, _ in names], diagnostics)


def _part(side: Fields, name: str) -> Value | None:
    return dict(side.entries).get(name)


def _literal(values: Iterable[Value | None]) -> list[tuple[str, Span]]:
    """The texts, each with its place; none when the playbook leaves some of them open."""
    given = list(values)
    texts = [(str(one.value), one.span) for one in given if isinstance(one, Constant)]
    return texts if len(texts) == len(given) else []


def _check_key(side: Fields, diagnostics: Diagnostics) -> None:
    given = [name for name, _ in side.entries if name in ("field", "template")]
    if len(given) != 1:
        which = "both `field` and `template`" if given else "neither `field` nor `template`"
        message = f"this side of the join has {which}"
        hint = "name the field that holds the key, or write a template that makes it"
        diagnostics.error(UNCLEAR_JOIN, side.span, message, hint)


def _check_roles(roles: list[Value | None], on: Span, diagnostics: Diagnostics) -> None:
    literal = _literal(roles)
    probes = [span for role, span in literal if role == "probe"]
    if literal and not probes:
        message = "no stream has the role `probe`"
        hint = "the one that flows through is the probe; the others are held in memory"
        diagnostics.error(UNCLEAR_JOIN, on, message, hint)
    for span in probes[1:]:
        notes = [Note(probes[0], "the first one is here")]
        hint = "one stream flows through; the others have the role `build`"
        diagnostics.error(UNCLEAR_JOIN, span, "a join has one probe, not two", hint, notes)


def _check_streams(
    names: list[tuple[str, Span]], workload: Workload, on: Span, diagnostics: Diagnostics
) -> None:
    """Each stream is joined once, and there are two at least."""
    first: dict[str, Span] = {}
    for name, span in names:
        if first.setdefault(name, span) is not span:
            notes = [Note(first[name], "the first time is here")]
            diagnostics.error(UNCLEAR_JOIN, span, f"'{name}' is joined twice", notes=notes)
    inputs = [name.text for name in workload.decl.reads or workload.decl.needs]
    left_out = [name for name in inputs if name not in first]
    if len(first) < len(names) or first.keys() - set(inputs):
        return  # the one that is left out is the one that was meant
    if left_out:
        message = f"`on` leaves out '{left_out[0]}', which this workload reads"
        hint = "say its role, and where its records have their key"
        diagnostics.error(UNCLEAR_JOIN, on, message, hint)
    elif len(first) == 1:
        message = "a join has two streams at least"
        hint = "name the other one in `stream_inputs`, and say its role in `on`"
        diagnostics.error(UNCLEAR_JOIN, on, message, hint)


def _check_nesting(output: Argument | None, streams: list[str], diagnostics: Diagnostics) -> None:
    """Each stream gets a field of its own."""
    given = output.value if output and isinstance(output.value, Fields) else None
    keys = _part(given, "nesting_keys") if given else None
    if not isinstance(keys, Fields):
        return
    fields = _literal(value for _, value in keys.entries)
    renamed = dict(zip((stream for stream, _ in keys.entries), fields, strict=False))
    for stream, (_, span) in renamed.items():
        if stream not in streams:
            message = f"'{stream}' is no stream of this join"
            hint = did_you_mean(stream, streams) or f"they are: {', '.join(streams)}"
            diagnostics.error(NOT_AN_INPUT, span, message, hint)
    owners: dict[str, str] = {}
    for stream in dict.fromkeys(streams):
        field, span = renamed.get(stream, (stream, keys.span))
        owner = owners.setdefault(field, stream)
        if owner != stream:
            message = f"'{owner}' and '{stream}' would be in one field, '{field}'"
            diagnostics.error(UNCLEAR_JOIN, span, message, "give each stream a field of its own")
