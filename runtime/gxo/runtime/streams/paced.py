"""Batches in parts that are no longer than working on them may take."""

import asyncio
from collections.abc import AsyncIterator
from time import thread_time

from gxo.runtime.spec import Record

TURN = 0.01
"""Seconds that a module may work on a batch."""


class Paced:
    """A stream's batches, in parts where working on a whole one would hold up the event loop.

    A part is as long as those before have shown that it can be. most: how many records the next
    part has at most.
    """

    def __init__(self, batches: AsyncIterator[list[Record]], most: int = 1) -> None:
        self.most = most
        self._batches = batches
        self._batch: list[Record] = []
        self._at = 0
        self._given = 0
        self._began = 0.0

    def __aiter__(self) -> "Paced":
        return self

    async def __anext__(self) -> list[Record]:
        if self._given:
            await self._learn()
        if self._at == len(self._batch):
            self._batch, self._at = await anext(self._batches), 0
        part = self._batch[self._at : self._at + self.most]
        self._given = len(part)
        self._at += len(part)
        self._began = thread_time()
        return part

    async def _learn(self) -> None:
        """From how long the last part took, how long the next one may be."""
        if thread_time() - self._began > TURN:
            self.most = max(self._given // 2, 1)
            await asyncio.sleep(0)
        elif self._given >= self.most:
            self.most = 2 * self._given
