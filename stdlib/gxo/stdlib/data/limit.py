"""`data:limit`: the first records, and then no more."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import module
from gxo.runtime.streams.kernels import Limiter
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.tables import Batch
from gxo.stdlib.data._batches import deliver


class Limited(TypedDict):
    """records: how many went on."""

    records: int


@module("data:limit", per_record=True, sends=["records"], inline="Limit")
async def limit(
    ctx: Context,
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
    first = Limit(ctx, count=count)
    sent = 0
    while not first.is_full and (batch := await anext(records, None)) is not None:
        taken = first.take(batch)
        await deliver(out, taken)
        sent += len(taken)
    return {"records": sent}


class Limit(Limiter):
    """Lets the first `count` records pass."""

    def __init__(self, ctx: Context, *, count: int) -> None:  # noqa: ARG002 - every kernel has it
        if count < 0:
            raise ParameterError(f"count: {count} is negative")
        self._left = count

    @property
    def is_full(self) -> bool:
        """Whether no more records pass."""
        return not self._left

    def take(self, batch: Batch) -> Batch:
        """Those records of the batch that pass."""
        taken = batch[: self._left]
        self._left -= len(taken)
        return taken
