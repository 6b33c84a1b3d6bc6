"""The two kinds of connections: a stream of bytes (TCP, Unix, TLS), and datagrams (UDP).

What arrives waits in a buffer until somebody reads it. A stream's peer is held back while that is
full; datagrams that find no room are lost, as they are on their way.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._reasons import reason

Network = Literal["tcp", "udp", "unix"]

BUFFER = 256 * 1024
"""Bytes of a stream that wait before its peer is held back."""

MOST_DATAGRAMS = 64
"""Datagrams of a peer that wait: 4 MB, if they are as large as can be."""

FLUSH = 5.0
"""Seconds that a peer may take to take what is left, when a stream is closed."""

LARGEST_DATAGRAM = 65507
"""Bytes that fit into a UDP datagram over IPv4 (RFC 768, RFC 791)."""


class Want:
    """What a read shall give: so many bytes, all up to a delimiter, or all until the peer closes.

    most: bytes that it may be; more is an error.
    """

    def __init__(self, count: int | None, until: bytes | None, most: int) -> None:
        self.count = count
        self.until = until
        self.most = most


class Link(Protocol):
    """A connection. local, remote: addresses as people write them."""

    local: str
    remote: str

    async def read(self, want: Want) -> tuple[bytes, bool]:
        """What was wanted, and whether the peer has closed and nothing is left. What a cancelled or
        failed read has not given is there for the next one."""
        ...

    def put_back(self, data: bytes) -> None:
        """Let the next read begin with what the last one gave."""
        ...

    async def write(self, data: bytes) -> None:
        """Send, and wait while the peer does not take it."""
        ...

    async def close(self) -> None:
        """Send what is left, as far as the peer takes it in time, and end it."""
        ...


class StreamLink:
    """A connection that is a stream of bytes."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        local: str,
        remote: str,
        when_closed: Callable[[], None],
    ) -> None:
        self.local = local
        self.remote = remote
        self._reader = reader
        self._writer = writer
        self._when_closed = when_closed
        self._buffer = bytearray()
        self._searched = 0
        self._is_read = False

    async def read(self, want: Want) -> tuple[bytes, bool]:
        self._check_unread()
        self._is_read = True
        try:
            return await self._read(want)
        except OSError as error:
            raise self._broken(error) from error
        finally:
            self._is_read = False
            self._searched = 0

    async def _read(self, want: Want) -> tuple[bytes, bool]:
        while (end := self._end(want)) is None:
            if len(self._buffer) > want.most:
                raise ModuleError(
                    f"{self.remote} has sent more than {want.most} bytes (max_bytes)",
                    hint="raise `max_bytes`, or read less at a time",
                )
            piece = await self._reader.read(BUFFER)
            if not piece:
                end = len(self._buffer)
                if end > want.most:
                    continue
                break
            self._buffer += piece
        data = bytes(self._buffer[:end])
        del self._buffer[:end]
        return data, not self._buffer and self._reader.at_eof()

    def _end(self, want: Want) -> int | None:
        """Where in the buffer what is wanted ends, if all of it has arrived."""
        if want.count is not None:
            return want.count if len(self._buffer) >= want.count else None
        if want.until is None:
            return None
        found = self._buffer.find(want.until, self._searched)
        self._searched = max(len(self._buffer) - len(want.until) + 1, 0)
        end = found + len(want.until)
        return end if found >= 0 and end <= want.most else None

    async def read_some(self) -> bytes:
        """What has arrived, as soon as there is anything; nothing when the peer has closed."""
        self._check_unread()
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            return data
        try:
            return await self._reader.read(BUFFER)
        except OSError as error:
            raise self._broken(error) from error

    def put_back(self, data: bytes) -> None:
        self._buffer[:0] = data

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        """Send without waiting for the peer to take it. ModuleError when the connection broke."""
        if self._writer.is_closing():
            raise ModuleError(f"the connection to {self.remote} broke")
        self._writer.write(data)

    def end(self) -> None:
        """Send nothing more, which the peer is told at once unless the connection has TLS.

        ModuleError when the connection broke.
        """
        if self._writer.can_write_eof():
            try:
                self._writer.write_eof()
            except OSError as error:
                raise self._broken(error) from error

    async def write(self, data: bytes) -> None:
        is_broken = self._writer.is_closing()
        try:
            if not is_broken:  # else asyncio tells the terminal after a few times
                self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise self._broken(error) from error
        if is_broken:
            raise ModuleError(f"the connection to {self.remote} broke")

    async def close(self) -> None:
        self._when_closed()
        self._writer.close()
        try:
            async with asyncio.timeout(FLUSH):
                await self._writer.wait_closed()
        except OSError:  # the peer was faster, or takes too long
            pass
        finally:  # when it is cancelled, too
            self._writer.transport.abort()

    def _check_unread(self) -> None:
        if self._is_read:
            raise ModuleError(f"another workload reads from {self.remote} already")

    def _broken(self, error: OSError) -> ModuleError:
        return ModuleError(f"the connection to {self.remote} broke: {reason(error)}")


class DatagramLink:
    """One peer of a UDP socket; a read gives one datagram."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        local: str,
        remote: str,
        when_closed: Callable[[], None],
    ) -> None:
        self.local = local
        self.remote = remote
        self._send = send
        self._when_closed = when_closed
        self._waiting: deque[bytes] = deque(maxlen=MOST_DATAGRAMS)
        self._arrived = asyncio.Event()
        self._error: OSError | None = None
        self._is_over = False

    def arrived(self, datagram: bytes) -> None:
        """The peer has sent one; if too many wait, the oldest is lost."""
        self._waiting.append(datagram)
        self._arrived.set()

    def failed(self, error: OSError) -> None:
        """The host says that the peer cannot be reached: the next read or write tells."""
        self._error = error
        self._arrived.set()

    async def read(self, want: Want) -> tuple[bytes, bool]:
        if want.count is not None or want.until is not None:
            raise ParameterError(
                "a datagram is read as a whole",
                hint="leave out `read_bytes` and `read_until` for udp",
            )
        while not self._waiting:
            self._check()
            self._arrived.clear()
            await self._arrived.wait()
        if len(self._waiting[0]) > want.most:
            raise ModuleError(
                f"{self.remote} has sent a datagram of {len(self._waiting[0])} bytes, and "
                f"max_bytes is {want.most}"
            )
        return self._waiting.popleft(), False

    def put_back(self, data: bytes) -> None:
        self._waiting.appendleft(data)

    async def write(self, data: bytes) -> None:
        self._check()
        if len(data) > LARGEST_DATAGRAM:
            raise ModuleError(f"{len(data)} bytes are too many for a datagram")
        self._send(data)

    async def close(self) -> None:
        self.end()
        self._when_closed()

    def end(self) -> None:
        """Nothing is sent or heard any more, and who waits for something learns that."""
        self._is_over = True
        self._arrived.set()

    def _check(self) -> None:
        if self._is_over:
            raise ModuleError(f"the connection to {self.remote} was closed")
        if self._error is not None:
            error, self._error = self._error, None
            raise ModuleError(f"{self.remote} cannot be reached: {reason(error)}") from error
