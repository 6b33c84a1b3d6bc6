"""Modules around a loop: one that sends records in its own time, and one that reads them so."""

import asyncio
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Duration, module
from gxo.runtime.streams.ports import Out, Records


class Sent(TypedDict):
    """Nothing."""


@module("slow:send")
async def send(
    ctx: Context,
    out: Out | None,
    *,
    count: int,
    every: Duration = 1.0,
    fail: str = "",
) -> Sent:
    """Send records, one at a time.

    Args:
        count: How many.
        every: How long to wait before each.
        fail: What to fail with then.
    """
    for number in range(1, count + 1):
        await ctx.clock.sleep(every)
        if out is not None:
            await out.send([{"n": number, "text": str(number), "list": [number, -number]}])
    if fail:
        raise ModuleError(fail)
    return {}


@module("slow:read")
async def read(ctx: Context, records: Records, *, every: Duration = 1.0, most: int = 0) -> Sent:
    """Read records.

    Args:
        every: How long to wait after each batch.
        most: How many, and close then.
    """
    seen = 0
    async for batch in records:
        seen += len(batch)
        if most and seen >= most:
            break
        await ctx.clock.sleep(every)
    await asyncio.sleep(0)
    return {}
