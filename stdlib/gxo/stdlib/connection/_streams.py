"""Streams of bytes over sockets, with TLS or without it."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from gxo.stdlib.connection._address import resolved
from gxo.stdlib.connection._links import BUFFER

NEXT = 0.25
"""Seconds after which the host's next address is tried besides (RFC 8305, section 8)."""

Connect = Callable[[Callable[[], asyncio.Protocol]], Awaitable[tuple[asyncio.Transport, Any]]]


async def connected(host: str, port: int) -> socket.socket:
    """A socket that is connected to the first of the host's addresses that answers. OSError.

    asyncio's own race of addresses loses a socket when it is cancelled just as one has won.
    """
    loop = asyncio.get_running_loop()
    waiting = deque(await resolved(host, port, socket.SOCK_STREAM))
    trying: dict[asyncio.Task[None], socket.socket] = {}
    errors: list[BaseException] = []
    try:
        while waiting or trying:
            if waiting:
                family, address = waiting.popleft()
                try:
                    one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                except OSError as error:  # the host has no IPv6, say
                    errors.append(error)
                    continue
                trying[loop.create_task(loop.sock_connect(one, address))] = one
            done, _ = await asyncio.wait(
                trying,
                timeout=NEXT if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                failure = task.exception()
                if failure is None:
                    return trying.pop(task)
                errors.append(failure)
                trying.pop(task).close()
        raise errors[0]
    finally:
        for task in trying:
            task.cancel()
        await asyncio.gather(*trying, return_exceptions=True)
        for one in trying.values():
            one.close()


async def streams(
    connect: Connect,
    context: ssl.SSLContext | None,
    *,
    name: str | None = None,
    server_side: bool = False,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The two directions of a connection that `connect` makes. OSError, ssl.SSLError.

    asyncio's own way to TLS keeps the socket for half a minute when a handshake is given up; here
    it is closed at once. name: of the server, as its certificate has it.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=BUFFER, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    if context is None:
        transport, _ = await connect(lambda: protocol)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
    plain, _ = await connect(_Silent)
    try:
        secured = await loop.start_tls(
            plain, protocol, context, server_side=server_side, server_hostname=name
        )
    except BaseException:
        plain.abort()
        raise
    assert secured is not None
    protocol.connection_made(secured)
    return reader, asyncio.StreamWriter(secured, protocol, reader, loop)


class _Silent(asyncio.Protocol):
    """Reads nothing: the first byte belongs to the handshake."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()
