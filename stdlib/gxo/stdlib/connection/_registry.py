"""The job's connections, by the handles that a playbook passes on. They end with the job."""

import asyncio
import os

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.connection._links import Link


class Connections:
    """What is open, by handle. A handle says what it is for, and is never used twice, in no other
    process of the job either."""

    def __init__(self) -> None:
        self._open: dict[str, Link] = {}
        self._last = 0
        self._process = os.urandom(4).hex()

    def add(self, link: Link, network: str) -> str:
        """Keep a connection; its handle: `tcp-9f3c01ab-1`."""
        self._last += 1
        handle = f"{network}-{self._process}-{self._last}"
        self._open[handle] = link
        return handle

    def find(self, handle: str) -> Link:
        """ModuleError when there is no such connection, or no more."""
        link = self._open.get(handle)
        if link is not None:
            return link
        before, _, number = handle.rpartition("-")
        is_number = number.isascii() and number.isdigit()
        if before.endswith(self._process) and is_number and 0 < int(number[:20]) <= self._last:
            raise ModuleError(f"the connection '{handle}' is closed already")
        is_shown = handle.isprintable() and len(handle) <= 100
        named = f"connection '{handle}'" if is_shown else "such connection"
        raise ModuleError(
            f"there is no {named} in this job",
            hint="give the `connection_id` that `connection:open` or `ssh:connect` returned",
        )

    def take(self, handle: str) -> Link:
        """A connection that the caller closes from now on. ModuleError as for `find`."""
        link = self.find(handle)
        del self._open[handle]
        return link

    async def close(self, handle: str) -> None:
        """Close one. ModuleError as for `find`."""
        await self.take(handle).close()

    async def close_all(self) -> None:
        """The job ends."""
        links = list(self._open.values())
        self._open.clear()
        await asyncio.gather(*(link.close() for link in links), return_exceptions=True)


async def connections(ctx: Context) -> Connections:
    """Those of the job."""

    async def begin() -> Connections:
        return Connections()

    return await ctx.shared("connections", begin, Connections.close_all)
