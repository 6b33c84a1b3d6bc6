"""`data:collect`: a stream's records as one list in the state."""

from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Record, module
from gxo.runtime.streams.kernels import Tail
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.tables import Batch


class Collected(TypedDict):
    """records: all of them, in order. count: how many."""

    records: list[Any]
    count: int


@module("data:collect", returns={"records": ["records"]}, tail="Gathering")
async def collect(ctx: Context, records: Records) -> Collected:
    """Gather all records of a stream into a list, which the state keeps in memory.

    Returns:
        The records and their number.

    Example:
        name: all-users
        lifecycle: {policy: run_once}
        register: all_users
        stream_inputs: [users]
        process:
          module: data:collect
    """
    gathering = Gathering(ctx)
    async for batch in records:
        await gathering.add(batch)
    return await gathering.finish()


class Gathering(Tail):
    """The records that have come so far."""

    def __init__(self, ctx: Context) -> None:  # noqa: ARG002 - every tail has it
        self._records: list[Record] = []

    async def add(self, batch: Batch) -> None:
        """Keep the records of a batch."""
        self._records += batch

    async def finish(self) -> Collected:
        """All of them."""
        return {"records": self._records, "count": len(self._records)}
