"""Batches in parts that are no longer than working on them may take."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from gxo.runtime.host.turns import Turns, running_turns
from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch

B = TypeVar("B", list[Record], Batch)

TURN = 0.01
"""Seconds that a module may work on a batch, and before others get their turn."""

_LEAP = 8
"""How many times as long a part may be as one that took less than this part of a turn."""


class Paced(Generic[B]):
    """A stream's batches, in parts where working on a whole one would hold up the event loop.

    A part is as long as those before have shown that it can be: what counts is the work of the
    task that reads, not that of others while it waits. most: how many records the next part has at
    most.
    """

    def __init__(self, batches: AsyncIterator[B], most: int = 1) -> None:
        self.most = most
        self._batches: AsyncIterator[B] = batches
        self._batch: B = []
        self._at = 0
        self._given = 0
        self._turns: Turns[object] | None = None
        self._before = 0.0

    def __aiter__(self) -> "Paced[B]":
        return self

    async def __anext__(self) -> B:
        if self._turns is None:
            self._turns = running_turns()
        if self._given:
            await self._learn(self._turns)
        if self._at == len(self._batch):
            self._batch, self._at = await anext(self._batches), 0
        part = self._batch[self._at : self._at + self.most]
        self._given = len(part)
        self._at += len(part)
        self._before = self._turns.spent
        return part

    async def _learn(self, turns: Turns[object]) -> None:
        """From how long the last part took, how long the next one may be."""
        took = turns.spent - self._before
        if took > TURN:
            self.most = max(self._given // 2, 1)
        elif self._given >= self.most:
            self.most = self._given * (_LEAP if took < TURN / _LEAP else 2)
        if turns.turn > TURN:
            await asyncio.sleep(0)
