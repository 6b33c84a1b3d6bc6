"""A compressed body, unpacked on the event loop in pieces that are small enough for it.

httpx would take the first of several gzip members for all of them, and half of one for a whole.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

ASKED_FOR = "gzip, deflate"
"""What a server may compress with; another kind stays as it is."""

_PIECE = 4096
"""Bytes. Deflate makes at most a thousand times as many of them."""

_GZIP = frozenset(["gzip", "x-gzip"])  # RFC 9110, section 8.4.1.3
_WINDOW = zlib.MAX_WBITS


def unpacks(encoding: str) -> bool:
    """Whether it is a compression that `unpacked` knows."""
    return encoding in _GZIP or encoding == "deflate"


async def unpacked(
    packed: AsyncGenerator[bytes, None], encoding: str
) -> AsyncGenerator[bytes, None]:
    """What the bytes were before. Between two pieces others have their turn."""
    unpacker = _Unpacker(encoding)
    async with aclosing(packed):
        async for chunk in packed:
            for start in range(0, len(chunk), _PIECE):
                yield unpacker.feed(chunk[start : start + _PIECE])
                await asyncio.sleep(0)
    unpacker.end()


class _Unpacker:
    def __init__(self, encoding: str) -> None:
        self._is_gzip = encoding in _GZIP
        self._now: Any = None

    def feed(self, piece: bytes) -> bytes:
        """The next bytes. httpx.DecodingError when they are none of this compression."""
        made = []
        try:
            while piece and (self._now is None or self._is_gzip or not self._now.eof):
                if self._now is None or self._now.eof:
                    self._now = zlib.decompressobj(self._window(piece[0]))
                made.append(self._now.decompress(piece))
                piece = self._now.unused_data
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
        return b"".join(made)

    def end(self) -> None:
        """httpx.DecodingError when that was not all. No bytes at all are an empty body."""
        if self._now is not None and not self._now.eof:
            raise httpx.DecodingError("it ends early")

    def _window(self, first: int) -> int:
        """What zlib is to expect. `deflate` comes with zlib's head, as it should, or without."""
        if self._is_gzip:
            return _WINDOW | 16
        return _WINDOW if first & 0x0F == zlib.DEFLATED else -_WINDOW
