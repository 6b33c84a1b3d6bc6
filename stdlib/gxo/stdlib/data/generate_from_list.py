"""`data:generate_from_list`: the simplest source."""

from collections.abc import AsyncGenerator
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Record, module
from gxo.runtime.streams.ports import Out
from gxo.stdlib.data._batches import BATCH, deliver


class Generated(TypedDict):
    """records: how many were sent."""

    records: int


@module("data:generate_from_list", sends=["items"], head="batches")
async def generate_from_list(
    ctx: Context,
    out: Out | None,
    *,
    items: list[Any],
) -> Generated:
    """Send each item of a list as a record.

    A map is a record as it is; anything else becomes `{item: value}`.

    Args:
        items: The list.

    Returns:
        How many records were sent.

    Example:
        name: hosts
        lifecycle: {policy: run_once}
        process:
          module: data:generate_from_list
          params:
            items: [{host: web1}, {host: web2}]
    """
    async for batch in batches(ctx, items=items):
        await deliver(out, batch)
    return {"records": len(items)}


async def batches(
    ctx: Context,  # noqa: ARG001 - every head has it
    *,
    items: list[Any],
) -> AsyncGenerator[list[Record], None]:
    """The records, in batches."""
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        yield [item if isinstance(item, dict) else {"item": item} for item in part]
