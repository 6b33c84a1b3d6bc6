"""The module `passthrough`: a stream goes in and comes out."""

# Every module takes the context, whether it needs it or not:
# ruff: noqa: ARG001

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Out, Records


class Passed(TypedDict):
    records_processed: int


@module(
    "passthrough",
    idempotent=True,
    per_record=True,
    sends=["records"],
    inline=True,
    summary="passed",
)
async def passthrough(ctx: Context, records: Records, out: Out | None) -> Passed:
    """Pass records on as they are, merging the streams of several producers.

    The records of one producer keep their order.

    Returns:
        `records_processed`, their number.

    Example:
        name: merged
        lifecycle: {policy: run_once}
        process:
          module: passthrough
        stream_inputs: [north, south]
    """
    count = 0
    async for batch in records:
        count += len(batch)
        if out is not None:
            await out.send(batch)
    return passed(count, 0, count)


def passed(received: int, failed: int, sent: int) -> Passed:
    """The summary, from how many records came in, could not be processed, and went on."""
    return {"records_processed": received}
