"""A parallel loop is cancelled just after an instance has failed: it has failed."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gxo.runtime.kernel import loops


@pytest.mark.parametrize("items", [[1], [1, 2]])
def test_a_failure_is_not_hidden_by_being_cancelled_after_it(
    items: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def instance(_run: Any, _node: Any, item: int, _index: int) -> None:
        if item == 2:
            await asyncio.Event().wait()
        raise ValueError("before")

    monkeypatch.setattr(loops, "_instance", instance)
    run = cast(Any, SimpleNamespace(limits=SimpleNamespace(cancel=1)))
    node = cast(Any, SimpleNamespace(patience=0))

    async def play() -> None:
        run.loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(loops._in_parallel(run, node, items, 2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(ValueError, match="before"):
        asyncio.run(play())
