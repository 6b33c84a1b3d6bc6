"""`data:join`: records of several streams brought together by a key, as SQL does it.

probe   {"order": 7, "customer": "1"}          the stream that flows through
build   {"customer": 1, "city": "Bonn"}        the streams that are held in memory
out     {"order": 7, "customer": "1", "city": "Bonn"}
"""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, suppress
from itertools import compress, islice, repeat
from typing import Any, Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.host.tasks import run_all
from gxo.runtime.spec import Each, FieldName, Record, Size, StreamName, module
from gxo.runtime.streams.ports import Inputs, Out
from gxo.stdlib.data._batches import BATCH, Paced, deliver
from gxo.stdlib.data._keys import Key, join_key


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
    Null, or a missing field, joins nothing; a list or a map as key is a record error.

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
) -> AsyncGenerator[list[Record], None]:
    """What `join` sends, in batches of at most `BATCH` records."""
    probe, sides = _sides(on, inputs.names)
    keep_build = join_type in ("right", "outer")
    limits = limits or {}
    if "max_spill" in limits:
        from gxo.runtime.streams.spill import limit_spill  # start-up: few joins say it

        limit_spill(inputs, limits["max_spill"])
    await _load(ctx, inputs, sides, keep_build, limits.get("max_build_records"))
    shape = _shape(output or {}, probe["stream"], sides)
    all_of_them = join_type == "inner"
    seen = 0
    async for batch in Paced(inputs[probe["stream"]]):
        records, keys = await _keyed(ctx, batch, probe, seen)
        seen += len(batch)
        if keep_build:
            _note(records, keys, shape, sides)
        if join_type == "right":
            records, keys = _with_partners(records, keys, sides)
        for at in range(0, len(records), BATCH):
            started = shape.start(records[at : at + BATCH])
            for joined in _combined(started, keys[at : at + BATCH], shape, sides, all_of_them):
                yield joined
    if keep_build:
        rest = _unmatched(sides, shape)
        # In a thread: it may have to pass over very many records to find the next one.
        while joined := await ctx.thread(lambda: list(islice(rest, BATCH))):
            yield joined
    await ctx.thread(_forget, sides)


class _Side:
    """One build stream in memory, by key: a key's one record, or the list of its records.

    has_lists: whether some key has a list. fields: those of its records.
    rows, keys, matched: for joins that keep records without a partner.
    """

    __slots__ = ("fields", "has_lists", "index", "keys", "matched", "on", "rows", "stream")

    def __init__(self, on: JoinOn) -> None:
        self.on = on
        self.stream = on["stream"]
        self.index: dict[Key, Record | list[Record]] = {}
        self.has_lists = False
        self.fields: Record = {}
        self.rows: list[Record] = []
        self.keys: list[Key] = []
        self.matched: set[Key] = set()

    def add(self, records: list[Record], keys: list[Key], keep_rows: bool) -> None:
        index, fields = self.index, self.fields
        for key, record in zip(keys, records, strict=True):
            fields.update(record)
            if key not in index:
                if key is not None:
                    index[key] = record
            elif isinstance(rows := index[key], list):
                rows.append(record)
            else:
                index[key] = [rows, record]
                self.has_lists = True
        if keep_rows:
            self.rows += records
            self.keys += keys


def _sides(on: list[JoinOn], names: list[str]) -> tuple[JoinOn, list[_Side]]:
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
    return probes[0], [_Side(each) for each in on if each["role"] == "build"]


async def _load(
    ctx: Context, inputs: Inputs, sides: list[_Side], keep_rows: bool, limit: int | None
) -> None:
    """Read the build streams at once: two that share a source would else wait for each other."""
    total = 0

    async def load(side: _Side) -> None:
        nonlocal total
        seen = 0
        async for batch in Paced(inputs[side.stream]):
            total += len(batch)
            if limit is not None and total > limit:
                raise ModuleError(
                    f"the build streams have more than {limit} records (limits.max_build_records)",
                    hint="raise the limit, or make the larger stream the probe",
                )
            records, keys = await _keyed(ctx, batch, side.on, seen)
            side.add(records, keys, keep_rows)
            seen += len(batch)
        if seen and (field := side.on.get("field")) is not None and field not in side.fields:
            ctx.log("warning", f"no record of '{side.stream}' has the field '{field}'")

    await run_all(*(load(side) for side in sides))


async def _keyed(
    ctx: Context, batch: list[Record], on: JoinOn, seen: int
) -> tuple[list[Record], list[Key]]:
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


