"""`data:join`: records of several streams brought together by a key, as SQL does it.

probe   {"order": 7, "customer": "1"}          the stream that flows through
build   {"customer": 1, "city": "Bonn"}        the streams that are held in memory
out     {"order": 7, "customer": "1", "city": "Bonn"}
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from itertools import compress, islice, repeat
from typing import Any, Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.host.tasks import run_all
from gxo.runtime.spec import Each, FieldName, Record, Size, StreamName, module
from gxo.runtime.streams.ports import Inputs, Out
from gxo.runtime.streams.tables import Batch, Table, records_of
from gxo.stdlib.data._batches import BATCH, Paced, deliver
from gxo.stdlib.data._keys import Key, join_key
from gxo.stdlib.data._shapes import Flat, FlatRows, Nested, Shape
from gxo.stdlib.data._sides import Side


class JoinOn(TypedDict):
    """One stream of the join: which it is, its part, and where its records have their key.

    field: the one that holds the key; or template: what makes the key of a record's fields.
    """

    stream: StreamName
    role: Literal["build", "probe"]
    field: NotRequired[FieldName]
    template: NotRequired[Each[Any]]


class JoinOutput(TypedDict, total=False):
    """merge_strategy: `flat` (the default) or `nested`.

    nesting_keys: for `nested`, the field for each stream, by default the stream's name.
    """

    merge_strategy: Literal["flat", "nested"]
    nesting_keys: dict[str, str]


class JoinLimits(TypedDict, total=False):
    """max_build_records: how many records the build streams may have together.

    max_spill: bytes of the probe stream that may wait in a file, 1 GiB by default.
    """

    max_build_records: int
    max_spill: Size


class Joined(TypedDict):
    """records: how many were sent."""

    records: int


@module("data:join", sends=["records"], head="batches", fresh=True)
async def join(
    ctx: Context,
    inputs: Inputs,
    out: Out | None,
    *,
    join_type: Literal["inner", "left", "right", "outer"],
    on: list[JoinOn],
    output: JoinOutput | None = None,
    limits: JoinLimits | None = None,
) -> Joined:
    """Send a record for each combination of a probe record with build records of the same key.

    The build streams are read to their end and held in memory, then the probe stream flows through.
    Where it shares an ancestor with one of them, what is too much for its channel waits in a file.

    Each build stream is joined to the probe in turn, as by a chain of SQL's joins. `inner` sends
    what has a record of every stream, `left` all that has one of the probe, `right` all that has
    one of a build stream, `outer` all that has any. So `right` loses no build record, while of
    several RIGHT JOINs in a chain only the last one keeps what it has no partner for.

    Keys are texts, numbers and bools, and compare as numbers when both are integral: `"1"` joins 1.
    Null, or a missing field, joins nothing; a list or a map as key is a record error. An empty text
    is a key like any other, as in SQL: where CSV leaves a field empty for null, filter it first.

    With `flat` the records are merged: of two fields with one name the probe record's stays, else
    that of the stream named first in `on`; the fields of a stream that has nothing are null. With
    `nested` each stream's record is a field of its own, or null.

    Args:
        join_type: What happens to records without a partner.
        on: Every input stream once: `stream`, `role` (one `probe`, all others `build`), and either
            `field` or `template`, whose value is then the key: `"{{ .year }}-{{ .month }}"`.
        output: What a joined record looks like.
        limits: Past `max_build_records`, or `max_spill` bytes of the probe stream that wait in a
            file, the workload fails before it sends any record.

    Returns:
        How many records were sent.

    Raises:
        ParameterError: `on` does not name every input once, not exactly one probe, or a stream's
            key not in exactly one way.
        ModuleError: the build streams have more records than the limit.
        StreamError: more bytes of the probe stream wait in a file than the limit.

    Example:
        name: with-owner
        lifecycle: {policy: run_once}
        stream_inputs: [disks, owners]
        process:
          module: data:join
          params:
            join_type: left
            on:
              - {stream: disks, role: probe, field: mount}
              - {stream: owners, role: build, field: mount}
    """
    sent = 0
    joined = batches(ctx, inputs, join_type=join_type, on=on, output=output, limits=limits)
    async with aclosing(joined):
        async for batch in joined:
            await deliver(out, batch)
            sent += len(batch)
    return {"records": sent}


async def batches(
    ctx: Context,
    inputs: Inputs,
    *,
    join_type: Literal["inner", "left", "right", "outer"],
    on: list[JoinOn],
    output: JoinOutput | None = None,
    limits: JoinLimits | None = None,
) -> AsyncGenerator[Batch, None]:
    """What `join` sends, in batches of at most `BATCH` records."""
    probe, sides = _sides(on, inputs.names)
    keep_build = join_type in ("right", "outer")
    output, limits = output or {}, limits or {}
    if "max_spill" in limits:
        from gxo.runtime.streams.spill import limit_spill  # start-up: few joins say it

        limit_spill(inputs, limits["max_spill"])
    streams = _streams(inputs, on, output)
    await _load(ctx, streams, sides, keep_build, limits.get("max_build_records"))
    shapes = _Shapes(_shape(output, probe["stream"], sides), sides)
    all_of_them = join_type == "inner"
    seen = 0
    async for batch in Paced(streams[probe["stream"]]):
        if not shapes.takes(batch):
            await ctx.offload(sum(side.weight for side in sides), shapes.use_records)
        good, keys = await _keyed(ctx, batch, probe, seen)
        seen += len(batch)
        shape, items = shapes.choose(good)
        if keep_build:
            _note(good, keys, shapes, sides)
        if join_type == "right":
            items, keys = _with_partners(items, keys, sides)
        for at in range(0, len(items), BATCH):
            started = shape.start(items[at : at + BATCH])
            for joined in _combined(started, keys[at : at + BATCH], shape, sides, all_of_them):
                yield shape.batch(joined)
    if keep_build:
        rest = _unmatched(sides, shapes)
        # In a thread: it may have to pass over very many records to find the next one.
        while unmatched := await ctx.thread(lambda: list(islice(rest, BATCH))):
            yield unmatched
    await ctx.thread(_forget, sides)


class _Shapes:
    """The shapes of a join's records, and of its tables. probe_fields: what probe records have."""

    def __init__(self, of_records: Flat | Nested, sides: list[Side]) -> None:
        self.of_records = of_records
        self.probe_fields: Record = {}
        self._of_rows: FlatRows | None = None
        self._sides = sides

    def takes(self, batch: Batch) -> bool:
        """Whether the batch can be joined as things are; otherwise `use_records` comes before."""
        in_rows = [side.in_rows for side in self._sides]
        return all(in_rows) if isinstance(batch, Table) and any(in_rows) else not any(in_rows)

    def use_records(self) -> None:
        """Make records of all rows of the build streams. It may take its time."""
        for side in self._sides:
            side.use_records()

    def choose(self, batch: Batch) -> tuple[Shape, Sequence[Any]]:
        """The shape for a batch of the probe, and the batch as items for it."""
        if not isinstance(batch, Table) or not self._sides[0].in_rows:
            return self.of_records, records_of(batch)
        if self._of_rows is None or self._of_rows.probe != batch.names:
            self._of_rows = FlatRows(batch.names, self._sides)
        return self._of_rows, batch.rows


