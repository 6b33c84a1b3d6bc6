"""Serves HTTP/1.1 on connections: a record for each request, and then its answer.

    Server ─ welcome(link) ─> Connection: head ─ body ─ record ─ answer ─ head ─ body ─ ...

A connection's requests are taken one after the other, so answers come in order however many the
client sends at once. Nothing of the next one is read before, and a large body not before there is
a place for it: what the consumers of the stream cannot take waits at the clients.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import h11

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.runtime.streams.source import ConsumersClosed
from gxo.stdlib.connection._links import StreamLink
from gxo.stdlib.http._answers import Answer, plain
from gxo.stdlib.http._exchanges import Exchanges
from gxo.stdlib.http._heads import (
    Head,
    Refused,
    check_end_of_chunks,
    end_of_head,
    next_event,
    read_head,
)

IDLE = 60.0
"""Seconds that a connection may be open without a request."""

LINGER = 2.0
"""Seconds for a client to read that its request was refused, while it may still be sending it."""

SMALL = 64 * 1024
"""Bytes of a body that is read at once; more of it waits for one of the places."""

PLACES = 16
"""How many large bodies are received at a time."""

EVENTS_A_TURN = 200
"""Chunks of a body can be small: after so many of them others have their turn."""


class Limits:
    """max_body: bytes. timeout, read_timeout: seconds that an answer, and a request, may take.
    idle: seconds that a connection may be open without a request.
    """

    __slots__ = ("idle", "max_body", "read_timeout", "timeout")

    def __init__(
        self, max_body: int, timeout: float, read_timeout: float, idle: float = IDLE
    ) -> None:
        self.max_body = max_body
        self.timeout = timeout
        self.read_timeout = read_timeout
        self.idle = idle


class Requests(Protocol):
    """Who takes the records of requests; an output port is one. wanted: whether it takes more."""

    @property
    def wanted(self) -> bool: ...

    async def send(self, batch: list[Record]) -> None:
        """Take them, and return when there is room for more."""


class Server:
    """What the connections of one listener have in common.

    text: makes the body of a record; ModuleError when it cannot. ending: no more requests are
    taken. places: for large bodies.
    """

    def __init__(
        self,
        ctx: Context,
        out: Requests | None,
        exchanges: Exchanges,
        limits: Limits,
        text: Callable[[bytes], str],
    ) -> None:
        self.ctx = ctx
        self.out = out
        self.exchanges = exchanges
        self.limits = limits
        self.text = text
        self.ending = False
        self.places = asyncio.Semaphore(PLACES)
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def welcome(self, link: StreamLink) -> None:
        """Serve a connection until it is closed."""
        limits = self.limits
        self.exchanges.watch(min(limits.timeout, limits.read_timeout, limits.idle))
        connection = Connection(self, link)
        task = self.exchanges.start(connection.serve())
        self._connections[task] = connection
        task.add_done_callback(self._left)

    @property
    def is_receiving(self) -> bool:
        """Whether a request has begun to come, and is not complete."""
        return any(not (one.is_idle or one.has_request) for one in self._connections.values())

    async def broken(self) -> None:
        """Wait until a connection fails in a way that is no client's fault, and raise that."""
        await self._broken

    async def finish(self) -> None:
        """No more connections come: wait until each has had its request."""
        self.ending = True
        for task, connection in list(self._connections.items()):
            if connection.is_idle and connection.served:
                task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        if not self._broken.done():
            self._broken.set_result(None)

    def close(self) -> None:
        """Take no more requests. Those that were taken will be answered, or given up in time."""
        self.ending = True
        self._broken.cancel()
        for task, connection in self._connections.items():
            if not connection.has_request:
                task.cancel()

    def _left(self, task: "asyncio.Task[None]") -> None:
        del self._connections[task]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._broken.done():
            self.ctx.log("warning", f"a connection could not be served: {error}")
        else:
            self._broken.set_exception(error)


