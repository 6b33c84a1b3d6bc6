"""Modules of `ssh` called one after the other, as a job calls them."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gxo.stdlib.connection._registry import connections
from gxo.stdlib.ssh._link import SshLink
from tests.services.openssh import SshServer
from tests.stdlib.harness import Bench, bench, module_spec


def login(server: SshServer) -> dict[str, Any]:
    """The parameters of an `ssh:connect` to a real server."""
    return {
        "host": server.host,
        "port": server.port,
        "user": server.user,
        "private_key": server.private_key,
        "known_hosts": server.known_hosts,
    }


class Caller:
    """Calls modules of a namespace; an error is raised."""

    def __init__(self, workbench: Bench) -> None:
        self.workbench = workbench

    async def __call__(self, module: str, **params: Any) -> Any:
        outcome = await self.workbench.call(module_spec(module), params, skip_record_errors=False)
        if outcome.error is not None:
            raise outcome.error
        return outcome.summary

    async def connect(self, params: dict[str, Any], **others: Any) -> str:
        """The handle of a new connection."""
        handle: str = (await self("ssh:connect", **{**params, **others}))["connection_id"]
        return handle

    async def lose(self, handle: str) -> None:
        """Lose a connection, as when somebody pulls the plug."""
        link = (await connections(self.workbench.context)).find(handle)
        assert isinstance(link, SshLink)
        link.connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def job(folder: Path) -> AsyncIterator[Caller]:
    """A job in a workspace; its connections are closed with it, and nothing of it is left."""
    unseen: list[object] = []
    async with bench(folder) as workbench:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        try:
            yield Caller(workbench)
        finally:
            await workbench.run.shared.close()
    gc.collect()
    unseen = [one for one in unseen if "never retrieved" in str(one)]
    assert not unseen, "asyncio would show the traceback of an error that nobody took notice of"
