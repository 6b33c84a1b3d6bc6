"""The module `connection:listen`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, WorkloadError
from gxo.runtime.host.tasks import run_all
from gxo.runtime.spec import listens, module, writes
from gxo.runtime.streams.ports import Out
from gxo.runtime.workspace.entries import remove
from gxo.stdlib.connection._address import UNIX, check_network, written
from gxo.stdlib.connection._links import Link, Network
from gxo.stdlib.connection._registry import Connections, connections
from gxo.stdlib.connection._server import DatagramServer, Places, StreamServer, bound
from gxo.stdlib.connection._tls import ServerTls, server_context


class Listening(TypedDict):
    """Where it listens: with port 0 the system has chosen one."""

    local_addr: str


@module(
    "connection:listen",
    changes=True,
    effects=[listens("address", unless=[UNIX]), writes("address", only=[UNIX])],
    lifecycles=["supervise", "event_driven"],
    background=True,
    sends=[],
)
async def listen(
    ctx: Context,
    out: Out | None,
    *,
    network: Network,
    address: str,
    tls: ServerTls | None = None,
    max_connections: int = 1024,
) -> Listening:
    """Send a record for each connection that is made to an address.

    The connections are read, answered and closed by their handles. While `max_connections` of them
    are open others wait, in the system's queue, until one is closed. With `udp` each peer that is
    heard from is one, until it is closed; those for whom there is no place are not heard.

    Args:
        network: `tcp`, `udp` or `unix`
        address: `host:port`, `:port` for all addresses of the host, or the path of a Unix socket in
            the workspace; port 0 is one that is free
        tls: the server's `cert` and `key`, and `client_ca` for clients that must have a certificate
        max_connections: how many may be open at a time

    Returns:
        `local_addr`: where it listens.

    Raises:
        ModuleError: the address is taken, or not one of this host.
        ParameterError: an address that is none.

    Example:
        name: clients
        lifecycle: {policy: supervise}
        process:
          module: connection:listen
          params:
            network: tcp
            address: 127.0.0.1:6379
    """
    check_network(network)
    if tls and network == "udp":
        raise ParameterError("tls: it is for tcp and unix")
    if max_connections < 1:
        raise ParameterError(f"`max_connections` is {max_connections}: it is at least 1")
    context = server_context(tls)
    registry = await connections(ctx)
    places = Places(max_connections)
    waiting: asyncio.Queue[Link] = asyncio.Queue()
    server = await bound(ctx, network, address)
    with server, _removed_afterwards(ctx, network, address):
        local = address if network == "unix" else written(server.getsockname())
        ctx.ready({"local_addr": local})
        if network == "udp":
            serving = DatagramServer(places, waiting.put_nowait).serve(server)
        else:
            serving = StreamServer(ctx, server, context, places, local).serve(waiting.put_nowait)
        await run_all(serving, _announce(waiting, registry, network, out))
    return {"local_addr": local}


@contextmanager
def _removed_afterwards(ctx: Context, network: Network, address: str) -> Iterator[None]:
    """A Unix socket's file would stay, and be in the way of who listens there next."""
    try:
        yield
    finally:
        if network == "unix":
            with suppress(WorkloadError):
                remove(ctx.workspace, address)


async def _announce(
    waiting: "asyncio.Queue[Link]", registry: Connections, network: Network, out: Out | None
) -> None:
    """Send a record for each link; one that nobody reads of is closed at once."""
    try:
        while True:
            link = await waiting.get()
            handle = registry.add(link, network)
            if out is None:
                await registry.close(handle)
                continue
            await out.send(
                [{"connection_id": handle, "remote_addr": link.remote, "local_addr": link.local}]
            )
    finally:
        while not waiting.empty():  # those that nobody has been told of are closed with the job
            registry.add(waiting.get_nowait(), network)