class Connection:
    """A client's connection.

    deadline: when what it does now takes too long. served: how many requests were taken. is_idle:
    it waits for one. has_request: one of them waits for its answer, or for the client to take it.
    """

    def __init__(self, server: Server, link: StreamLink) -> None:
        self.deadline = math.inf
        self.served = 0
        self.is_idle = True
        self.has_request = False
        self._server = server
        self._link = link
        self._received = bytearray()
        self._limit = asyncio.timeout(None)
        self._head: Head | None = None
        self._handle = ""
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._has_place = False
        self._unsent = 0

    async def serve(self) -> None:
        """Take one request after the other; close the connection in the end."""
        try:
            await self._take_requests()
        except TimeoutError:
            await self._be_late()
        except Refused as refusal:
            await self._refuse(refusal.status, str(refusal))
        except ModuleError:  # the connection broke
            pass
        finally:
            self._server.exchanges.give_up(self._handle, f"{self._link.remote} has gone")
            await self._link.close()

    async def _take_requests(self) -> None:
        timed = self._server.exchanges.timed
        timed.add(self)
        try:
            async with self._limit:
                while await self._exchange():
                    pass
        finally:
            timed.discard(self)

    def expire(self) -> None:
        """It takes too long; but who takes an answer slowly may, while something arrives."""
        if self._answered.done() and (unsent := self._link.unsent) < self._unsent:
            self._unsent = unsent
            self._wait_at_most(self._server.limits.read_timeout)
            return
        self.deadline = math.inf
        self._limit.reschedule(asyncio.get_running_loop().time())

    async def _exchange(self) -> bool:
        """Take a request, and wait until it is answered; whether another one may come."""
        server = self._server
        self._head = None
        raw = await self._next_head()
        if raw is None:
            return False
        self.served += 1
        head, reader = read_head(raw)
        self._head = head
        if server.out is None or not server.out.wanted:
            raise Refused(503, "nobody answers")
        try:
            # No name here holds the body, which would keep it while the answer is waited for.
            await self._pass_on(head, await self._text(head, reader), server.out)
        finally:
            if self._has_place:
                self._has_place = False
                server.places.release()
        await self._answered
        if self._link.unsent:
            self._unsent = self._link.unsent
            self._wait_at_most(server.limits.read_timeout)
            await self._link.write(b"")
        self.has_request = False
        return not (head.is_last or server.ending)

    async def _next_head(self) -> bytes | None:
        """The next head; None when no more comes."""
        self.is_idle = True
        self._wait_at_most(self._server.limits.idle)
        if not await self._begun():
            return None
        self.is_idle = False
        self._wait_at_most(self._server.limits.read_timeout)
        searched = 0
        while (end := end_of_head(self._received, searched)) is None:
            searched = len(self._received)
            if not await self._receive():
                raise Refused(400, "the connection was closed within a head")
        text = bytes(self._received[:end])
        del self._received[:end]
        return text

    async def _begun(self) -> bool:
        """Wait for a request to begin; False when none does. Empty lines are passed over."""
        while True:
            while self._received.startswith(b"\r\n"):  # RFC 9112, section 2.2
                del self._received[:2]
            if self._received.removeprefix(b"\r"):
                return True
            if not await self._receive():
                return False

    async def _receive(self) -> bool:
        """Wait for more; False when the client sends no more."""
        piece = await self._link.read_some()
        self._received += piece
        return bool(piece)

    async def _body(self, head: Head, reader: h11.Connection) -> bytes:
        """All of the body. What comes after it is left for the next request."""
        await self._admit(head.length or 0)
        body = bytearray()
        fed = b""
        count = 0
        while not isinstance(event := next_event(reader), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
                await self._admit(len(body))
            else:
                fed = fed[-3:] + await self._feed(reader, head.length, len(body))
            count += 1
            if count % EVENTS_A_TURN == 0:
                await asyncio.sleep(0)
        left, _ = reader.trailing_data
        if head.length is None:
            check_end_of_chunks(event, fed[: len(fed) - len(left)])
        self._received[:0] = left
        return bytes(body)

    async def _admit(self, size: int) -> None:
        """Refuse what is too large, and wait for a place for what is large."""
        most = self._server.limits.max_body
        if size > most:
            raise Refused(413, f"the body has more than {most} bytes")
        if size > SMALL and not self._has_place:
            self.deadline = math.inf  # that is not the client's time
            await self._server.places.acquire()
            self._has_place = True
            self._wait_at_most(self._server.limits.read_timeout)

    async def _feed(self, reader: h11.Connection, length: int | None, got: int) -> bytes:
        """Give h11 more of the body, and nothing that is behind it where that is known."""
        if not self._received:
            if reader.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._link.send(reader.send(go_on))
            if not await self._receive():
                raise Refused(400, "the connection was closed within a body")
        end = len(self._received) if length is None else length - got
        piece = bytes(self._received[:end])
        del self._received[:end]
        reader.receive_data(piece)
        return piece

    async def _text(self, head: Head, reader: h11.Connection) -> str:
        """The body as the records have it."""
        if head.length == 0:
            return ""
        body = await self._body(head, reader)
        try:
            return await self._server.ctx.offload(len(body), self._server.text, body)
        except ModuleError:
            raise Refused(415, "the body is no UTF-8") from None

    async def _pass_on(self, head: Head, text: str, out: Requests) -> None:
        """Send the record of a request, and wait while its consumers take no more."""
        server = self._server
        self._answered = asyncio.get_running_loop().create_future()
        self._handle = server.exchanges.add(self._answer)
        self.has_request = True
        self._wait_at_most(server.limits.timeout)
        record = {
            "request_id": self._handle,
            "method": head.method,
            "path": head.path,
            "headers": head.headers,
            "body": text,
            "query_params": head.query,
            "remote_addr": self._link.remote,
        }
        with suppress(ConsumersClosed):  # perhaps after they have taken this one
            await out.send([record])

    def _answer(self, answer: Answer) -> int:
        """Hand an answer over for sending; its bytes. ModuleError when the client is gone."""
        request = self._head
        closes = self._server.ending or (request is not None and request.is_last)
        head = answer.head(closes=closes)
        body = answer.body if request is None or request.method != "HEAD" else b""
        for part in [head + body] if len(body) <= SMALL else [head, body]:
            self._link.send(part)
        if not self._answered.done():
            self._answered.set_result(None)
        return len(head) + len(body)

    async def _be_late(self) -> None:
        """Tell the client that somebody took too long, unless it is itself who waits."""
        exchanges = self._server.exchanges
        if exchanges.is_waiting(self._handle):
            seconds = f"{self._server.limits.timeout:g} s"
            exchanges.give_up(self._handle, f"it was told that there is none, after {seconds}")
            await self._refuse(504, f"no answer within {seconds}")
        elif not self.is_idle and not self.has_request:
            seconds = f"{self._server.limits.read_timeout:g} s"
            await self._refuse(408, f"the request was not complete within {seconds}")

    async def _refuse(self, status: int, why: str) -> None:
        """Answer, and read on for a while: closing at once could take the answer from the client.

        RFC 9112, section 9.6.
        """
        self._server.ctx.log("debug", f"{self._link.remote} was answered {status}: {why}")
        with suppress(ModuleError, TimeoutError):
            self._answer(plain(status, why))
            self._link.end()
            async with asyncio.timeout(LINGER):
                while await self._link.read_some():
                    pass

    def _wait_at_most(self, seconds: float) -> None:
        self.deadline = self._server.ctx.clock.monotonic() + seconds
