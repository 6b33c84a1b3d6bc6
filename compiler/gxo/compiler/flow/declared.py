"""What a module's summary and records hold, from its declaration alone.

    returns={"path": ["path"]}, -> {path: str, stdout: str, exit_code: int}
    path: what the parameter holds     stdout: a text from outside     exit_code: nothing

A module that says nothing of a text got it from outside. What it does with its parameters' secrets
does not show in such a text: it is redacted when it enters the state (language, section 8).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gxo.compiler.diagnostics import Note
from gxo.compiler.flow.marks import CLEAN, Flow, Key, Kind, Marks, join, joined, outside
from gxo.compiler.flow.templates import at
from gxo.compiler.ir.nodes import Constant, Items, Workload
from gxo.compiler.modules.spec import RECORD_VALUES, RECORDS, ModuleSpec
from gxo.compiler.types import (
    ANY,
    TEXT,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    Special,
    Type,
)

MAX_FIELDS = 100
"""Of a record with more, each field counts as all of them: a chain of `keep` grows at each step."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a module: what each parameter holds that is given, and what the records hold."""

    workload: Workload
    module: ModuleSpec
    given: Mapping[str, Flow]
    records: Flow


def summary(call: Call) -> Flow:
    """What the summary holds."""
    module, where = call.module, call.workload.span
    name = call.workload.register or call.workload.name
    if module.returns_values:
        spans = {argument.name: argument.value.span for argument in call.workload.arguments}
        held = {key: Note(span, f"`{name}.{key}` holds it") for key, span in spans.items()}
        return Flow({}, {key: flow.through(held[key]) for key, flow in call.given.items()})
    note = Note(where, f"the result of `{call.workload.name}` comes from outside")
    declared = of_type(module.summary, outside(note), Note(where, f"`{name}` has a secret in it"))
    if not module.returns:
        return declared
    fields = dict(declared.fields)
    for key, sources in module.returns:
        flow = CLEAN if not sources else _first_given(call, sources)
        if flow is not None:
            fields[key] = flow.through(Note(where, f"`{name}.{key}` holds it"))
            if sources == (RECORDS,):
                fields[key] = Flow({}, {}, fields[key])
    return Flow(declared.marks, fields, declared.rest)


def records(call: Call) -> Flow:
    """What each record holds that the call sends."""
    module = call.module
    made = _first_given(call, module.sends)
    note = Note(call.workload.span, f"the records of `{call.workload.name}` hold it")
    if module.keeps is None and module.drops is None:
        if made is None:
            from_outside = f"the records of `{call.workload.name}` come from outside"
            return Flow(outside(Note(call.workload.span, from_outside)))
        return made.through(note)
    return over(made or CLEAN, _kept(call)).through(note)


def over(made: Flow, kept: Flow) -> Flow:
    """A record with the fields of `made`, and with those of `kept` that have other names."""
    fields = {name: kept.at(name) for name in kept.fields}
    fields |= {name: made.at(name) for name in made.fields}
    others = (made.rest or CLEAN).through(*made.notes)
    rest = joined([Flow(kept.marks), (kept.rest or CLEAN).through(*kept.notes), others])
    if len(fields) > MAX_FIELDS:
        return Flow(made.marks, {}, joined([*fields.values(), rest]))
    return Flow(made.marks, fields, rest)


def _kept(call: Call) -> Flow:
    """What stays of the record that was read."""
    given = {argument.name: argument.value for argument in call.workload.arguments}
    drops, keeps = given.get(call.module.drops or ""), given.get(call.module.keeps or "")
    if drops is None and (keeps is None or (isinstance(keeps, Constant) and not keeps.value)):
        return CLEAN
    listed = drops.values if isinstance(drops, Items) else ()
    gone: dict[Key, Flow] = {str(one.value): CLEAN for one in listed if isinstance(one, Constant)}
    read = call.records
    return Flow(
        {},
        {name: read.at(name) for name in read.fields} | gone,
        joined([Flow(read.marks), (read.rest or CLEAN).through(*read.notes)]),
    )


def _first_given(call: Call, sources: tuple[str, ...]) -> Flow | None:
    """What the first source holds that the playbook gives; None when it gives none of them."""
    for source in sources:
        if source == RECORDS:
            return call.records
        if source == RECORD_VALUES:
            return call.records.without()
        name, _, key = source.partition(".")
        flow = call.given.get(name)
        if flow is None or (key and key not in flow.fields):
            continue
        if any(effect.kind == "reads" and effect.param == name for effect in call.module.effects):
            return None
        parameter = call.module.param(name)
        is_list = parameter is not None and isinstance(parameter.type, ListOf)
        return flow.elements() if is_list else at(flow, (key,) if key else ())
    return None


def of_type(type_: Type, text: Marks, secret: Note) -> Flow:
    """What a value of the type holds whose texts have these marks; `secret` tells of a secret."""
    match type_:
        case Shape(fields=fields):
            return Flow({}, {name: of_type(item, text, secret) for name, item in fields})
        case ListOf(item) | MapOf(item):
            return Flow({}, {}, of_type(item, text, secret))
        case OneOf(options):
            return joined([of_type(option, text, secret) for option in options])
        case Special("Secret"):
            return join(Flow({Kind.SECRET: (secret,)}), Flow(text))
        case Special("WorkspacePath"):
            return Flow(text)
    return Flow(text) if type_ in (TEXT, ANY) else CLEAN
