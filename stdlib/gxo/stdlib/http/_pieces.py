"""A compressed body in pieces that are small enough to be unpacked on the event loop."""

import asyncio
from collections.abc import AsyncIterator

import httpx

_PIECE = 4096
"""Bytes. Deflate makes at most a thousand times as many of them."""


class Pieces(httpx.AsyncByteStream):
    """Splits what another stream gives. Between two pieces others have their turn."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            for start in range(0, len(chunk), _PIECE):
                yield chunk[start : start + _PIECE]
                await asyncio.sleep(0)

    async def aclose(self) -> None:
        await self._stream.aclose()
