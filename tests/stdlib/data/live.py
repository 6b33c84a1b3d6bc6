"""Runs a data module under a clock that the test sets on, record by record."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records, WouldBlock
from gxo.runtime.streams.source import Source
from tests.stdlib.harness import Bench, bench, function_of, module_spec, run


class Live:
    """A module that runs under a clock which the test sets on, and what it has sent."""

    def __init__(self, workbench: Bench, module: str, params: dict[str, Any]) -> None:
        self.clock = workbench.clock
        self.source = Source("events", Channel(10**6))
        self.output = Source("under-test", Channel(10**6))
        self._reader = Records([self.output.connect("reader")])
        self._records = Records([self.source.connect("under-test")])
        self.task = asyncio.ensure_future(
            function_of(module_spec(module))(
                workbench.context, self._records, self.output.port(), **params
            )
        )

    async def send(self, *records: Any) -> None:
        await self.source.port().send(list(records))
        await self.settle()

    async def settle(self) -> None:
        """Until the module waits again, or has ended."""
        for _ in range(50):
            await asyncio.sleep(0)
        while not (self._records.is_waiting() or self.task.done()):  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def wait(self) -> float:
        """Let the time pass that the module waits for. Returns how long that was."""
        before = self.clock.time
        self.clock.advance()
        await self.settle()
        return self.clock.time - before

    def sent(self) -> list[dict[str, Any]]:
        """The records since this was last called."""
        with contextlib.suppress(WouldBlock):
            return self._reader.receive_nowait()
        return []

    async def finish(self) -> Any:
        self.source.finish()
        return await self.task


def live(
    folder: Path, module: str, params: dict[str, Any], play: Callable[[Live], Awaitable[None]]
) -> None:
    async def go() -> None:
        async with bench(folder, held_clock=True) as workbench:
            await play(Live(workbench, module, params))

    run(go())
