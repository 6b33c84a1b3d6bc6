"""How the data modules hand records on."""

import asyncio
from time import thread_time

from gxo.runtime.spec import Record
from gxo.runtime.streams.ports import Out, Records

BATCH = 500
"""Records that a module sends at a time when the batches are its own to make."""

TURN = 0.01
"""Seconds that a module may work on a batch."""


class Paced:
    """A stream's batches, in parts where working on a whole one would hold up the event loop.

    A part is as long as those before have shown that it can be.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._batch: list[Record] = []
        self._at = 0
        self._given = 0
        self._most = 1
        self._began = 0.0

    def __aiter__(self) -> "Paced":
        return self

    async def __anext__(self) -> list[Record]:
        if self._given:
            await self._learn()
        if self._at == len(self._batch):
            self._batch, self._at = await anext(self._records), 0
        part = self._batch[self._at : self._at + self._most]
        self._given = len(part)
        self._at += len(part)
        self._began = thread_time()
        return part

    async def _learn(self) -> None:
        """From how long the last part took, how long the next one may be."""
        if thread_time() - self._began > TURN:
            self._most = max(self._given // 2, 1)
            await asyncio.sleep(0)
        elif self._given >= self._most:
            self._most = 2 * self._given


async def deliver(out: Out | None, batch: list[Record]) -> None:
    """Send a batch unless it is empty; without a reader, the event loop still gets its turn."""
    if out is None:
        await asyncio.sleep(0)
    elif batch:
        await out.send(batch)
