"""How the data modules hand records on."""

import asyncio

from gxo.runtime.spec import Record
from gxo.runtime.streams.ports import Out

BATCH = 500
"""Records that a module sends at a time when the batches are its own to make."""


async def deliver(out: Out | None, batch: list[Record]) -> None:
    """Send a batch unless it is empty; without a reader, the event loop still gets its turn."""
    if out is None:
        await asyncio.sleep(0)
    elif batch:
        await out.send(batch)
