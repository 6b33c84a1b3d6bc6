"""`data:sort`: records in the order of their fields.

in    {"name": "b", "size": 2}   {"name": "c"}   {"name": "a", "size": 10}      by: [size]
out   {"name": "b", "size": 2}   {"name": "a", "size": 10}   {"name": "c"}
"""

from typing import Any, Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, RecordError
from gxo.runtime.expr import describe
from gxo.runtime.spec import FieldName, Record, Size, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import Paced, deliver
from gxo.stdlib.data._runs import CHUNK, Runs, memory_of

Order = Literal["asc", "desc"]

MAX_MEMORY = 67_108_864
MAX_SPILL = 10 * 2**30
QUICK = 2**20
"""Bytes of records that are counted in a few milliseconds."""


class SortField(TypedDict):
    """A field to sort by, with an order of its own."""

    field: FieldName
    order: NotRequired[Literal["asc", "desc"]]


class SortLimits(TypedDict, total=False):
    """max_spill: bytes of records that may wait in files at a time, 10 GiB by default."""

    max_spill: Size


class Sorted(TypedDict):
    """records: how many were sent."""

    records: int


class Sorting:
    """Takes the records of a stream, and sends them when it has ended."""

    def __init__(
        self,
        ctx: Context,
        out: Out | None,
        *,
        by: str | list[str | SortField],
        order: Order = "asc",
        limit: int | None = None,
        max_memory: int = MAX_MEMORY,
        limits: SortLimits | None = None,
    ) -> None:
        if limit is not None and limit < 0:
            raise ParameterError(f"limit is {limit}, which is no number of records")
        self._ctx = ctx
        self._out = out
        self._keys = _SortKeys([by] if isinstance(by, str) else by, order)
        self._unseen = self._keys.fields
        self._runs = Runs(
            self._keys,
            reverse=self._keys.reverse,
            most=limit,
            max_memory=max_memory,
            max_spill=(limits or {}).get("max_spill", MAX_SPILL),
            folder=self._folder,
        )
        # Of the largest ones little more must be kept than are wanted.
        self._chunk_length = CHUNK if limit is None else min(CHUNK, max(limit, 1000))
        self._max_memory = max_memory
        self._chunk: list[Record] = []
        self._size = 0
        self._seen = 0

    async def add(self, batch: list[Record]) -> None:
        """Take a batch's records."""
        first = self._seen + 1
        self._seen += len(batch)
        if self._unseen:
            self._unseen = [
                name for name in self._unseen if not any(name in record for record in batch)
            ]
        try:
            self._keys(batch)
        except RecordError:
            batch = await self._sortable(batch, first)
        self._chunk += batch
        size = memory_of(batch, QUICK)
        self._size += size if size <= QUICK else await self._ctx.thread(memory_of, batch)
        if len(self._chunk) >= self._chunk_length or self._size > self._max_memory:
            await self._end_chunk()

    async def finish(self) -> Sorted:
        """Send the records."""
        await self._end_chunk()
        if self._seen:
            for name in self._unseen:
                self._ctx.log("warning", f"no record has the field '{name}'")
        batches = self._runs.sorted()
        sent = 0
        while batch := await self._ctx.thread(next, batches, None):
            await deliver(self._out, batch)
            sent += len(batch)
        return {"records": sent}

    def close(self) -> None:
        """Leave no file."""
        self._runs.close()

    async def _end_chunk(self) -> None:
        chunk, size = self._chunk, self._size
        self._chunk, self._size = [], 0
        if chunk:
            await self._ctx.thread(self._runs.add, chunk, size)

    async def _sortable(self, batch: list[Record], first: int) -> list[Record]:
        """The records that have a place in the order; the others are told."""
        good: list[Record] = []
        for number, record in enumerate(batch, first):
            try:
                self._keys([record])
            except RecordError as error:
                await self._ctx.record_failed(record, error, number)
            else:
                good.append(record)
        return good

    def _folder(self) -> str | None:
        # A dry run must not touch the workspace, not even for a moment.
        return None if self._ctx.dry_run else self._ctx.workspace.path


