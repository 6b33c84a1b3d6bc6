"""Running coroutines together inside one module."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from gxo.runtime.host.turns import Turns


async def run_all(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    """Their results in order. The first failure cancels the others and is raised as it is.

    A task group would wrap it, and `asyncio.gather` would let the others run on; here nothing runs
    any more when this returns or raises. To be cancelled does not hide a failure that came before.
    """
    tasks = [asyncio.ensure_future(Turns(coroutine)) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    except asyncio.CancelledError:
        for task in tasks:
            # It had failed, and just not been asked yet.
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error from None
        raise
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
