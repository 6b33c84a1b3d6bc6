"""`data:batch`: several records become one."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Duration, Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import deliver
from gxo.stdlib.data._timed import Timed


class Batched(TypedDict):
    """records: how many batches were sent."""

    records: int


@module("data:batch", sends=["record values"])
async def batch(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    size: int = 1000,
    within: Duration | None = None,
) -> Batched:
    """Send a record `{records, count}` for each so many records: for what takes many at once.

    A batch is sent when it is full; with `within` also when its first record has waited that long,
    whether or not more come; and when the stream ends. None is empty.

    Args:
        size: How many records a batch has, 1 or more.
        within: How long a record may wait for its batch to be full; by default for ever.

    Returns:
        How many batches were sent.

    Raises:
        ParameterError: `size` is below 1, `within` is not above 0.

    Example:
        name: hundreds
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:batch
          params:
            size: 100
            within: 5s
    """
    if size < 1:
        raise ParameterError(f"size: {size} records are no batch")
    if within is not None and within <= 0:
        raise ParameterError(f"within: {within:g} s is no time to wait for anything")
    now = ctx.clock.monotonic
    sent = 0
    waiting: list[Record] = []
    due: float | None = None
    async with Timed(ctx, records, now) as timed:
        while (part := await timed.read(due)) is not None:
            waiting += part
            # None more have come: those that wait are due.
            end = len(waiting) // size * size if part else len(waiting)
            sent += await _send(out, waiting[:end], size)
            if end or due is None:
                # What is left has only just come.
                waiting = waiting[end:]
                due = now() + within if waiting and within is not None else None
    return {"records": sent + await _send(out, waiting, size)}


async def _send(out: Out | None, records: list[Record], size: int) -> int:
    """Send the records in batches. Returns how many those were."""
    batches = [records[at : at + size] for at in range(0, len(records), size)]
    await deliver(out, [{"records": one, "count": len(one)} for one in batches])
    return len(batches)
