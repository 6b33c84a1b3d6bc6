"""The time a job sees. What asks or waits goes through here, so that a test can fake it."""

import asyncio
import time
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

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def rfc3339(seconds: float, *, fraction: bool = True) -> str:
    """`2026-01-31T12:00:00.250Z` for seconds since 1970; without `fraction`, whole seconds."""
    milliseconds = round(seconds * 1000) if fraction else int(seconds) * 1000
    whole, part = divmod(milliseconds, 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{text}.{part:03d}Z" if fraction else f"{text}Z"
