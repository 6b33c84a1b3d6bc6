"""Listening sockets: who comes becomes a link, and no more come than there is room for.

Who has to wait waits in the system's own queue: nothing is accepted while all places are taken.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.connection._address import host_and_port, no_address, resolved, socket_path, written
from gxo.stdlib.connection._links import DatagramLink, Link, Network, StreamLink
from gxo.stdlib.connection._streams import streams

BACKLOG = 1024

HANDSHAKE = 10.0
"""Seconds that a peer may take for the handshake of TLS."""

Welcome = Callable[[Link], None]
WelcomeStream = Callable[[StreamLink], None]


class Places:
    """How many connections there may be at a time."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: asyncio.Future[None] | None = None

    def take_now(self) -> bool:
        """Take a place if there is one."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def take(self) -> None:
        """Wait for a place, and take it. One task at a time."""
        while not self.take_now():
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    def give_back(self) -> None:
        """A connection is over."""
        self._free += 1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


async def bound(ctx: Context, network: Network, address: str) -> socket.socket:
    """A socket that is bound to the address, and listens if that is what its kind does.

    ModuleError when the address is taken, or is not of this host.
    """
    kind = socket.SOCK_DGRAM if network == "udp" else socket.SOCK_STREAM
    try:
        if network == "unix":
            with socket_path(ctx.workspace, address) as path:
                return _bound(socket.AF_UNIX, kind, path)
        host, port = host_and_port(address, any_host=True)
        family, place = (await resolved(host, port, kind))[0]
        return _bound(family, kind, place)
    except UnicodeError:  # of a name that no host can have
        raise no_address(address) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModuleError(f"cannot listen on {address}: {reason}") from error


def _bound(family: int, kind: int, address: Any) -> socket.socket:
    server = socket.socket(family, kind)
    try:
        server.setblocking(False)
        if family != socket.AF_UNIX and kind == socket.SOCK_STREAM:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen(BACKLOG)
    except BaseException:
        server.close()
        raise
    return server


class StreamServer:
    """Accepts connections of a listening socket until it is closed."""

    def __init__(
        self,
        ctx: Context,
        server: socket.socket,
        context: ssl.SSLContext | None,
        places: Places,
        local: str,
    ) -> None:
        self._ctx = ctx
        self._local = local
        self._server = server
        self._context = context
        self._places = places
        self._greeting: set[asyncio.Task[None]] = set()

    async def serve(self, welcome: WelcomeStream) -> None:
        """Call `welcome` with each link, for ever."""
        try:
            while True:
                await self._places.take()
                try:
                    peer, address = await self._accept()
                except OSError as error:
                    self._places.give_back()
                    await self._overloaded(error)
                    continue
                except BaseException:
                    self._places.give_back()
                    raise
                task = asyncio.ensure_future(self._greet(peer, written(address), welcome))
                self._greeting.add(task)
                task.add_done_callback(self._greeting.discard)
        finally:
            for task in self._greeting:
                task.cancel()
            await asyncio.gather(*self._greeting, return_exceptions=True)

    async def _accept(self) -> tuple[socket.socket, Any]:
        """Wait for who comes. (`loop.sock_accept` loses one when it is cancelled just then.)"""
        while True:
            try:
                peer, address = self._server.accept()
            except BlockingIOError:
                await _readable(self._server)
            else:
                peer.setblocking(False)
                return peer, address

    async def _overloaded(self, error: OSError) -> None:
        """The process has no more descriptors, say: those who wait are asked in a second."""
        reason = (error.strerror or str(error)).lower()
        self._ctx.log("warning", f"a connection could not be accepted: {reason}")
        await self._ctx.clock.sleep(1.0)

    async def _greet(self, peer: socket.socket, remote: str, welcome: WelcomeStream) -> None:
        """Make a link of who came. A handshake that fails is told, and takes no place."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(HANDSHAKE):
                reader, writer = await streams(
                    lambda protocol: loop.connect_accepted_socket(protocol, peer),
                    self._context,
                    server_side=True,
                )
        except (OSError, TimeoutError) as error:
            self._places.give_back()
            peer.close()
            reason = getattr(error, "reason", None) or str(error) or "it took too long"
            self._ctx.log("warning", f"{remote or 'a peer'} could not be welcomed: {reason}")
            return
        except BaseException:
            self._places.give_back()
            peer.close()
            raise
        local = self._local
        welcome(
            StreamLink(
                reader, writer, local=local, remote=remote, when_closed=self._places.give_back
            )
        )


async def _readable(listener: socket.socket) -> None:
    """Wait until somebody has come."""
    loop = asyncio.get_running_loop()
    come = asyncio.Event()
    loop.add_reader(listener, come.set)
    try:
        await come.wait()
    finally:
        loop.remove_reader(listener)


class DatagramServer(asyncio.DatagramProtocol):
    """Makes a link of each peer that a socket hears from; one that finds no place is not heard."""

    def __init__(self, places: Places, welcome: Welcome) -> None:
        self._places = places
        self._welcome = welcome
        self._peers: dict[Any, DatagramLink] = {}
        self._local = ""
        self._transport: asyncio.DatagramTransport | None = None

    async def serve(self, server: socket.socket) -> None:
        """Listen, for ever."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=server)
        self._transport = transport
        self._local = written(transport.get_extra_info("sockname"))
        try:
            await loop.create_future()
        finally:
            for link in self._peers.values():
                link.end()
            transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        link = self._peers.get(addr)
        if link is None:
            if not self._places.take_now():
                return
            link = self._new(addr)
        link.arrived(data)

    def _new(self, address: Any) -> DatagramLink:
        def leave() -> None:
            if self._peers.pop(address, None) is not None:
                self._places.give_back()

        def send(data: bytes) -> None:
            assert self._transport is not None
            self._transport.sendto(data, address)

        link = DatagramLink(send, local=self._local, remote=written(address), when_closed=leave)
        self._peers[address] = link
        self._welcome(link)
        return link
