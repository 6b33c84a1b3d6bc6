"""`data:generate_from_list`: the simplest source."""

from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Out
from gxo.stdlib.data._batches import BATCH, deliver


class Generated(TypedDict):
    """records: how many were sent."""

    records: int


@module("data:generate_from_list", sends=["items"])
async def generate_from_list(
    ctx: Context,  # noqa: ARG001 - every module has it
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
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        await deliver(out, [item if isinstance(item, dict) else {"item": item} for item in part])
    return {"records": len(items)}
