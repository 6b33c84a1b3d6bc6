"""The job's requests that wait for their answers, by the handles that a playbook passes on.

    http:listen ── request ──> add ── handle ──> a pipeline's steps
    its client <── answer ── answer <── handle ── http:respond

They outlive the workload that has received them: a stream may hold requests, and steps work on
them, when nobody listens any more. Whoever is not answered in time, or when the job ends, is told.
"""

import asyncio
import math
import os
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.host.clock import Clock
from gxo.stdlib.http._answers import Answer, plain

TICK = 1.0
"""Seconds between two looks at what takes too long, at most."""

SHORTEST = 0.01

REMEMBERED = 10_000
"""How many requests that were given up are remembered as such."""

Send = Callable[[Answer], int]


class NobodyWaitsError(Exception):
    """The answer comes too late: its request was given up."""


class Timed(Protocol):
    """What may take too long. deadline: the moment on the job's clock."""

    deadline: float

    def expire(self) -> None:
        """That moment has passed."""


class Exchanges:
    """Requests by handle, and the tasks that serve their connections. A handle is never used twice,
    in no other process of the job either.

    timed: what of that may take too long.
    """

    def __init__(self, clock: Clock) -> None:
        self.timed: set[Timed] = set()
        self._clock = clock
        self._waiting: dict[str, Send] = {}
        self._given_up: dict[str, str] = {}
        self._last = 0
        self._prefix = f"http-{os.urandom(4).hex()}-"
        self._tasks: set[asyncio.Task[None]] = set()
        self._tick = TICK
        self._is_watched = False

    def start(self, serving: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run what serves a connection, at most until the job ends."""
        task = asyncio.ensure_future(serving)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def watch(self, seconds: float) -> None:
        """From now on let expire what takes too long; look for it at least so often.

        Not at all when nothing does: seconds is infinite.
        """
        if seconds == math.inf:
            return
        self._tick = max(min(self._tick, seconds), SHORTEST)
        if not self._is_watched:
            self._is_watched = True
            self.start(self._watch())

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(self._tick)
            now = self._clock.monotonic()
            for timed in list(self.timed):
                if timed.deadline <= now:
                    timed.expire()

    def add(self, send: Send) -> str:
        """Keep a request until it is answered; its handle: `http-9f3c01ab-1`."""
        self._last += 1
        handle = f"{self._prefix}{self._last}"
        self._waiting[handle] = send
        return handle

    def is_waiting(self, handle: str) -> bool:
        """Whether it is neither answered nor given up."""
        return handle in self._waiting

    def answer(self, handle: str, answer: Answer) -> int:
        """Answer a request; how many bytes that was. The client may still have to take them.

        ModuleError when there is no such request, or it was answered before; NobodyWaitsError when
        the client is gone, or was told that it takes too long.
        """
        send = self._waiting.pop(handle, None)
        if send is not None:
            try:
                return send(answer)
            except ModuleError as error:
                raise NobodyWaitsError(error.message) from None
        if handle in self._given_up:
            raise NobodyWaitsError(self._given_up[handle])
        number = handle.removeprefix(self._prefix)
        if number != handle and number.isdecimal() and 0 < int(number[:20]) <= self._last:
            raise ModuleError(f"the request '{handle}' is answered already")
        raise ModuleError(
            f"there is no request '{handle}' in this job",
            hint="give the `request_id` of a record of `http:listen`",
        )

    def give_up(self, handle: str, why: str) -> None:
        """Nobody waits for its answer any more."""
        if self._waiting.pop(handle, None) is None:
            return
        self._given_up[handle] = why
        if len(self._given_up) > REMEMBERED:
            del self._given_up[next(iter(self._given_up))]

    async def close(self) -> None:
        """The job ends: who still waits is told so."""
        for handle in list(self._waiting):
            try:
                self.answer(handle, plain(503, "the server ends"))
            except NobodyWaitsError:
                pass
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def exchanges(ctx: Context) -> Exchanges:
    """Those of the job."""

    async def begin() -> Exchanges:
        return Exchanges(ctx.clock)

    return await ctx.shared("http:listen", begin, Exchanges.close)