def _keys(records: list[Record], on: JoinOn) -> list[Key]:
    """Each record's key. Texts, which most keys are, cost no call."""
    if "template" in on:
        template = on["template"]
        return [join_key(template(record)) for record in records]
    field = on["field"]
    return [
        key if (key := record.get(field)).__class__ is str else join_key(key) for record in records
    ]


_NOTHING: Record = {}
"""Stands for the record that a build stream does not have."""


class _Flat:
    """Merges records into one; what is merged first keeps its fields."""

    def __init__(self, sides: list[_Side]) -> None:
        self._nulls = [dict.fromkeys(side.fields) for side in sides]
        self.probe_fields: Record = {}

    def start(self, records: list[Record]) -> list[Record]:
        return records

    def nothing(self, level: int) -> Record:
        return self._nulls[level]

    def merge(self, level: int, pairs: Iterable[tuple[Record, Any]]) -> list[Record]:  # noqa: ARG002 - as _Nested
        return [{**merged, **row, **merged} for merged, row in pairs if row is not None]

    def build_only(self, level: int, row: Record) -> Record:  # noqa: ARG002 - as _Nested
        nulls = dict.fromkeys(self.probe_fields)
        for fields in self._nulls:
            nulls.update(fields)
        return {**nulls, **row}


class _Nested:
    """Puts each stream's record into a field of its own."""

    def __init__(self, probe: str, sides: list[_Side], keys: dict[str, str]) -> None:
        streams = [probe, *(side.stream for side in sides)]
        if unknown := sorted(keys.keys() - set(streams)):
            raise ParameterError(f"output.nesting_keys: '{unknown[0]}' is no stream of this join")
        self._probe, *self._builds = [keys.get(stream, stream) for stream in streams]
        if len({self._probe, *self._builds}) < len(streams):
            raise ParameterError("output.nesting_keys: two streams have the same key")
        self.probe_fields: Record = {}

    def start(self, records: list[Record]) -> list[Record]:
        name = self._probe
        return [{name: record} for record in records]

    def nothing(self, level: int) -> Record:  # noqa: ARG002 - as _Flat
        return _NOTHING

    def merge(self, level: int, pairs: Iterable[tuple[Record, Any]]) -> list[Record]:
        name = self._builds[level]
        return [
            {**merged, name: None if row is _NOTHING else row}
            for merged, row in pairs
            if row is not None
        ]

    def build_only(self, level: int, row: Record) -> Record:
        empty: dict[str, Any] = dict.fromkeys([self._probe, *self._builds])
        return {**empty, self._builds[level]: row}


def _shape(output: JoinOutput, probe: str, sides: list[_Side]) -> _Flat | _Nested:
    if output.get("merge_strategy", "flat") == "flat":
        return _Flat(sides)
    return _Nested(probe, sides, output.get("nesting_keys", {}))


def _combined(
    merged: list[Record],
    keys: list[Key],
    shape: _Flat | _Nested,
    sides: list[_Side],
    all_of_them: bool,
    level: int = 0,
) -> Iterator[list[Record]]:
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
    merged: list[Record], keys: list[Key], found: Iterable[Record | list[Record] | None]
) -> Iterator[tuple[Record, Key, Record]]:
    """One at a time: the records of a single key can be very many."""
    for record, key, rows in zip(merged, keys, found, strict=True):
        if isinstance(rows, list):
            for row in rows:
                yield record, key, row
        elif rows is not None:
            yield record, key, rows


def _note(
    records: list[Record], keys: list[Key], shape: _Flat | _Nested, sides: list[_Side]
) -> None:
    """Note for the end of the stream which fields the probe has, and which keys are matched."""
    for record in records:
        shape.probe_fields.update(record)
    for side in sides:
        side.matched.update(filter(side.index.__contains__, keys))


def _with_partners(
    records: list[Record], keys: list[Key], sides: list[_Side]
) -> tuple[list[Record], list[Key]]:
    """The records that some build stream has a record for."""
    kept = [any(key in side.index for side in sides) for key in keys]
    return list(compress(records, kept)), list(compress(keys, kept))


def _forget(sides: list[_Side]) -> None:
    """Give back the memory, which takes its time."""
    for side in sides:
        side.index.clear()
        side.rows.clear()
        side.keys.clear()
        side.matched.clear()


def _unmatched(sides: list[_Side], shape: _Flat | _Nested) -> Iterator[Record]:
    for level, side in enumerate(sides):
        for key, row in zip(side.keys, side.rows, strict=True):
            if key not in side.matched:
                yield shape.build_only(level, row)
