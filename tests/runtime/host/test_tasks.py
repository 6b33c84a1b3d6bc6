"""Coroutines that run together inside one module."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gxo.runtime.host.tasks import run_all


async def fails() -> None:
    raise ValueError("before")


async def waits() -> None:
    await asyncio.Event().wait()


async def cancelled_after(turns: int, *coroutines: Coroutine[Any, Any, Any]) -> None:
    """Run them, and cancel that after so many turns of the loop."""
    task = asyncio.ensure_future(run_all(*coroutines))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await task


@pytest.mark.parametrize("turns", [2, 3])
def test_a_failure_is_not_hidden_by_being_cancelled_after_it(turns: int) -> None:
    for coroutines in ([fails()], [fails(), waits()], [waits(), fails()]):
        with pytest.raises(ValueError, match="before"):
            asyncio.run(cancelled_after(turns, *coroutines))


def test_a_failure_of_one_inside_of_another_is_not_either() -> None:
    with pytest.raises(ValueError, match="before"):
        asyncio.run(cancelled_after(3, run_all(fails())))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_cancelled_without_a_failure(turns: int) -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_after(turns, waits(), waits()))
