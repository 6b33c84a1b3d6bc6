"""`data:aggregate`: many records become few."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, RecordError
from gxo.runtime.spec import Duration, FieldName, Record, module
from gxo.runtime.streams.kernels import Tail
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.tables import Batch, records_of
from gxo.stdlib.data._batches import Paced
from gxo.stdlib.data._groups import Layout, Result
from gxo.stdlib.data._operations import OPERATIONS
from gxo.stdlib.data._timed import Timed
from gxo.stdlib.data._windows import BOUNDS, SECOND, ByCount, ByTime, Whole, Windows


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


class Totals(Tail):
    """What a stream's records come to, by group and by window. Parameters as of the module."""

    def __init__(
        self,
        ctx: Context,
        out: Out | None,
        *,
        aggregate_fields: list[AggregateField],
        group_by_fields: list[FieldName] | None = None,
        window: Duration | None = None,
        time_field: FieldName | None = None,
        allowed_lateness: Duration | None = None,
        count: int | None = None,
    ) -> None:
        self._ctx = ctx
        self._seen = 0
        _check_windows(window, time_field, allowed_lateness, count)
        windowed = window is not None or count is not None
        layout = _layout(group_by_fields or [], aggregate_fields, BOUNDS if windowed else ())
        if window is not None:
            length, lateness = _span("window", window), _span("lateness", allowed_lateness or 0.0)
            self.windows: Windows = ByTime(ctx, out, layout, length, time_field, lateness)
        elif count is not None:
            self.windows = ByCount(ctx, out, layout, count)
        else:
            self.windows = Whole(ctx, out, layout)

    async def add(self, batch: Batch) -> None:
        """Take a batch's records."""
        first = self._seen + 1
        self._seen += len(batch)
        await self._take(records_of(batch), first)

    async def _take(self, batch: list[Record], number: int) -> None:
        """Take records, the first of them with this number; halve them until a bad one is alone."""
        try:
            table = self.windows.table(batch)
        except RecordError as error:
            if len(batch) == 1:
                await self._ctx.record_failed(batch[0], error, number)
                return
            middle = len(batch) // 2
            await self._take(batch[:middle], number)
            await self._take(batch[middle:], number + middle)
        else:
            await self.windows.add(table)

    async def finish(self) -> Aggregated:
        """Send the results that are not sent yet."""
        await self.windows.finish()
        return {"records": self.windows.sent}


def _check_windows(
    window: Duration | None,
    time_field: FieldName | None,
    allowed_lateness: Duration | None,
    count: int | None,
) -> None:
    if window is not None and count is not None:
        raise ParameterError("a window ends by `window` or by `count`, not by both")
    if time_field is not None and window is None:
        raise ParameterError("time_field: it has no use without `window`")
    if allowed_lateness is not None and time_field is None:
        raise ParameterError("allowed_lateness: records are late only by a `time_field`")
    if window is not None and window < 0.001:
        raise ParameterError(f"window: {window:g} s is too short, the least is 1ms")
    if allowed_lateness is not None and allowed_lateness < 0:
        raise ParameterError(f"allowed_lateness: {allowed_lateness:g} s is negative")
    if count is not None and count < 1:
        raise ParameterError(f"count: {count} records are no window")


def _span(name: str, seconds: Duration) -> int:
    """In microseconds."""
    span = round(seconds * SECOND)
    if span % 1000:
        raise ParameterError(f"{name}: {seconds:g} s is not a whole number of milliseconds")
    return span


def _layout(by: list[str], fields: list[AggregateField], bounds: Sequence[str]) -> Layout:
    names = [*by, *(field["name"] for field in fields), *bounds]
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


@module("data:aggregate", sends=["record values"], tail="Totals")
async def aggregate(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    aggregate_fields: list[AggregateField],
    group_by_fields: list[FieldName] | None = None,
    window: Duration | None = None,
    time_field: FieldName | None = None,
    allowed_lateness: Duration | None = None,
    count: int | None = None,
) -> Aggregated:
    """Group a stream's records and send one result a group, for each window or at the end.

    A result has the group's fields and the aggregates; groups come in the order in which they first
    appeared. Without `group_by_fields` all records are one group, which is there even if no record
    came. A missing field counts as null; nulls are one group, and no operation counts them.

    `sum` of nothing is 0, `avg` and most others are null. `stddev` is that of a sample; `p95` is
    interpolated between neighbours; `distinct` counts different values; `median`, `p95`, `distinct`
    and `collect` keep values in memory. Sums are exact: they, `avg` and `stddev` are rounded once,
    whatever the order of the values.

    With `window` or `count` there are results for each window that had records, windows in order.
    They have besides `window_start` and `window_end`, in UTC: `2026-01-31T12:00:00Z`.

    - `window`: a window for each span of time, such as `1m`; one of an hour begins on the hour. By
      default records count when they arrive, and results are sent when the time is over, also if no
      record comes. With `time_field` a record counts at the time that it holds: a text by RFC 3339,
      or a number of seconds since 1970. A window is then sent when a time is seen that is past its
      end by `allowed_lateness`. One record with a time far ahead makes all others late.
    - `count`: a window for each so many records; `window_start` and `window_end` say when its first
      and its last arrived.

    What is open when the stream ends is sent then. Groups are kept in memory until their window is.

    A record whose field is not a number where the operation needs one (NaN and the infinities are
    none), or is a text where `min` and `max` saw numbers (or the other way round), is a record
    error and counts nowhere. So is one without a time, and one that is late: whose window has been
    sent.

    Args:
        aggregate_fields: What is computed: `name`, `op` and `source_field` of each.
        group_by_fields: The fields by which records belong together: texts, numbers, bools or null.
        window: How long a window is, 1ms or more.
        time_field: The field that holds a record's time.
        allowed_lateness: How long after its end a window waits for late records; by default not.
        count: How many records a window has.

    Returns:
        How many results were sent.

    Raises:
        ParameterError: a name that is there twice, an operation without its `source_field`,
            parameters of windows that do not go together.

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
    totals = Totals(
        ctx,
        out,
        aggregate_fields=aggregate_fields,
        group_by_fields=group_by_fields,
        window=window,
        time_field=time_field,
        allowed_lateness=allowed_lateness,
        count=count,
    )
    if isinstance(totals.windows, ByTime) and time_field is None:
        await _add_by_the_clock(ctx, records, totals, totals.windows)
    else:
        async for batch in Paced(records):
            await totals.add(batch)
    return await totals.finish()


async def _add_by_the_clock(
    ctx: Context, records: Records, totals: Totals, windows: ByTime
) -> None:
    """Windows end when their time is over, also while no record comes."""
    async with Timed(ctx, records, ctx.clock.seconds) as timed:
        while (batch := await timed.read(windows.closes)) is not None:
            if batch:
                await totals.add(batch)
            else:
                await windows.close()
