"""`data:collect`: a stream's records as one list in the state."""

from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Record, module
from gxo.runtime.streams.ports import Records


class Collected(TypedDict):
    """records: all of them, in order. count: how many."""

    records: list[Any]
    count: int


@module("data:collect", returns={"records": ["records"]})
async def collect(
    ctx: Context,  # noqa: ARG001 - every module has it
    records: Records,
) -> Collected:
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
    gathered: list[Record] = []
    async for batch in records:
        gathered += batch
    return {"records": gathered, "count": len(gathered)}
