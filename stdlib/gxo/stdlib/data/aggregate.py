"""`data:aggregate`: many records become few."""

from typing import Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, RecordError
from gxo.runtime.spec import FieldName, Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import Paced, deliver
from gxo.stdlib.data._groups import Groups, Layout, Result
from gxo.stdlib.data._operations import OPERATIONS


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


class Totals:
    """The groups of a stream, and their results at its end."""

    def __init__(
        self,
        ctx: Context,
        out: Out | None,
        *,
        aggregate_fields: list[AggregateField],
        group_by_fields: list[FieldName] | None = None,
    ) -> None:
        self._ctx = ctx
        self._out = out
        self._layout = _layout(group_by_fields or [], aggregate_fields)
        self._groups = Groups(self._layout)
        self._seen = 0

    async def add(self, batch: list[Record]) -> None:
        """Take a batch's records."""
        first = self._seen + 1
        self._seen += len(batch)
        await self._take(batch, first)

    async def _take(self, batch: list[Record], number: int) -> None:
        """Take records, the first of them with this number; halve them until a bad one is alone."""
        try:
            table = self._layout.table(batch)
        except RecordError as error:
            if len(batch) == 1:
                await self._ctx.record_failed(batch[0], error, number)
                return
            middle = len(batch) // 2
            await self._take(batch[:middle], number)
            await self._take(batch[middle:], number + middle)
        else:
            await self._groups.add(table, len(batch))

    async def finish(self) -> Aggregated:
        """Send the groups' results."""
        await self._groups.fold()
        results = self._groups.results()
        sent = 0
        # In a thread: a single group may have a million values to sort.
        while batch := await self._ctx.thread(next, results, None):
            await deliver(self._out, batch)
            sent += len(batch)
        return {"records": sent}


def _layout(by: list[str], fields: list[AggregateField]) -> Layout:
    names = [*by, *(field["name"] for field in fields)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"the result would have the field '{twice[0]}' twice")
    for field in fields:
        if "source_field" not in field and field["op"] not in ("count", "collect"):
            raise ParameterError(f"aggregate_fields: op {field['op']} needs a source_field")
    results = [
        Result(field["name"], OPERATIONS[field["op"]], field.get("source_field"))
        for field in fields
    ]
    return Layout(by, results)


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

    Sums are exact: they, `avg` and `stddev` are rounded once, whatever the order of the values.

    A record whose field is not a number where the operation needs one (NaN and the infinities are
    none), or is a text where `min` and `max` saw numbers (or the other way round), is a record
    error and counts nowhere.

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
    totals = Totals(ctx, out, aggregate_fields=aggregate_fields, group_by_fields=group_by_fields)
    async for batch in Paced(records):
        await totals.add(batch)
    return await totals.finish()
