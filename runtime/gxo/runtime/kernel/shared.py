"""Connections and sessions that workloads share: opened once a job, closed with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

T = TypeVar("T")


class Shared:
    """Values by key. Two that ask for the same key at once get the same value."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._values: dict[object, asyncio.Future[Any]] = {}
        self._closers: list[Callable[[], Awaitable[None]]] = []

    async def get(
        self,
        key: object,
        open_value: Callable[[], Awaitable[T]],
        close_value: Callable[[T], Awaitable[None]],
    ) -> T:
        """The value of `key`. If opening it fails, the next one that asks tries again."""
        while (opened := self._values.get(key)) is not None:
            if not opened.done():
                await asyncio.wait([opened])
            if not opened.cancelled():
                value: T = opened.result()
                return value
        opened = self._values[key] = self._run.loop.create_future()
        try:
            value = await open_value()
        except BaseException:
            del self._values[key]
            opened.cancel()
            raise
        self._closers.append(lambda: close_value(value))
        opened.set_result(value)
        return value

    async def close(self) -> None:
        """Close all, the last one first; one that fails or takes too long is only warned about."""
        while self._closers:
            try:
                await asyncio.wait_for(self._closers.pop()(), self._run.limits.cancel)
            except Exception as error:
                self._run.log.write_clean(
                    "warning", f"a connection was not closed: {self._run.explain(error)}"
                )
