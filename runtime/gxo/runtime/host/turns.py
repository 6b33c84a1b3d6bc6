"""How much of the loop's thread a task has had: the time of its own turns, and of no other's.

    loop.create_task(Turns(module(ctx)))

A turn is what a task does from where it goes on to where it waits. Others have theirs meanwhile, so
that between two moments of a task a clock tells more than how long the task itself has worked.
"""

import asyncio
from collections.abc import Coroutine, Generator
from time import thread_time
from typing import Any, TypeVar

T = TypeVar("T")


class Turns(Coroutine[Any, Any, T]):
    """A coroutine that counts what its turns take. coroutine: what it is made of."""

    __slots__ = ("_before", "_began", "coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.coroutine = coroutine
        self._before = 0.0  # seconds of the turns that are over
        self._began = thread_time()

    @property
    def spent(self) -> float:
        """Seconds of CPU time in all turns so far, this one included. Asked by the task itself."""
        return self._before + self.turn

    @property
    def turn(self) -> float:
        """Seconds of CPU time since this turn began. Asked by the task itself."""
        return thread_time() - self._began

    def send(self, value: Any) -> Any:
        self._began = thread_time()
        try:
            return self.coroutine.send(value)
        finally:
            self._before += thread_time() - self._began

    def throw(self, *error: Any) -> Any:
        self._began = thread_time()
        try:
            return self.coroutine.throw(*error)
        finally:
            self._before += thread_time() - self._began

    def close(self) -> None:
        self.coroutine.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self.coroutine.__await__()


def running_turns() -> Turns[Any]:
    """Those of the task that asks; of one that is not counted, its thread's time from now on."""
    task = asyncio.current_task()
    assert task is not None, "only a task has turns"
    coroutine: Any = task.get_coro()
    return coroutine if isinstance(coroutine, Turns) else Turns(coroutine)
