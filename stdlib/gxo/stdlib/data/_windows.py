"""The windows of `data:aggregate`: which records are summed up together, and when that is told.

    Whole      all of them, at the end
    ByCount    each so many, when they are there
    ByTime     those of each span of time, when no more of it are to come

A span of time begins at a multiple of its length since 1970 in UTC, so that windows of an hour
begin on the hour. Times are counted in microseconds.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import accumulate
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.durations import format_duration
from gxo.runtime.errors import RecordError
from gxo.runtime.expr import describe
from gxo.runtime.spec import Record
from gxo.runtime.streams.ports import Out
from gxo.stdlib.data._batches import deliver
from gxo.stdlib.data._groups import WAITING, Groups, Layout, Table

BOUNDS = ("window_start", "window_end")

SECOND = 1_000_000
_TICK = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _TICK
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _TICK


class Windows(ABC):
    """What the windows have in common: records go in, results are sent. sent: how many."""

    def __init__(self, ctx: Context, out: Out | None, layout: Layout) -> None:
        self._ctx = ctx
        self._out = out
        self.layout = layout
        self.sent = 0

    def table(self, batch: list[Record]) -> Table:
        """The records as `add` takes them. RecordError where one of them is not sound."""
        return self.layout.table(batch)

    @abstractmethod
    async def add(self, table: Table) -> None:
        """Take a batch's records, and send the results of the windows that are full."""

    @abstractmethod
    async def finish(self) -> None:
        """There are no more records: send the results of the windows that are open."""

    async def send(self, groups: Groups, bounds: Record) -> None:
        """Send the groups' results, each with the window's bounds."""
        await groups.fold()
        results = groups.results(bounds)
        # A single group may have a million values to sort.
        while batch := await self._ctx.offload(groups.weight, next, results, None):
            await deliver(self._out, batch)
            self.sent += len(batch)


class Whole(Windows):
    """One window for the whole stream."""

    def __init__(self, ctx: Context, out: Out | None, layout: Layout) -> None:
        super().__init__(ctx, out, layout)
        self._groups = Groups(layout)

    async def add(self, table: Table) -> None:
        await self._groups.add(table)

    async def finish(self) -> None:
        if not self.layout.by:
            self._groups.begin(None)
        await self.send(self._groups, {})


class ByCount(Windows):
    """A window for each so many records. It begins and ends when the first and the last arrive."""

    def __init__(self, ctx: Context, out: Out | None, layout: Layout, count: int) -> None:
        super().__init__(ctx, out, layout)
        self._count = count
        self._groups = Groups(layout)
        self._left = count
        self._began = self._latest = 0

    async def add(self, table: Table) -> None:
        self._latest = max(round(self._ctx.clock.seconds() * SECOND), self._latest)
        at, end = 0, len(table.rows)
        while at < end:
            if self._left == self._count:
                self._began = self._latest
            until = min(at + self._left, end)
            await self._groups.add(table if until - at == end else table.only(range(at, until)))
            self._left -= until - at
            at = until
            if not self._left:
                await self._close()

    async def finish(self) -> None:
        if self._left < self._count:
            await self._close()

    async def _close(self) -> None:
        await self.send(self._groups, _bounds(self._began, self._latest))
        self._groups = Groups(self.layout)
        self._left = self._count


