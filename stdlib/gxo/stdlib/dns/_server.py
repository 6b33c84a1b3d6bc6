"""One exchange with a name server, for dnspython's resolver.

dnspython's own would read a long answer on the loop, where that holds up everybody else for a tenth
of a second, and would wait in vain where nobody listens. It takes a while to import this: who asks
does it in a thread.
"""

import asyncio
import contextlib
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.message
import dns.nameserver
import dns.query

from gxo.runtime.context import Context

DATAGRAM = 4_096
"""Bytes of the longest answer by UDP that is read; none is asked for that has more than 512."""


class Server(dns.nameserver.Do53Nameserver):
    """A name server at an address and a port."""

    def __init__(self, ctx: Context, address: str, port: int) -> None:
        super().__init__(address, port)
        self._ctx = ctx

    async def async_query(
        self,
        request: dns.message.QueryMessage,
        timeout: float,
        source: str | None,  # noqa: ARG002 - the resolver names all of them
        source_port: int,  # noqa: ARG002
        max_size: bool,
        backend: object,  # noqa: ARG002
        one_rr_per_rrset: bool = False,  # noqa: ARG002
        ignore_trailing: bool = False,  # noqa: ARG002
    ) -> dns.message.Message:
        """The answer by UDP, or with `max_size` by TCP. DNSException, EOFError or OSError."""
        try:
            async with asyncio.timeout(timeout):
                return await (self._by_tcp(request) if max_size else self._by_udp(request))
        except TimeoutError:
            raise dns.exception.Timeout from None

    async def _by_udp(self, request: dns.message.QueryMessage) -> dns.message.Message:
        """Wait for the answer, past what is none: anybody could have sent that."""
        transport, heard = await asyncio.get_running_loop().create_datagram_endpoint(
            _Heard, remote_addr=(self.address, self.port)
        )
        try:
            transport.sendto(request.to_wire())
            while True:
                with contextlib.suppress(dns.exception.DNSException):
                    wire = await heard.next()
                    answer, is_whole = _read(wire)
                    if request.is_response(answer):
                        break
        finally:
            transport.close()
        if not is_whole:
            raise dns.message.Truncated
        return answer

    async def _by_tcp(self, request: dns.message.QueryMessage) -> dns.message.Message:
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            writer.write(request.to_wire(prepend_length=True))
            length = int.from_bytes(await reader.readexactly(2), "big")
            wire = await reader.readexactly(length)
        finally:
            writer.transport.abort()
        answer = await self._ctx.thread(dns.message.from_wire, wire)
        if not request.is_response(answer):
            raise dns.query.BadResponse
        return answer


def _read(wire: bytes) -> tuple[dns.message.Message, bool]:
    """An answer, and whether it is whole."""
    try:
        return dns.message.from_wire(wire, raise_on_truncation=True), True
    except dns.message.Truncated as error:
        return error.kwargs["message"], False


class _Heard(asyncio.DatagramProtocol):
    """What comes by UDP, as far as it is looked at: no more than a few wait, and no long ones."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | Exception] = asyncio.Queue(16)

    async def next(self) -> bytes:
        """The next datagram; OSError when nobody listens there."""
        one = await self._waiting.get()
        if isinstance(one, Exception):
            raise one
        return one

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 - the server's
        if len(data) <= DATAGRAM:
            self._put(data)

    def error_received(self, exc: Exception) -> None:
        self._put(exc)

    def _put(self, one: bytes | Exception) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(one)
