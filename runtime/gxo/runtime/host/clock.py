"""The time a job sees. What asks or waits goes through here, so that a test can fake it."""

import asyncio
import time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Clock:
    """The system's clocks."""

    def monotonic(self) -> float:
        """Seconds that never run back, for durations."""
        return time.monotonic()

    def seconds(self) -> float:
        """Seconds since 1970 in UTC."""
        return time.time()

    def now(self) -> "datetime":
        """The date and time in UTC."""
        from datetime import UTC, datetime  # start-up: few jobs ask for it

        return datetime.fromtimestamp(self.seconds(), UTC)

    def outside(self) -> "datetime":
        """The date and time in UTC that other hosts have: for what they check, such as a signature.

        In a test `now` may be ahead of it.
        """
        return self.now()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Process:
    """What the whole process goes by where no job is at hand, as in a template's functions.

    clock: the system's; while a test runs, the test's.
    """

    clock: Clock = Clock()


def rfc3339(seconds: float, *, fraction: bool = True) -> str:
    """`2026-01-31T12:00:00.250Z` for seconds since 1970; without `fraction`, whole seconds."""
    if not fraction:
        return f"{_whole_second(int(seconds))}Z"
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"{_whole_second(whole)}.{part:03d}Z"


@lru_cache(maxsize=8)
def _whole_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