class ByTime(Windows):
    """A window for each span of time, by a field of the records or (None) by when they arrive.

    It is open until a time is seen that is past its end by the lateness. length, lateness: in
    microseconds.
    """

    def __init__(
        self,
        ctx: Context,
        out: Out | None,
        layout: Layout,
        length: int,
        field: str | None,
        lateness: int,
    ) -> None:
        super().__init__(ctx, out, layout)
        self._length = length
        self._field = field
        self._lateness = lateness
        self._latest = _FIRST
        self._open: dict[int, Groups] = {}
        self._starts: list[int] = []  # of the open windows, as a heap
        self._waiting = 0

    @property
    def closes(self) -> float | None:
        """When the next window ends, in seconds since 1970; None while none is open."""
        return (self._starts[0] + self._length) / SECOND if self._starts else None

    def table(self, batch: list[Record]) -> Table:
        if self._field is None:
            times = [self._now()] * len(batch)
        else:
            times = moments(self._field, batch)
        least, most = min(times), max(times)
        if not self._takes(least, max(self._latest, most)) or not self._takes(most, most):
            latest = accumulate(times, max, initial=self._latest)
            for time, seen in zip(times, latest, strict=False):
                self._check(time, seen)
        return self.layout.table(batch)._replace(times=times)

    def _now(self) -> int:
        # A clock that is put back must not make records late.
        return max(round(self._ctx.clock.seconds() * SECOND), self._latest)

    def _takes(self, time: int, latest: int) -> bool:
        """Whether the window of the time is open, and its bounds can be told."""
        start = time - time % self._length
        end = start + self._length
        return end > latest - self._lateness and start >= _FIRST and end <= _LAST

    def _check(self, time: int, latest: int) -> None:
        """RecordError where the window of the time takes no more."""
        if self._takes(time, latest):
            return
        if self._takes(time, time):
            raise RecordError(
                f"it is late: its time, {_text(time)}, is {format_duration((latest - time) * 1000)}"
                f" before the latest, {_text(latest)}, and its window has been sent",
                hint="`allowed_lateness` keeps windows open for records that come late",
            )
        raise RecordError(f"its time, {_text(time)}, is in no window of the years 1 to 9999")

    async def add(self, table: Table) -> None:
        for start, part in self._parts(table):
            if start not in self._open:
                self._open[start] = Groups(self.layout)
                heappush(self._starts, start)
            await self._open[start].add(part)
        self._waiting += len(table.rows)
        if self._waiting >= WAITING[1]:
            for groups in self._open.values():
                await groups.fold()
            self._waiting = 0
        self._latest = max(self._latest, max(table.times))
        await self.close()

    def _parts(self, table: Table) -> Iterator[tuple[int, Table]]:
        """The rows of each window, and when it begins."""
        places: dict[int, list[int]] = {}
        for place, time in enumerate(table.times):
            places.setdefault(time - time % self._length, []).append(place)
        for start, own in places.items():
            yield start, table if len(places) == 1 else table.only(own)

    async def close(self) -> None:
        """Send the windows that no more records can be in, by the latest time or by the clock."""
        if self._field is None:
            self._latest = self._now()
        while self._starts and self._starts[0] + self._length <= self._latest - self._lateness:
            await self._close_first()

    async def finish(self) -> None:
        while self._starts:
            await self._close_first()

    async def _close_first(self) -> None:
        start = heappop(self._starts)
        await self.send(self._open.pop(start), _bounds(start, start + self._length))


def moments(name: str, batch: list[Record]) -> list[int]:
    """The times that the records hold in a field, in microseconds since 1970. RecordError where one
    holds none.
    """
    values = [record.get(name) for record in batch]
    if {int, float}.issuperset(map(type, values)):
        with suppress(ValueError, OverflowError):
            times = [round(value * SECOND) for value in values]  # type: ignore[operator]
            if min(times) >= _FIRST and max(times) <= _LAST:
                return times
    return [_moment(name, value) for value in values]


def _moment(name: str, value: Any) -> int:
    time = None
    with suppress(ValueError, TypeError, OverflowError):
        if isinstance(value, str):
            # A time without an offset is nobody's: subtracting raises TypeError.
            time = (datetime.fromisoformat(value) - _EPOCH) // _TICK
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            time = round(value * SECOND)
    if time is not None and _FIRST <= time <= _LAST:
        return time
    raise RecordError(
        f"the field '{name}' is {describe(value)}, not a time",
        hint="a time is a text such as 2026-01-31T12:00:00Z, or a number of seconds since 1970",
    )


def _bounds(start: int, end: int) -> Record:
    return dict(zip(BOUNDS, (_text(start), _text(end)), strict=True))


def _text(time: int) -> str:
    """As RFC 3339 in UTC, with milliseconds where it is no full second."""
    precision = "milliseconds" if time % SECOND else "seconds"
    return (_EPOCH + time * _TICK).isoformat(timespec=precision).replace("+00:00", "Z")
