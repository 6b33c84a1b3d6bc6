"""`data:filter`: some records go on, the others do not."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Condition, Each, Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import Paced, deliver


class Filtered(TypedDict):
    """records: how many went on. dropped: how many did not meet the condition."""

    records: int
    dropped: int


@module("data:filter", per_record=True, sends=["records"], inline=True, summary="filtered")
async def filter_(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    condition: Each[Condition],
) -> Filtered:
    """Send on the records that meet a condition.

    A record for which the condition fails (a missing field, a text compared with a number) is a
    record error (language, section 5).

    Args:
        condition: What a record must meet; it sees the record's fields.

    Returns:
        How many records went on, and how many did not.

    Example:
        name: active
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:filter
          params:
            condition: '{{ .status }} == "active"'
    """
    seen = failed = kept = 0
    async for batch in Paced(records):
        passed: list[Record] = []
        keep = passed.append
        for number, record in enumerate(batch, seen + 1):
            try:
                if condition(record):
                    keep(record)
            except Exception as error:
                failed += 1
                await ctx.record_failed(record, error, number)
        seen += len(batch)
        kept += len(passed)
        await deliver(out, passed)
    return filtered(seen, failed, kept)


def filtered(received: int, failed: int, sent: int) -> Filtered:
    """The summary, from how many records came in, could not be judged, and went on."""
    return {"records": sent, "dropped": received - failed - sent}
