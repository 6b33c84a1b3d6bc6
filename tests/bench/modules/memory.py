"""An endless source, and a sink that notes how much memory its process has on the way.

rows    memory:rows           {number: 0, name: "name 0"}, and so on for ever
watch   memory:watch 10, 100  {early: 41.2, late: 41.3}: MiB after 10 and after 100 records
"""

import os
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Out, Records

BATCH = 500
PAGE = os.sysconf("SC_PAGE_SIZE")


class Rows(TypedDict):
    pass


class Watched(TypedDict):
    early: float
    late: float


@module("memory:rows")
async def rows(ctx: Context, out: Out | None) -> Rows:
    """Send records for ever, as a query of a very large table would."""
    number = 0
    while out is not None and out.wanted:
        end = number + BATCH
        await out.send([{"number": n, "name": f"name {n}"} for n in range(number, end)])
        number = end
    return {}


@module("memory:watch")
async def watch(ctx: Context, records: Records, *, early: int, late: int) -> Watched:
    """Read so many records, and end then.

    Args:
        early: the records after which memory is noted first
        late: those after which it is noted again
    """
    seen, before = 0, 0.0
    async for batch in records:
        seen += len(batch)
        if not before and seen >= early:
            before = resident()
        if seen >= late:
            break
    return {"early": before, "late": resident()}


def resident() -> float:
    """MiB of this process that are in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE / 2**20
