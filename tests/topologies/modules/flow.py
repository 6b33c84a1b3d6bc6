"""Modules that no compiler knows: what random topologies have between, before and after gxo's own.

    process: {module: flow:source, params: {items: [1, 2, 3], sizes: [2, 1], every: 1s, fails_after: 3}}

sends the records `{item: 1}` and `{item: 2}`, a second later the third, and then fails.
"""

from itertools import cycle
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Duration, Record, module
from gxo.runtime.streams.ports import Inputs, Out, Records


class Sent(TypedDict):
    sent: int


class Seen(TypedDict):
    seen: int


class Taken(TypedDict):
    records: list[Any]


@module("flow:source")
async def source(
    ctx: Context,
    out: Out | None,
    *,
    items: list[Any],
    sizes: list[int],
    every: Duration = 0,
    fails_first: int = 0,
    fails_after: int | None = None,
) -> Sent:
    """Send a list's records in batches of those sizes.

    Args:
        items: the records
        sizes: how many records the batches have, over and over
        every: the pause between batches
        fails_first: how many attempts fail before they send anything
        fails_after: how many records are sent before it fails for good
    """
    if ctx.attempt <= fails_first:
        raise ModuleError(f"attempt {ctx.attempt} was to fail")
    records = items if fails_after is None else items[:fails_after]
    start = 0
    for size in cycle(sizes):
        if start >= len(records):
            break
        if start and every:
            await ctx.clock.sleep(every)
        if out is not None:
            await out.send(records[start : min(start + size, len(records))])
        start += size
    if fails_after is not None:
        raise ModuleError(f"it was to fail after {fails_after} records")
    return {"sent": len(records)}


@module("flow:slow")
async def slow(ctx: Context, records: Records, out: Out | None, *, every: Duration) -> Seen:
    """Pass records on one at a time, each after a pause.

    Args:
        every: the pause
    """
    seen = 0
    async for batch in records:
        for record in batch:
            await ctx.clock.sleep(every)
            if out is not None:
                await out.send([record])
        seen += len(batch)
    return {"seen": seen}


@module("flow:change")
async def change(ctx: Context, records: Records, out: Out | None) -> Seen:
    """Change each record itself, and pass it on: others must not see that."""
    seen = 0
    async for batch in records:
        for record in batch:
            change_in_place(record)
        seen += len(batch)
        if out is not None:
            await out.send(batch)
    return {"seen": seen}


def change_in_place(record: Record) -> None:
    """Change the record, and the lists and maps in it, each as often as it stands there."""
    for value in record.values():
        if isinstance(value, list):
            value.append(0)
        elif isinstance(value, dict):
            value["changes"] = value.get("changes", 0) + 1
    record["changed"] = True


@module("flow:stop")
async def stop(ctx: Context, records: Records, out: Out | None, *, after: int) -> Seen:
    """Pass so many records on and end then.

    Args:
        after: how many
    """
    seen = 0
    async for batch in records:
        part = batch[: after - seen]
        seen += len(part)
        if out is not None:
            await out.send(part)
        if seen >= after:
            break
    return {"seen": seen}


@module("flow:fail")
async def fail(ctx: Context, records: Records, out: Out | None, *, after: int) -> Seen:
    """Pass records on, and fail once there were so many, or all.

    Args:
        after: how many
    """
    seen = 0
    async for batch in records:
        part = batch[: after - seen]
        seen += len(part)
        if out is not None:
            await out.send(part)
        if seen >= after:
            break
    raise ModuleError(f"it was to fail after {after} records")


@module("flow:take")
async def take(ctx: Context, records: Records) -> Taken:
    """Change each record as `flow:change` does, and keep it."""
    taken: list[Record] = []
    async for batch in records:
        for record in batch:
            change_in_place(record)
        taken += batch
    return {"records": taken}


@module("flow:by_turns")
async def by_turns(ctx: Context, inputs: Inputs, out: Out | None) -> Seen:
    """Read one input after the other, and pass all on."""
    seen = 0
    for name in inputs.names:
        async for batch in inputs[name]:
            seen += len(batch)
            if out is not None:
                await out.send(batch)
    return {"seen": seen}
