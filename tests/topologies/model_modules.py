"""What each module makes of whole streams, with lists.

A stream is a set of strands. The records of a strand come in that order; between strands there is
none: one producer's stream is one strand, a fan-in has those of all.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import yaml

from tests.topologies.modules.flow import change_in_place
from tests.topologies.records import CONDITIONS, TEMPLATES, VALUES, Bad, Record, field

Strand = tuple[Record, ...]
Params = dict[str, Any]


class Unclear(Exception):
    """Chance decides more than the model follows."""


@dataclass(frozen=True)
class Flow:
    """A whole stream. exact: these records; else some of them, in any order. lasts: its seconds."""

    strands: tuple[Strand, ...] = ((),)
    exact: bool = True
    lasts: float = 0.0

    @property
    def records(self) -> list[Record]:
        return [record for strand in self.strands for record in strand]

    @property
    def is_ordered(self) -> bool:
        return self.exact and len([strand for strand in self.strands if strand]) < 2


@dataclass(frozen=True)
class Made:
    """What a module does. bad: records that it cannot process, in order, with their numbers.
    fails: it is to fail by itself. stops: it does not read to the end.
    """

    out: Flow = Flow()
    bad: tuple[tuple[tuple[int, Record], ...], ...] = ()
    fails: bool = False
    stops: bool = False


def merged(flows: Iterable[Flow]) -> Flow:
    """A fan-in."""
    every = list(flows)
    return Flow(
        tuple(strand for flow in every for strand in flow.strands) or ((),),
        all(flow.exact for flow in every),
        max((flow.lasts for flow in every), default=0.0),
    )


def each(flow: Flow, make: Callable[[Record], list[Record]]) -> Made:
    """Of each record some others, or a record error."""
    strands, bad = [], []
    for strand in flow.strands:
        good: list[Record] = []
        worse: list[tuple[int, Record]] = []
        for place, record in enumerate(strand, 1):
            try:
                good += make(record)
            except Bad:
                worse.append((place, record))
        strands.append(tuple(good))
        bad.append(tuple(worse))
    return Made(Flow(tuple(strands), flow.exact, flow.lasts), tuple(bad))


# Sources: the parameters are values by now


def generate_from_list(params: Params, flows: list[Flow]) -> Made:
    given = params["items"]
    flow = given if isinstance(given, Flow) else Flow((tuple(given),))
    return each(flow, lambda item: [item if isinstance(item, dict) else {"item": item}])


def parse(params: Params, flows: list[Flow]) -> Made:
    content = params.get("content", params.get("path"))
    if isinstance(content, Flow):
        strands = json.loads(json.dumps(content.strands))
        return Made(Flow(tuple(map(tuple, strands)), content.exact))
    if params["format"] == "csv":
        return Made(Flow((tuple(csv.DictReader(io.StringIO(content))),)))
    if params["format"] == "yaml":
        return Made(Flow((tuple(yaml.load(content, yaml.CSafeLoader)),)))
    lines = Flow((tuple({"line": line} for line in content.splitlines()),))

    def decoded(record: Record) -> list[Record]:
        try:
            return [json.loads(record["line"])]
        except ValueError:
            raise Bad from None

    return each(lines, decoded)


def source(params: Params, flows: list[Flow]) -> Made:
    items = params["items"]
    after = params.get("fails_after")
    sent = items if after is None else items[:after]
    batches, left, sizes = 0, len(sent), params["sizes"]
    while left > 0:
        left -= sizes[batches % len(sizes)]
        batches += 1
    lasts = max(batches - 1, 0) * float(params.get("every", "0s").removesuffix("s"))
    return Made(Flow((tuple(sent),), lasts=lasts), fails=after is not None)


# What makes records of records


def map_(params: Params, flows: list[Flow]) -> Made:
    return each(merged(flows), lambda record: _mapped(params, record))


def _mapped(params: Params, record: Record) -> list[Record]:
    if "template" in params:
        if record.get("by", "") is None:
            raise Bad
        fields = TEMPLATES[params["template"]]
        return [{name: record if name == "was" else field(name)(record) for name in fields}]
    made = {name: VALUES[text](record) for name, text in params.get("fields", {}).items()}
    if not params.get("keep", True):
        return [made]
    gone = params.get("drop", ())
    return [{name: value for name, value in record.items() if name not in gone} | made]


def filter_(params: Params, flows: list[Flow]) -> Made:
    return each(merged(flows), lambda record: _passed(params, record))


def _passed(params: Params, record: Record) -> list[Record]:
    return [record] if CONDITIONS[params["condition"]](record) else []


def pipeline(params: Params, flows: list[Flow]) -> Made:
    """Steps in a row, perhaps with a limit at their end, which ends no stream."""
    steps = params["steps"]
    most = [step["with"]["count"] for step in steps if step["uses"] == "data:limit"]

    def through(record: Record) -> list[Record]:
        made = [record]
        for step in steps[: len(steps) - len(most)]:
            do = _STEPS[step["uses"]]
            made = [after for before in made for after in do(step["with"], before)]
        return made

    made = each(merged(flows), through)
    if not most or len(made.out.records) <= most[0]:
        return made
    flow = Flow((tuple(made.out.records[: most[0]]),), made.out.is_ordered, made.out.lasts)
    return replace(made, out=flow)


def flatten(params: Params, flows: list[Flow]) -> Made:
    return each(merged(flows), lambda record: _flat(params, record))


def _flat(params: Params, record: Record) -> list[Record]:
    elements = record.get(params["field"], "")
    if elements is not None and not isinstance(elements, list):
        raise Bad
    return [record | {params["field"]: element} for element in elements or ()]


_STEPS: dict[str, Callable[[Params, Record], list[Record]]] = {
    "data:filter": _passed,
    "data:flatten": _flat,
    "data:map": _mapped,
}


def passthrough(params: Params, flows: list[Flow]) -> Made:
    return Made(merged(flows))


def change(params: Params, flows: list[Flow]) -> Made:
    def changed(record: Record) -> list[Record]:
        new = deepcopy(record)  # what is one object in a record is one in its copy
        change_in_place(new)
        return [new]

    return each(merged(flows), changed)


def slow(params: Params, flows: list[Flow]) -> Made:
    flow = merged(flows)
    pause = 1.0 if params["every"] == "1s" else 0.001
    lasts = max(flow.lasts, pause * len(flow.records)) if flow.exact else flow.lasts
    return Made(Flow(flow.strands, flow.exact, lasts))


def first(params: Params, flows: list[Flow]) -> Made:
    """`data:limit`, `flow:stop` and `flow:fail`."""
    flow = merged(flows)
    count = params.get("count", params.get("after", 0))
    if len(flow.records) < count:
        return Made(flow)
    if flow.is_ordered or not count:
        return Made(Flow((tuple(flow.records[:count]),)), stops=True)
    return Made(Flow(flow.strands, exact=False), stops=True)


def fail(params: Params, flows: list[Flow]) -> Made:
    made = first(params, flows)
    return Made(made.out, fails=True, stops=made.stops)


def by_turns(params: Params, flows: list[Flow]) -> Made:
    flow = merged(flows)
    if all(one.is_ordered for one in flows):
        flow = Flow((tuple(flow.records),), lasts=flow.lasts)
    return Made(flow)


# Aggregates


def aggregate(params: Params, flows: list[Flow]) -> Made:
    flow = merged(flows)
    fields, names = params["aggregate_fields"], params.get("group_by_fields", [])
    kinds: dict[str, type] = {}
    groups: dict[str, list[Record]] = {} if names else {"[]": []}

    def grouped(record: Record) -> list[Record]:
        for one in fields:
            _check_operand(one["op"], record.get(one["source_field"]), kinds, one["name"])
        key = json.dumps([record.get(name) for name in names])
        groups.setdefault(key, []).append(record)
        return []

    made = each(flow, grouped)
    if len(flow.strands) > 1 and any(made.bad) and fields[0]["op"] in ("min", "max"):
        raise Unclear  # which of two kinds is the bad one is for the first record to say
    results = tuple(
        {name: rows[0].get(name) for name in names}
        | {one["name"]: _aggregated(one["op"], one["source_field"], rows) for one in fields}
        for rows in groups.values()
    )
    is_steady = flow.is_ordered or not any(one["op"] in ("first", "last") for one in fields)
    is_steady &= not any(isinstance(record.get("n"), float) for record in flow.records)
    strands = (results,) if flow.is_ordered else tuple((result,) for result in results)
    return Made(Flow(strands, flow.exact and is_steady, flow.lasts), made.bad)


def _check_operand(operation: str, value: Any, kinds: dict[str, type], name: str) -> None:
    if value is None or operation in ("count", "first", "last", "distinct"):
        return
    kind = str if isinstance(value, str) else float
    if isinstance(value, bool | list | dict) or (kind is str and operation in ("sum", "avg")):
        raise Bad
    if operation in ("min", "max") and kinds.setdefault(name, kind) is not kind:
        raise Bad


def _aggregated(operation: str, name: str, rows: list[Record]) -> Any:
    values = [row[name] for row in rows if row.get(name) is not None]
    if operation == "count":
        return len(values)
    if operation == "sum":
        return sum(values)
    if operation == "distinct":
        return len({json.dumps(value) for value in values})
    if not values:
        return None
    if operation == "avg":
        return sum(values) / len(values)
    pick: dict[str, Callable[[Sequence[Any]], Any]] = {
        "min": min,
        "max": max,
        "first": lambda some: some[0],
        "last": lambda some: some[-1],
    }
    return pick[operation](values)


# Joins


def join(params: Params, flows: list[Flow]) -> Made:
    (probe, build), kind = flows, params["join_type"]
    probe_field, build_field = (one["field"] for one in params["on"])
    rows: list[tuple[Any, Record]] = []

    def load(record: Record) -> list[Record]:
        rows.append((_key(record.get(build_field)), record))
        return []

    loaded = each(build, load)
    nulls = dict.fromkeys(name for _, row in rows for name in row)
    seen: dict[str, None] = {}
    matched = set()

    def joined(record: Record) -> list[Record]:
        key = _key(record.get(probe_field))
        seen.update(dict.fromkeys(record))
        found = [row for other, row in rows if key is not None and other == key]
        if found:
            matched.add(key)
        elif kind in ("left", "outer"):
            return [nulls | record]
        return [row | record for row in found]

    made = each(probe, joined)
    strands = made.out.strands
    if kind in ("right", "outer"):
        rest = (seen | nulls | row for key, row in rows if key not in matched)
        strands = (*strands, tuple(rest))
    if probe.is_ordered and build.is_ordered:
        strands = (tuple(record for strand in strands for record in strand),)
    else:
        strands = tuple((record,) for strand in strands for record in strand)
    lasts = max(probe.lasts, build.lasts)
    exact = probe.exact and build.exact
    return Made(Flow(strands, exact, lasts), made.bad + loaded.bad)


def _key(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise Bad
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else value
    return value


# Sinks: what goes out of the model is what they keep


def format_(params: Params, flows: list[Flow]) -> Made:
    flow = merged(flows)
    columns: set[str] = set()
    if params["format"] == "csv":
        kinds = {tuple(sorted(record)) for record in flow.records}
        if len(kinds) > 1 and not flow.is_ordered:
            raise Unclear  # the first record says which columns there are
        columns = set(flow.records[0]) if flow.records else set()

    def written(record: Record) -> list[Record]:
        if params["format"] == "csv" and record.keys() - columns:
            raise Bad
        if params["format"] == "text":
            names = re.findall(r"\.(\w+)", params["format_options"]["template"])
            if any(isinstance(record.get(name), list | dict | None) for name in names):
                raise Bad
        return [record]

    return each(flow, written)


MODULES: dict[str, Callable[[Params, list[Flow]], Made]] = {
    "control:barrier": passthrough,
    "data:aggregate": aggregate,
    "data:collect": passthrough,
    "data:filter": filter_,
    "data:flatten": flatten,
    "data:format": format_,
    "data:generate_from_list": generate_from_list,
    "data:join": join,
    "data:limit": first,
    "data:map": map_,
    "data:parse": parse,
    "flow:by_turns": by_turns,
    "flow:change": change,
    "flow:fail": fail,
    "flow:slow": slow,
    "flow:source": source,
    "stream:pipeline": pipeline,
    "flow:stop": first,
    "flow:take": change,
    "passthrough": passthrough,
}
