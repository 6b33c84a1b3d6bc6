"""The module `connection:open`."""

import asyncio
import ssl
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, connects, module, writes
from gxo.stdlib._reasons import reason
from gxo.stdlib.connection._address import (
    UNIX,
    check_network,
    host_and_port,
    no_address,
    socket_path,
    written,
)
from gxo.stdlib.connection._links import DatagramLink, Link, Network, StreamLink
from gxo.stdlib.connection._registry import connections
from gxo.stdlib.connection._streams import connected, streams
from gxo.stdlib.connection._tls import ClientTls, client_context


class Opened(TypedDict):
    """The handle of the connection, and the addresses of its two ends."""

    connection_id: str
    local_addr: str
    remote_addr: str


@module(
    "connection:open",
    changes=True,
    effects=[connects("address", unless=[UNIX]), writes("address", only=[UNIX])],
    handle="connection_id",
    returns={"connection_id": [], "local_addr": [], "remote_addr": []},
)
async def open_(
    ctx: Context,
    *,
    network: Network,
    address: str,
    timeout: Duration = 10.0,
    tls: bool | ClientTls = False,
) -> Opened:
    """Connect to a server. The connection stays until it is closed, or the job ends.

    With `udp` nothing is sent yet: whether somebody is there shows when something is read.

    Args:
        network: `tcp`, `udp` or `unix`
        address: `host:port`, or the path of a Unix socket in the workspace
        timeout: how long it may take until the connection is there, with TLS its handshake too
        tls: whether to speak TLS, and how: `ca_cert`, `client_cert`, `client_key`, `server_name`,
            `skip_verify`

    Returns:
        `connection_id`, for the other modules of `connection`; `local_addr` and `remote_addr`.

    Raises:
        ParameterError: an address that is none.
        ModuleError: nobody is there, or not in time; a certificate that cannot be trusted.

    Example:
        name: store
        lifecycle: {policy: run_once}
        register: store
        process:
          module: connection:open
          params:
            network: tcp
            address: 127.0.0.1:6379
            timeout: 2s
    """
    check_network(network)
    if tls and network == "udp":
        raise ParameterError("tls: it is for tcp and unix")
    context = client_context(ctx, tls)
    name = tls.get("server_name") if isinstance(tls, dict) else None
    registry = await connections(ctx)
    try:
        async with asyncio.timeout(timeout):
            if network == "udp":
                link: Link = await _datagrams(*host_and_port(address))
            elif network == "tcp":
                link = await _stream(address, context, name)
            else:
                link = await _unix(ctx, address, context, name)
    except TimeoutError:
        raise ModuleError(f"cannot connect to {address} within {timeout:g} s") from None
    except UnicodeError:  # of a name that no host can have
        raise no_address(address) from None
    except ssl.SSLCertVerificationError as error:
        raise ModuleError(
            f"cannot trust {address}: {error.verify_message}",
            hint="`tls.ca_cert` names other authorities than the host's",
        ) from error
    except ssl.SSLError as error:
        raise ModuleError(f"cannot speak TLS with {address}: {error.reason}") from error
    except OSError as error:
        raise ModuleError(f"cannot connect to {address}: {reason(error)}") from error
    handle = registry.add(link, network)
    return {"connection_id": handle, "local_addr": link.local, "remote_addr": link.remote}


async def _stream(address: str, context: ssl.SSLContext | None, name: str | None) -> StreamLink:
    host, port = host_and_port(address)
    loop = asyncio.get_running_loop()
    peer = await connected(host, port)
    reader, writer = await streams(
        lambda protocol: loop.create_connection(protocol, sock=peer), context, name=name or host
    )
    # One that has gone already has no name any more.
    return _link(reader, writer, written(writer.get_extra_info("peername")) or address)


async def _unix(
    ctx: Context, path: str, context: ssl.SSLContext | None, name: str | None
) -> StreamLink:
    if context and not name:
        raise ParameterError("tls: a Unix socket has no name, so it needs `server_name`")
    with socket_path(ctx.workspace, path) as there:
        loop = asyncio.get_running_loop()
        reader, writer = await streams(
            lambda protocol: loop.create_unix_connection(protocol, there), context, name=name
        )
    return _link(reader, writer, path)


def _link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, remote: str) -> StreamLink:
    local = written(writer.get_extra_info("sockname"))
    return StreamLink(reader, writer, local=local, remote=remote, when_closed=_nothing)


def _nothing() -> None:
    """Nobody waits for the end of a client's connection."""


class _Datagrams(asyncio.DatagramProtocol):
    link: DatagramLink

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the peer's
        self.link.arrived(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self.link.failed(exc)


async def _datagrams(host: str, port: int) -> DatagramLink:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        _Datagrams, remote_addr=(host, port)
    )
    protocol.link = DatagramLink(
        transport.sendto,
        local=written(transport.get_extra_info("sockname")),
        remote=written(transport.get_extra_info("peername")),
        when_closed=transport.close,
    )
    return protocol.link