def _streams(
    inputs: Inputs, on: list[JoinOn], output: JoinOutput
) -> dict[str, AsyncIterator[Batch]]:
    """What is read of each input: tables too, where nobody needs to look at a single record."""
    tables = _is_flat(output) and all("field" in each for each in on)
    return {name: port.batches() if tables else port for name, port in inputs.items()}


def _sides(on: list[JoinOn], names: list[str]) -> tuple[JoinOn, list[Side]]:
    probes = [each for each in on if each["role"] == "probe"]
    if len(probes) != 1:
        raise ParameterError(f"on: exactly one stream has the role probe, not {len(probes)}")
    named = [each["stream"] for each in on]
    if sorted(named) != sorted(names):
        raise ParameterError(
            f"on names {', '.join(named)}, and the input streams are {', '.join(names)}",
            hint="name every stream of stream_inputs exactly once",
        )
    if len(named) < 2:
        raise ParameterError("on: a join needs a build stream beside the probe")
    for each in on:
        if ("field" in each) == ("template" in each):
            raise ParameterError(
                f"on: '{each['stream']}' needs exactly one of `field` and `template`"
            )
    return probes[0], [Side(each) for each in on if each["role"] == "build"]


async def _load(
    ctx: Context,
    streams: Mapping[str, AsyncIterator[Batch]],
    sides: list[Side],
    keep: bool,
    limit: int | None,
) -> None:
    """Read the build streams at once: two that share a source would else wait for each other."""
    total = 0

    async def load(side: Side) -> None:
        nonlocal total
        seen = 0
        async for batch in Paced(streams[side.stream]):
            total += len(batch)
            if limit is not None and total > limit:
                raise ModuleError(
                    f"the build streams have more than {limit} records (limits.max_build_records)",
                    hint="raise the limit, or make the larger stream the probe",
                )
            if not side.takes(batch):
                await ctx.offload(side.weight, side.use_records)
            good, keys = await _keyed(ctx, batch, side.on, seen)
            side.add(good, keys, keep)
            seen += len(batch)
        if seen and (field := side.on.get("field")) is not None and field not in side.fields:
            ctx.log("warning", f"no record of '{side.stream}' has the field '{field}'")

    await run_all(*(load(side) for side in sides))


