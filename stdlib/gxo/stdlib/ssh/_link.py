"""A connection by SSH, as the job's connection manager holds it."""

import asyncio
from typing import TYPE_CHECKING, NoReturn

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.connection._links import Want
from gxo.stdlib.connection._registry import connections

if TYPE_CHECKING:
    import asyncssh

GRACE = 5.0
"""Seconds that the other side may take to end something before it is ended without it."""


class SshLink:
    """A connection to a host, and those to the hosts that it goes through, the nearest first.

    local, remote: addresses as people write them. host: what messages call the other side. user:
    who is logged in there.
    """

    def __init__(self, way: "list[asyncssh.SSHClientConnection]", host: str, user: str) -> None:
        address, port = way[0].get_extra_info("sockname", ("", 0))[:2]
        self.local = f"{address}:{port}"
        self.remote = self.host = host
        self.user = user
        self._way = way

    @property
    def is_over(self) -> bool:
        """Whether it is lost or closed."""
        return self._way[-1].is_closed()

    @property
    def connection(self) -> "asyncssh.SSHClientConnection":
        """The connection to the host. ModuleError when there is none any more."""
        if self.is_over:
            raise self.lost()
        return self._way[-1]

    def lost(self) -> ModuleError:
        """The error for who would use it all the same."""
        return ModuleError(
            f"the connection to {self.host} is lost",
            hint="connect again by another `ssh:connect`: it is not done by itself, as nobody "
            "knows what was done there before",
        )

    async def read(self, want: Want) -> tuple[bytes, bool]:  # noqa: ARG002 - of any link
        self._refuse()

    def put_back(self, data: bytes) -> None:  # noqa: ARG002 - of any link
        self._refuse()

    async def write(self, data: bytes) -> None:  # noqa: ARG002 - of any link
        self._refuse()

    async def close(self) -> None:
        """Take leave of the host; after `GRACE` seconds without it."""
        await hang_up(self._way)

    def _refuse(self) -> NoReturn:
        raise ModuleError(
            f"the connection to {self.host} speaks SSH, which has no bytes to read and write",
            hint="`ssh:command` and the other modules of `ssh` use it",
        )


async def hang_up(way: "list[asyncssh.SSHClientConnection]", grace: float = GRACE) -> None:
    """Close connections, the farthest first; those that take too long are cut."""
    for connection in reversed(way):
        connection.close()
        try:
            async with asyncio.timeout(grace):
                await connection.wait_closed()
        except TimeoutError:
            connection.abort()
            await connection.wait_closed()


async def ssh_link(ctx: Context, connection_id: str) -> SshLink:
    """The connection of a handle. ModuleError when it is none of SSH, or no more."""
    link = (await connections(ctx)).find(connection_id)
    if not isinstance(link, SshLink):
        raise ModuleError(
            f"'{connection_id}' is no connection by SSH",
            hint="give the `connection_id` of an `ssh:connect`",
        )
    return link
