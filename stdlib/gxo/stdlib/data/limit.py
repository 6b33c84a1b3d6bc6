"""`data:limit`: the first records, and then no more."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import deliver


class Limited(TypedDict):
    """records: how many went on."""

    records: int


@module("data:limit", per_record=True, sends=["records"])
async def limit(
    ctx: Context,  # noqa: ARG001 - every module has it
    records: Records,
    out: Out | None,
    *,
    count: int,
) -> Limited:
    """Send on the first records and end then, so that the producer can end early too.

    Args:
        count: How many records go on, 0 or more.

    Returns:
        How many records went on; fewer than `count` when there were no more.

    Raises:
        ParameterError: `count` is negative.

    Example:
        name: first-ten
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:limit
          params:
            count: 10
    """
    if count < 0:
        raise ParameterError(f"count: {count} is negative")
    left = count
    if left:
        async for batch in records:
            await deliver(out, batch[:left])
            left -= min(left, len(batch))
            if not left:
                break
    return {"records": count - left}
