"""`data:aggregate`: many records become few."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, RecordError
from gxo.runtime.expr import describe
from gxo.runtime.spec import FieldName, Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._accumulators import ACCUMULATORS, NUMERIC, ORDERED, Accumulator
from gxo.stdlib.data._batches import BATCH, Paced, deliver
from gxo.stdlib.data._keys import group_key


class AggregateField(TypedDict):
    """A field of the result: `op` over the values of `source_field`.

    Only `count` and `collect` do without a `source_field`: they then take the records themselves.
    """

    name: str
    op: Literal[
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "first",
        "last",
        "distinct",
        "stddev",
        "median",
        "p95",
        "collect",
    ]
    source_field: NotRequired[FieldName]


class Aggregated(TypedDict):
    """records: how many results were sent, one a group."""

    records: int


Group = tuple[Record, list[tuple[str | None, Accumulator]]]
"""The group's own fields, and an accumulator with the field it takes (None: the record)."""


@module("data:aggregate", sends=["record values"])
async def aggregate(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    aggregate_fields: list[AggregateField],
    group_by_fields: list[FieldName] | None = None,
) -> Aggregated:
    """Group a stream's records and send one result a group when the stream has ended.

    A result has the group's fields and the aggregates; groups come in the order in which they first
    appeared. Without `group_by_fields` all records are one group, which is there even if no record
    came. A missing field counts as null; nulls are one group, and no operation counts them.

    `sum` of nothing is 0, `avg` and most others are null. `stddev` is that of a sample; `p95` is
    interpolated between neighbours; `distinct` counts different values; `median`, `p95`, `distinct`
    and `collect` keep values in memory.

    A record whose field is not a number where the operation needs one, or is a text where `min` and
    `max` saw numbers (or the other way round), is a record error and counts nowhere.

    Args:
        aggregate_fields: What is computed: `name`, `op` and `source_field` of each.
        group_by_fields: The fields by which records belong together: texts, numbers, bools or null.

    Returns:
        How many results were sent.

    Raises:
        ParameterError: a name that is there twice, an operation without its `source_field`.

    Example:
        name: by-team
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:aggregate
          params:
            group_by_fields: [team]
            aggregate_fields:
              - {name: members, op: count}
              - {name: mean_age, op: avg, source_field: age}
    """
    names = group_by_fields or []
    _check_names([*names, *(field["name"] for field in aggregate_fields)])
    check = _checker(aggregate_fields)
    key_of = _keyer(names)
    groups: dict[Any, Group] = {} if names else {None: ({}, _accumulators(aggregate_fields))}
    seen = 0
    async for batch in Paced(records):
        for number, record in enumerate(batch, seen + 1):
            try:
                key = key_of(record)
                check(record)
            except RecordError as error:
                await ctx.record_failed(record, error, number)
                continue
            group = groups.get(key)
            if group is None:
                own = {name: record.get(name) for name in names}
                group = groups[key] = (own, _accumulators(aggregate_fields))
            for field, accumulator in group[1]:
                value = record if field is None else record.get(field)
                if value is not None:
                    accumulator.add(value)
        seen += len(batch)
    return {"records": await _send_results(ctx, groups, aggregate_fields, out)}


def _keyer(names: list[str]) -> Callable[[Record], Any]:
    """What gives a record's group; the case of one field is worth a path of its own."""
    if not names:
        return lambda record: None  # noqa: ARG005 - all are one group
    if len(names) > 1:
        return lambda record: tuple([group_key(record.get(name)) for name in names])
    [only] = names

    def key_of(record: Record) -> Any:
        value = record.get(only)
        return value if value.__class__ is str else group_key(value)

    return key_of


async def _send_results(
    ctx: Context, groups: dict[Any, Group], fields: list[AggregateField], out: Out | None
) -> int:
    """Send the groups' results; a group that is told is forgotten. Returns how many there were."""
    names = [field["name"] for field in fields]
    sent = 0
    while groups:
        # In a thread: a single group may have a million values to sort.
        results = await ctx.thread(_results, groups, names)
        await deliver(out, results)
        sent += len(results)
    return sent


def _results(groups: dict[Any, Group], names: list[str]) -> list[Record]:
    results = []
    for key in list(islice(groups, BATCH)):
        own, accumulators = groups.pop(key)
        values = [accumulator.result() for _, accumulator in accumulators]
        results.append({**own, **dict(zip(names, values, strict=True))})
    return results


def _accumulators(fields: list[AggregateField]) -> list[tuple[str | None, Accumulator]]:
    return [(field.get("source_field"), ACCUMULATORS[field["op"]]()) for field in fields]


def _check_names(names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"the result would have the field '{twice[0]}' twice")


def _checker(fields: list[AggregateField]) -> Callable[[Record], None]:
    """What tells whether a record's values suit the operations, before any of them sees one."""
    # Dicts, because the first complaint must be the same in every run.
    numeric: dict[str, None] = {}
    ordered: dict[str, None] = {}
    for field in fields:
        source = field.get("source_field")
        if source is None:
            if field["op"] not in ("count", "collect"):
                raise ParameterError(f"aggregate_fields: op {field['op']} needs a source_field")
        elif field["op"] in NUMERIC:
            numeric[source] = None
        elif field["op"] in ORDERED:
            ordered[source] = None
    kinds: dict[str, type] = {}

    def check(record: Record) -> None:
        for name in numeric:
            value = record.get(name)
            if value.__class__ not in _NUMBER_OR_NULL and not _is_number(value):
                raise RecordError(
                    f"the field '{name}' is {describe(value)}, not a number",
                    hint="make it one with data:map, for example {{ float64 .amount }}",
                )
        for name in ordered:
            value = record.get(name)
            if value is not None:
                _check_order(name, value, kinds)

    return check


_NUMBER_OR_NULL = frozenset([int, float, type(None)])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_order(name: str, value: Any, kinds: dict[str, type]) -> None:
    """Refuse what cannot be compared with the field's earlier values."""
    kind = float if _is_number(value) else value.__class__
    if kind is not float and kind is not str:
        raise RecordError(f"the field '{name}' is {describe(value)}, which has no order")
    if kinds.setdefault(name, kind) is not kind:
        earlier = "numbers" if kind is str else "texts"
        raise RecordError(f"the field '{name}' is {describe(value)}, and was {earlier} before")
