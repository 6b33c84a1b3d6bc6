"""A stream that is read until a deadline: what a time window, or a batch that is due, needs."""

import asyncio
from collections.abc import Callable
from types import TracebackType

from gxo.runtime.context import Context
from gxo.runtime.spec import Record
from gxo.runtime.streams.ports import Records
from gxo.stdlib.data._batches import BATCH


class Timed:
    """The batches of a stream, each waited for until a deadline by the clock `now`.

    async with Timed(ctx, records, ctx.clock.monotonic) as timed:
        batch = await timed.read(deadline)
    """

    def __init__(self, ctx: Context, records: Records, now: Callable[[], float]) -> None:
        self._sleep = ctx.clock.sleep
        self._records = records
        self._now = now
        self._timer: asyncio.Task[None] | None = None
        self._due: float | None = None
        self._batch: list[Record] = []
        self._at = 0

    async def __aenter__(self) -> "Timed":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    async def read(self, deadline: float | None) -> list[Record] | None:
        """The next batch; an empty one when the deadline came first; None when there are no more.

        A batch is short enough not to hold up the event loop.
        """
        if self._at < len(self._batch):
            await asyncio.sleep(0)
        else:
            while not self._records.ready():
                if deadline is not None and self._now() >= deadline:
                    return []
                self._set(deadline)
                await self._records.changed()
            self._batch, self._at = self._records.receive_nowait(), 0
        part = self._batch[self._at : self._at + BATCH]
        self._at += len(part)
        return part or None

    def _set(self, deadline: float | None) -> None:
        """Have the timer ring at the deadline, also where the clock was put back meanwhile."""
        if deadline != self._due or (self._timer is not None and self._timer.done()):
            self._stop()
            if deadline is not None:
                self._timer = asyncio.ensure_future(self._ring(deadline - self._now()))
            self._due = deadline

    async def _ring(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._records.wake()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
