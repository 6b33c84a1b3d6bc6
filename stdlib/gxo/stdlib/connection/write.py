"""The module `connection:write`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.stdlib.connection._data import Encoding, check_encoding, to_bytes
from gxo.stdlib.connection._registry import connections


class Sent(TypedDict):
    bytes_written: int


@module("connection:write", changes=True)
async def write(
    ctx: Context, *, connection_id: str, data: str, encoding: Encoding = "string"
) -> Sent:
    """Send data over a connection, and wait while the peer does not take it.

    That it was sent does not say that it has arrived. A datagram (udp) is sent as a whole.

    Args:
        connection_id: the handle of the connection
        data: what to send
        encoding: `string` sends UTF-8, `base64` and `hex` the bytes that `data` stands for

    Returns:
        `bytes_written`.

    Raises:
        ModuleError: no such connection, or one that is broken.
        ParameterError: `data` is not what `encoding` says.

    Example:
        name: asked
        lifecycle: {policy: run_once}
        process:
          module: connection:write
          params:
            connection_id: "{{ .store.connection_id }}"
            data: "PING\\r\\n"
    """
    check_encoding(encoding)
    content = await ctx.offload(len(data), to_bytes, data, encoding)
    link = (await connections(ctx)).find(connection_id)
    await link.write(content)
    return {"bytes_written": len(content)}