@module("data:sort", sends=["records"])
async def sort(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    by: FieldName | list[FieldName | SortField],
    order: Literal["asc", "desc"] = "asc",
    limit: int | None = None,
    max_memory: Size = MAX_MEMORY,
    limits: SortLimits | None = None,
) -> Sorted:
    """Send a stream's records in order, when all of them have come.

    The order of values is false, true, numbers, texts (by their characters' code points, as SQL's
    binary collation has it); null and missing fields come last, with `desc` too. Numbers that are
    texts, as CSV has them, are sorted as texts: make them numbers with data:map. A field that is a
    list or a map has no order: a record error. Records that are equal in all fields of `by` stay in
    the order in which they came.

    What does not fit into `max_memory` waits in files without a name in the workspace, and is
    merged from there. With `limit` only that many records are kept.

    Args:
        by: The field, or the fields: the first decides, the others where those before are equal.
            A field with an order of its own is `{field: size, order: desc}`.
        order: That of the fields that do not say their own.
        limit: How many records are sent, the first ones; all by default.
        max_memory: Bytes of records in memory, about, before files are used. 64 MiB by default.
        limits: Past `max_spill` bytes in files the workload fails before it sends any record.

    Returns:
        How many records were sent.

    Raises:
        ParameterError: `by` names no field, or `limit` is negative.
        ModuleError: more bytes wait in files than the limit, or the disk is full.

    Example:
        name: oldest
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:sort
          params:
            by: [{field: age, order: desc}, name]
            limit: 10
    """
    sorting = Sorting(
        ctx, out, by=by, order=order, limit=limit, max_memory=max_memory, limits=limits
    )
    try:
        async for batch in Paced(records):
            await sorting.add(batch)
        return await sorting.finish()
    finally:
        sorting.close()


class _SortKeys:
    """Makes keys that Python compares as the records are to be sorted.

    A value's key is a pair of its kind's rank and itself. What is to come in the order opposite to
    the first field's is turned round: a negative number, or a text that compares the other way.

    fields: their names. reverse: whether the largest key comes first.
    """

    def __init__(self, by: list[str | SortField], default: Order) -> None:
        given: list[SortField] = [{"field": one} if isinstance(one, str) else one for one in by]
        if not given:
            raise ParameterError("by: name at least one field")
        self.fields = [one["field"] for one in given]
        orders = [one.get("order", default) for one in given]
        self.reverse = orders[0] == "desc"
        self._null = (-_LAST if self.reverse else _LAST, 0)
        self._turned = [order != orders[0] for order in orders]

    def __call__(self, records: list[Record]) -> list[Any]:
        """Each record's key. RecordError when one of them has a value without an order."""
        columns = [
            self._turned_column(records, field) if turned else self._column(records, field)
            for field, turned in zip(self.fields, self._turned, strict=True)
        ]
        return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))

    def _column(self, records: list[Record], field: str) -> list[Any]:
        return [
            (_TEXT, value)
            if (value := record.get(field)).__class__ is str
            else (_NUMBER, value)
            if value.__class__ is int
            else self._key(value, field)
            for record in records
        ]

    def _turned_column(self, records: list[Record], field: str) -> list[Any]:
        keys: list[Any] = []
        for record in records:
            rank, value = key = self._key(record.get(field), field)
            if key is not self._null:
                key = (-rank, _Turned(value) if rank == _TEXT else -value)
            keys.append(key)
        return keys

    def _key(self, value: Any, field: str) -> tuple[int, Any]:
        if value is None:
            return self._null
        if isinstance(value, bool):
            return (_BOOL, int(value))
        if isinstance(value, (int, float)):
            # Not-a-number would have no place among the numbers.
            return (_NUMBER, value) if value == value else (_NAN, 0)
        if isinstance(value, str):
            return (_TEXT, str(value))
        raise RecordError(f"the field '{field}' is {describe(value)}, which has no order")


_BOOL, _NUMBER, _NAN, _TEXT, _LAST = 1, 2, 3, 4, 5
"""The ranks of the kinds of values."""


class _Turned:
    """A text that is smaller where it is larger."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Turned) and self.text == other.text

    def __lt__(self, other: "_Turned") -> bool:
        return other.text < self.text
