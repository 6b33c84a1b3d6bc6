"""The module `filesystem:read`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Size, WorkspacePath, module, reads
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.filesystem._content import Encoding, check_encoding, check_path, to_text


class Content(TypedDict):
    content: str
    size: int


@module("filesystem:read", effects=[reads("path")], idempotent=True)
async def read(
    ctx: Context,
    *,
    path: WorkspacePath,
    encoding: Encoding = "utf-8",
    max_bytes: Size = 64 * 1024 * 1024,
) -> Content:
    """Read a whole file into the summary.

    Args:
        path: the file, inside the workspace
        encoding: `utf-8` for text, `base64` for any other file
        max_bytes: a longer file is a failure

    Returns:
        `content`, text or base64; `size` of the file in bytes.

    Raises:
        The file is missing, no regular file, longer than `max_bytes`, or no UTF-8 where it has to
        be.

    Example:
        name: motd
        lifecycle: {policy: run_once}
        process:
          module: filesystem:read
          params:
            path: motd.txt
        register: motd
    """
    check_path("path", path)
    check_encoding(encoding)
    if max_bytes < 0:
        raise ParameterError(f"`max_bytes` is {max_bytes}: a size cannot be negative")
    return await ctx.thread(_read, ctx.workspace, path, encoding, max_bytes)


def _read(workspace: Jail, path: str, encoding: Encoding, max_bytes: int) -> Content:
    data = workspace.read(path, max_bytes)
    return {"content": to_text(data, encoding, path), "size": len(data)}
