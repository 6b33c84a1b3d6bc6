"""`data:sample`: some of the records, to look at or to count on."""

from collections.abc import Callable
from operator import itemgetter
from random import Random
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import BATCH, Paced, deliver


class Sampled(TypedDict):
    """records: how many were sent. dropped: how many were not."""

    records: int
    dropped: int


@module("data:sample", sends=["records"])
async def sample(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    rate: float | None = None,
    every: int | None = None,
    count: int | None = None,
    seed: int | None = None,
) -> Sampled:
    """Send on some of the records, in their order. Which ones, one of three parameters says.

    With `rate` or `every`, records go on while others still come. With `count` the sample is made
    of the whole stream, each record having the same chance; it is held in memory, and sent at the
    end.

    Args:
        rate: The chance of each record to go on, from 0 to 1.
        every: The first record goes on, and each so manyth after it.
        count: So many records go on; all of them where there are no more.
        seed: With the same seed, the same records of the same stream go on; by default chance
            decides anew in each run.

    Returns:
        How many records went on, and how many did not.

    Raises:
        ParameterError: not exactly one of `rate`, `every` and `count`, or one that is out of range;
            a `seed` for `every`, which leaves nothing to chance.

    Example:
        name: thousand-users
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:sample
          params:
            count: 1000
            seed: 7
    """
    _check(rate, every, count, seed)
    chance = Random(seed).random  # noqa: S311 - nothing secret hangs on it
    kept = Reservoir(count or 0, chance)
    seen = sent = 0
    async for batch in Paced(records):
        if rate is not None:
            chosen = [record for record in batch if chance() < rate]
        elif every is not None:
            chosen = batch[-seen % every :: every]
        else:
            chosen = []
            kept.add(batch)
        seen += len(batch)
        sent += len(chosen)
        await deliver(out, chosen)
    rest = await ctx.offload(8 * (count or 0), kept.records)
    for at in range(0, len(rest), BATCH):
        await deliver(out, rest[at : at + BATCH])
    sent += len(rest)
    return {"records": sent, "dropped": seen - sent}


def _check(rate: float | None, every: int | None, count: int | None, seed: int | None) -> None:
    if [rate, every, count].count(None) != 2:
        raise ParameterError("a sample is chosen by one of `rate`, `every` and `count`")
    if rate is not None and not 0 <= rate <= 1:
        raise ParameterError(f"rate: {rate:g} is no chance, which is from 0 to 1")
    if every is not None and every < 1:
        raise ParameterError(f"every: {every} is below 1")
    if count is not None and count < 0:
        raise ParameterError(f"count: {count} is negative")
    if every is not None and seed is not None:
        raise ParameterError("seed: `every` leaves nothing to chance")


class Reservoir:
    """So many records, of which each of those seen so far is one with the same chance."""

    def __init__(self, size: int, chance: Callable[[], float]) -> None:
        self._size = size
        self._chance = chance
        self._kept: list[tuple[int, Record]] = []
        self._seen = 0

    def add(self, batch: list[Record]) -> None:
        """See these records too."""
        for number, record in enumerate(batch, self._seen):
            if number < self._size:
                self._kept.append((number, record))
            elif (place := int(self._chance() * (number + 1))) < self._size:
                self._kept[place] = (number, record)
        self._seen += len(batch)

    def records(self) -> list[Record]:
        """Those kept, in the order in which they came."""
        return [record for _, record in sorted(self._kept, key=itemgetter(0))]
