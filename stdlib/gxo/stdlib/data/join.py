"""`data:join`: records of several streams brought together by a key, as SQL does it.

probe   {"order": 7, "customer": "1"}          the stream that flows through
build   {"customer": 1, "city": "Bonn"}        the streams that are held in memory
out     {"order": 7, "customer": "1", "city": "Bonn"}
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, RecordError
from gxo.runtime.host.tasks import run_all
from gxo.runtime.spec import FieldName, Record, StreamName, module
from gxo.runtime.streams.ports import Inputs, Out, Records
from gxo.stdlib.data._batches import BATCH, Paced, deliver
from gxo.stdlib.data._keys import Key, join_key


class JoinOn(TypedDict):
    """One stream of the join: which it is, its part, and the field that holds its key."""

    stream: StreamName
    role: Literal["build", "probe"]
    field: FieldName


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
    max_spill: int


class Joined(TypedDict):
    """records: how many were sent."""

    records: int


@module("data:join", sends=["records"])
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
    `inner` sends combinations of all streams. `left` keeps a probe record that a build stream has
    nothing for, `right` each build record that is in no combination, `outer` both.

    Keys are texts, numbers and bools, and compare as numbers when both are integral: `"1"` joins 1.
    Null, or a missing field, joins nothing; a list or a map as key is a record error.

    With `flat` the records are merged: of two fields with one name the probe record's stays, else
    that of the stream named first in `on`; the fields of a stream that has nothing are null. With
    `nested` each stream's record is a field of its own, or null.

    Args:
        join_type: What happens to records without a partner.
        on: Every input stream once: `stream`, `role` (one `probe`, all others `build`) and `field`.
        output: What a joined record looks like.
        limits: Past `max_build_records`, or `max_spill` bytes of the probe stream that wait in a
            file, the workload fails before it sends any record.

    Returns:
        How many records were sent.

    Raises:
        ParameterError: `on` does not name every input once, or not exactly one probe.
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
    probe, sides = _sides(on, inputs.names)
    keep_probe = join_type in ("left", "outer")
    keep_build = join_type in ("right", "outer")
    limits = limits or {}
    if "max_spill" in limits:
        from gxo.runtime.streams.spill import limit_spill  # start-up: few joins say it

        limit_spill(inputs, limits["max_spill"])
    await _load(ctx, inputs, sides, keep_build, limits.get("max_build_records"))
    output = output or {}
    if output.get("merge_strategy", "flat") == "flat":
        shape: _Flat | _Nested = _Flat(sides)
    else:
        shape = _Nested(probe["stream"], sides, output.get("nesting_keys", {}))
    join_one = _joiner(shape, sides, keep_probe)
    fields = shape.probe_fields if keep_build else None
    sent = await _probe(ctx, inputs[probe["stream"]], probe["field"], join_one, fields, out)
    rest = _unmatched(sides, shape) if keep_build else iter(())
    # In a thread: it may have to pass over very many records to find the next one.
    while batch := await ctx.thread(lambda: list(islice(rest, BATCH))):
        await deliver(out, batch)
        sent += len(batch)
    await ctx.thread(_forget, sides)
    return {"records": sent}


class _Side:
    """One build stream in memory, by key.

    fields: those of its records. rows, matched: for joins that keep records without a partner.
    """

    __slots__ = ("field", "fields", "index", "matched", "rows", "stream")

    def __init__(self, stream: str, field: str) -> None:
        self.stream = stream
        self.field = field
        self.index: dict[Key, list[Record]] = {}
        self.fields: Record = {}
        self.rows: list[tuple[Key, Record]] = []
        self.matched: set[Key] = set()


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
    builds = [_Side(each["stream"], each["field"]) for each in on if each["role"] == "build"]
    return probes[0], builds


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
            for number, record in enumerate(batch, seen + 1):
                try:
                    key = join_key(record.get(side.field))
                except RecordError as error:
                    await ctx.record_failed(record, error, number)
                    continue
                side.fields.update(record)
                if key is not None:
                    side.index.setdefault(key, []).append(record)
                if keep_rows:
                    side.rows.append((key, record))
            seen += len(batch)
        if seen and side.field not in side.fields:
            ctx.log("warning", f"no record of '{side.stream}' has the field '{side.field}'")

    await run_all(*(load(side) for side in sides))


class _Flat:
    """Merges records into one; what is merged first keeps its fields."""

    def __init__(self, sides: list[_Side]) -> None:
        self._nulls = [dict.fromkeys(side.fields) for side in sides]
        self.probe_fields: Record = {}

    def start(self, record: Record) -> Record:
        return record

    def add(self, merged: Record, level: int, row: Record | None) -> Record:
        return {**merged, **(self._nulls[level] if row is None else row), **merged}

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

    def start(self, record: Record) -> Record:
        return {self._probe: record}

    def add(self, merged: Record, level: int, row: Record | None) -> Record:
        return {**merged, self._builds[level]: row}

    def build_only(self, level: int, row: Record) -> Record:
        empty: dict[str, Any] = dict.fromkeys([self._probe, *self._builds])
        return {**empty, self._builds[level]: row}


def _joiner(
    shape: _Flat | _Nested, sides: list[_Side], keep_probe: bool
) -> Callable[[Record, Key], Iterator[Record]]:
    """What gives the joined records of one probe record, one at a time: they can be very many."""
    add = shape.add

    def combine(merged: Record, found: list[list[Record] | None], level: int) -> Iterator[Record]:
        rows = found[level]
        last = level + 1 == len(found)
        for row in rows if rows is not None else (None,):
            more = add(merged, level, row)
            if last:
                yield more
            else:
                yield from combine(more, found, level + 1)

    def join_one(record: Record, key: Key) -> Iterator[Record]:
        found = [side.index.get(key) for side in sides]
        if keep_probe or None not in found:
            for side, rows in zip(sides, found, strict=True):
                if rows is not None:
                    side.matched.add(key)
            yield from combine(shape.start(record), found, 0)

    return join_one


async def _probe(
    ctx: Context,
    records: Records,
    field: str,
    join_one: Callable[[Record, Key], Iterator[Record]],
    fields: Record | None,
    out: Out | None,
) -> int:
    """Let the probe stream flow through; note its `fields` when they are wanted."""
    seen = sent = 0
    async for batch in Paced(records):
        joined: list[Record] = []
        for number, record in enumerate(batch, seen + 1):
            try:
                key = join_key(record.get(field))
            except RecordError as error:
                await ctx.record_failed(record, error, number)
                continue
            if fields is not None:
                fields.update(record)
            for one in join_one(record, key):
                joined.append(one)
                if len(joined) == BATCH:
                    await deliver(out, joined)
                    sent += BATCH
                    joined = []
        seen += len(batch)
        sent += len(joined)
        await deliver(out, joined)
    return sent


def _forget(sides: list[_Side]) -> None:
    """Give back the memory, which takes its time."""
    for side in sides:
        side.index.clear()
        side.rows.clear()
        side.matched.clear()


def _unmatched(sides: list[_Side], shape: _Flat | _Nested) -> Iterator[Record]:
    for level, side in enumerate(sides):
        for key, row in side.rows:
            if key not in side.matched:
                yield shape.build_only(level, row)
