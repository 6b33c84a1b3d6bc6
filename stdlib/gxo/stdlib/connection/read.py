"""The module `connection:read`."""

import asyncio
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, Size, module
from gxo.stdlib.connection._data import Encoding, check_encoding, to_bytes, to_text
from gxo.stdlib.connection._links import Want
from gxo.stdlib.connection._registry import connections


class Read(TypedDict):
    """What was read, how many bytes that are, and whether the peer sends no more."""

    data: str
    bytes_read: int
    eof: bool


@module("connection:read", returns={"eof": [], "bytes_read": []})
async def read(
    ctx: Context,
    *,
    connection_id: str,
    read_bytes: int | None = None,
    read_until: str | None = None,
    timeout: Duration | None = None,
    max_bytes: Size = 1024 * 1024,
    encoding: Encoding = "string",
) -> Read:
    """Read from a connection.

    With `read_bytes` so many bytes, with `read_until` all up to a delimiter, which is part of the
    data; with neither, all until the peer closes. What the peer has sent beyond that is there for
    the next read, and so is all of it when a read fails or takes too long. When the peer closes
    before, what there is comes with `eof`. A datagram (udp) is read as a whole.

    Args:
        connection_id: the handle of the connection
        read_bytes: how many bytes to read
        read_until: the delimiter to read up to, such as "\\r\\n"
        timeout: how long to wait for it; without it for ever
        max_bytes: how many bytes it may be at most
        encoding: `string` for UTF-8, or `base64` or `hex` for anything

    Returns:
        `data`; `bytes_read`; `eof`: whether the peer has closed and all is read.

    Raises:
        ModuleError: no such connection, too much data, not in time, no UTF-8, a broken connection.
        ParameterError: both `read_bytes` and `read_until`, or one of them for a datagram.

    Example:
        name: answer
        lifecycle: {policy: run_once}
        register: answer
        process:
          module: connection:read
          params:
            connection_id: "{{ .store.connection_id }}"
            read_until: "\\r\\n"
            timeout: 5s
    """
    check_encoding(encoding)
    want = _want(read_bytes, read_until, max_bytes)
    link = (await connections(ctx)).find(connection_id)
    try:
        async with asyncio.timeout(timeout):
            data, eof = await link.read(want)
    except TimeoutError:
        raise ModuleError(f"{link.remote} has not sent it within {timeout:g} s") from None
    try:
        text = await ctx.offload(len(data), to_text, data, encoding)
    except BaseException:  # when it is cancelled, too
        link.put_back(data)
        raise
    return {"data": text, "bytes_read": len(data), "eof": eof}


def _want(count: int | None, until: str | None, most: int) -> Want:
    if count is not None and until is not None:
        raise ParameterError("give one of `read_bytes` and `read_until`")
    if count is not None and not 0 < count <= most:
        raise ParameterError(f"`read_bytes` is {count}: it is from 1 to max_bytes, {most}")
    if until == "":
        raise ParameterError("`read_until` is empty")
    delimiter = None if until is None else to_bytes(until, "string", "read_until")
    return Want(count, delimiter, most)
