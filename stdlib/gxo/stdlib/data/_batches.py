"""How the data modules read records, and hand them on."""

import asyncio
from collections.abc import Iterator

from gxo.runtime.spec import Record
from gxo.runtime.streams.paced import TURN, Paced
from gxo.runtime.streams.ports import Out
from gxo.runtime.streams.tables import Batch

__all__ = ["BATCH", "TURN", "Paced", "batched", "deliver"]

BATCH = 500
"""Records that a module sends at a time when the batches are its own to make."""


def batched(records: list[Record]) -> Iterator[list[Record]]:
    """Records in batches of about the usual size, none of them small beside the others."""
    size = -(-len(records) // max(len(records) // BATCH, 1))
    return (records[at : at + size] for at in range(0, len(records), size or 1))


async def deliver(out: Out | None, batch: Batch) -> None:
    """Send a batch unless it is empty; without a reader, the event loop still gets its turn."""
    if out is None:
        await asyncio.sleep(0)
    elif batch:
        await out.send(batch)