async def _keyed(ctx: Context, batch: Batch, on: JoinOn, seen: int) -> tuple[Batch, Sequence[Key]]:
    """The records that have a key or null, and their keys; the others are told."""
    with suppress(Exception):
        return batch, _keys(batch, on)
    records: list[Record] = []
    keys: list[Key] = []
    for number, record in enumerate(batch, seen + 1):
        try:
            keys += _keys([record], on)
        except Exception as error:
            await ctx.record_failed(record, error, number)
        else:
            records.append(record)
    return records, keys


def _keys(batch: Batch, on: JoinOn) -> Sequence[Key]:
    """Each record's key. Texts, which most keys are, cost no call."""
    if "template" in on:
        template = on["template"]
        return [join_key(template(record)) for record in batch]
    field = on["field"]
    if isinstance(batch, Table):
        return batch.cells(field)
    return [
        key if (key := record.get(field)).__class__ is str else join_key(key) for record in batch
    ]


def _shape(output: JoinOutput, probe: str, sides: list[Side]) -> Flat | Nested:
    if _is_flat(output):
        return Flat(sides)
    return Nested(probe, sides, output.get("nesting_keys", {}))


def _is_flat(output: JoinOutput) -> bool:
    return output.get("merge_strategy", "flat") == "flat"


def _combined(
    merged: Sequence[Any],
    keys: Sequence[Key],
    shape: Shape,
    sides: list[Side],
    all_of_them: bool,
    level: int = 0,
) -> Iterator[list[Any]]:
    """Each record with each that the sides from `level` on have for its key, in bounded batches.

    all_of_them: a record for which some side has nothing is left out.
    """
    side = sides[level]
    last = level + 1 == len(sides)
    nothing = None if all_of_them else shape.nothing(level)
    found = map(side.index.get, keys, repeat(nothing))
    if last and not side.has_lists:
        if more := shape.merge(level, zip(merged, found, strict=True)):
            yield more
        return
    each = _each(merged, keys, found)
    while part := list(islice(each, BATCH)):
        more = shape.merge(level, [(record, row) for record, _, row in part])
        if last:
            yield more
        else:
            partners = [key for _, key, _ in part]
            yield from _combined(more, partners, shape, sides, all_of_them, level + 1)


def _each(
    merged: Sequence[Any], keys: Sequence[Key], found: Iterable[Any]
) -> Iterator[tuple[Any, Key, Any]]:
    """One at a time: the records of a single key can be very many."""
    for record, key, rows in zip(merged, keys, found, strict=True):
        if isinstance(rows, list):
            for row in rows:
                yield record, key, row
        elif rows is not None:
            yield record, key, rows


def _note(batch: Batch, keys: Sequence[Key], shapes: _Shapes, sides: list[Side]) -> None:
    """Note for the end of the stream which fields the probe has, and which keys are matched."""
    for fields in [batch.names] if isinstance(batch, Table) else batch:
        shapes.probe_fields.update(dict.fromkeys(fields))
    for side in sides:
        side.matched.update(filter(side.index.__contains__, keys))


def _with_partners(
    items: Sequence[Any], keys: Sequence[Key], sides: list[Side]
) -> tuple[list[Any], list[Key]]:
    """The items that some build stream has one for."""
    kept = [any(key in side.index for side in sides) for key in keys]
    return list(compress(items, kept)), list(compress(keys, kept))


def _forget(sides: list[Side]) -> None:
    for side in sides:
        side.forget()


def _unmatched(sides: list[Side], shapes: _Shapes) -> Iterator[Record]:
    for level, side in enumerate(sides):
        for key, item in zip(side.keys, side.items, strict=True):
            if key not in side.matched:
                yield shapes.of_records.build_only(level, side.record(item), shapes.probe_fields)
