"""Threads for what blocks. Daemons: one that never returns cannot keep the process alive."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]

MOST = 32


class Threads:
    """A pool that grows with what waits, up to `MOST`. busy: calls that have not returned."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.busy = 0
        self.all: set[threading.Thread] = set()
        self._loop = loop
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._idle: asyncio.Future[None] | None = None

    def submit(self, function: Callable[[], T]) -> "asyncio.Future[T]":
        """Call the function in a thread; the future gets its result."""
        future: asyncio.Future[T] = self._loop.create_future()
        self.busy += 1
        self._work.put((function, future))
        if len(self.all) < min(self.busy, MOST):
            thread = threading.Thread(target=self._serve, name="gxo-worker", daemon=True)
            self.all.add(thread)
            thread.start()
        return future

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function in a thread. A cancelled call is waited for before it is cancelled."""
        future = self.submit(lambda: function(*args))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.done():
                await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # it is nobody's any more, but it has been seen
            raise

    async def close(self, grace: float) -> None:
        """Let the threads end; wait at most `grace` seconds for calls that have not returned."""
        for _ in self.all:
            self._work.put(None)
        if self.busy:
            self._idle = self._loop.create_future()
            await asyncio.wait([self._idle], timeout=grace)
        if not self.busy:
            for thread in self.all:
                thread.join()
        self.all.clear()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            function, future = work
            try:
                result, error = function(), None
            except BaseException as raised:
                result, error = None, raised
            try:
                self._loop.call_soon_threadsafe(self._finish, future, result, error)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more
            del work, function, future, result, error  # keep nothing alive while idle

    def _finish(self, future: "asyncio.Future[Any]", result: Any, error: Any) -> None:
        self.busy -= 1
        if not self.busy and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        if future.done():
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, (StopIteration, SystemExit, KeyboardInterrupt)):
            future.set_exception(RuntimeError(f"a call in a thread raised {error!r}"))
        else:
            future.set_exception(error)
