"""Modules of `ssh` called one after the other, as a job calls them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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


@asynccontextmanager
async def job(folder: Path) -> AsyncIterator[Caller]:
    """A job in a workspace; its connections are closed with it, and nothing of it is left."""
    async with bench(folder) as workbench:
        try:
            yield Caller(workbench)
        finally:
            await workbench.run.shared.close()
