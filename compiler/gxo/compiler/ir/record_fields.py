"""Which fields a workload's records are known to have, from what the playbook itself says.

    before:  data:map with fields: {id: ..., total: ...}
    after:   {id, total}

Nothing is claimed about records that come from outside: unknown sources have no known fields.
"""

import re
from collections.abc import Callable, Mapping

from gxo.compiler.ir.nodes import Constant, Fields, ForEach, Items, Plan, Value, Workload

Known = frozenset[str]
NOTHING: Known = frozenset()


def record_fields(plan: Plan) -> Mapping[str, Known]:
    """Workload name to the fields that its output records are known to have."""
    by_name = {workload.name: workload for workload in plan.workloads}
    found: dict[str, Known] = {}
    entered: set[str] = set()
    for root in by_name:
        pending = [root]
        while pending:
            name = pending[-1]
            missing = [
                source
                for source in _sources(by_name[name])
                if source in by_name and source not in entered
            ]
            entered.update((name, *missing))
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            found[name] = _output(by_name[name], input_fields(by_name[name], found))
    return found


def _output(workload: Workload, upstream: Known) -> Known:
    rule = _RULES.get(workload.module.name if workload.module else "")
    arguments = {argument.name: argument.value for argument in workload.arguments}
    return rule(arguments, upstream) if rule else NOTHING


def input_fields(workload: Workload, outputs: Mapping[str, Known]) -> Known:
    """The fields that the records which the workload reads are known to have."""
    return NOTHING.union(*(outputs.get(source, NOTHING) for source in _sources(workload)))


def _sources(workload: Workload) -> list[str]:
    return [name.text for name in workload.decl.stream_inputs]


def _keys(value: Value | None) -> Known:
    match value:
        case ForEach(inner):
            return _keys(inner)
        case Fields(entries):
            return frozenset(name for name, _ in entries)
        case Items(values):
            return NOTHING.union(*(_keys(item) for item in values))
    return NOTHING


def _texts(value: Value | None) -> Known:
    items = value.values if isinstance(value, Items) else ()
    return frozenset(str(item.value) for item in items if isinstance(item, Constant))


def _generated(arguments: dict[str, Value], _: Known) -> Known:
    return _keys(arguments.get("items"))


def _mapped(arguments: dict[str, Value], upstream: Known) -> Known:
    keep = arguments.get("keep")
    kept = upstream if isinstance(keep, Constant) and keep.value else NOTHING
    made = _keys(arguments.get("fields")) | _keys(arguments.get("template"))
    return (kept | made) - _texts(arguments.get("drop"))


def _parsed(arguments: dict[str, Value], _: Known) -> Known:
    options = arguments.get("format_options")
    given = dict(options.entries) if isinstance(options, Fields) else {}
    kind = arguments.get("format")
    if isinstance(kind, Constant) and kind.value == "text_lines":
        return frozenset({"line", "number"})
    pattern = given.get("pattern")
    named = (
        re.findall(r"\(\?P?<(\w+)>", str(pattern.value)) if isinstance(pattern, Constant) else []
    )
    return frozenset(named) | _texts(given.get("headers"))


def _aggregated(arguments: dict[str, Value], _: Known) -> Known:
    made = arguments.get("aggregate_fields")
    named = [
        value.value
        for item in (made.values if isinstance(made, Items) else ())
        for key, value in (item.entries if isinstance(item, Fields) else ())
        if key == "name" and isinstance(value, Constant)
    ]
    return _texts(arguments.get("group_by_fields")) | frozenset(str(name) for name in named)


def _as_read(_: dict[str, Value], upstream: Known) -> Known:
    return upstream


_RULES: Mapping[str, Callable[[dict[str, Value], Known], Known]] = {
    "data:generate_from_list": _generated,
    "data:map": _mapped,
    "data:parse": _parsed,
    "data:aggregate": _aggregated,
    "data:join": _as_read,
    "data:filter": _as_read,
    "data:flatten": _as_read,
    "data:limit": _as_read,
    "passthrough": _as_read,
}
