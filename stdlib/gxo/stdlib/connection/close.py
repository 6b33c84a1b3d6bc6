"""The module `connection:close`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.stdlib.connection._registry import connections


class Closed(TypedDict):
    connection_id: str
    closed: bool


@module("connection:close", changes=True, returns={"connection_id": ["connection_id"]})
async def close(ctx: Context, *, connection_id: str) -> Closed:
    """Close a connection; what was written is sent before. Those that stay open end with the job.

    Args:
        connection_id: the handle of the connection

    Returns:
        `connection_id`, and `closed`.

    Raises:
        ModuleError: no such connection, or it is closed already.

    Example:
        name: done
        lifecycle: {policy: run_once}
        process:
          module: connection:close
          params:
            connection_id: "{{ .store.connection_id }}"
    """
    await (await connections(ctx)).close(connection_id)
    return {"connection_id": connection_id, "closed": True}
