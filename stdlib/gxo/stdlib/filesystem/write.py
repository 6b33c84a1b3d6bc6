"""The module `filesystem:write`."""

import stat
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import Unknown
from gxo.runtime.spec import FileMode, WorkspacePath, module, writes
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_size
from gxo.stdlib.filesystem._content import (
    Encoding,
    check_encoding,
    check_path,
    mode_bits,
    to_bytes,
)

MOST_COMPARED = 1024 * 1024
"""Bytes of a file that `--diff` looks at before something is appended to it."""


class Written(TypedDict):
    path: str
    bytes_written: int
    changed: bool


@module("filesystem:write", changes="by_call", effects=[writes("path")], returns={"path": ["path"]})
async def write(
    ctx: Context,
    *,
    path: WorkspacePath,
    content: str,
    mode: FileMode = "0644",
    append: bool = False,
    encoding: Encoding = "utf-8",
) -> Written:
    """Write text to a file, creating its parent folders.

    The file is replaced as a whole: a reader sees the old content or the new, and after a crash it
    is one of the two. A process that is killed meanwhile leaves at most a file `.gxo-*.tmp` beside
    it. Owner and group stay what they were, if the job may give files to them. A file that already
    has this content and mode is left alone. With `append` the content is added to what is there,
    and a file with more than one link is refused.

    In a dry run nothing is written; later workloads read what would be there.

    Args:
        path: the file, inside the workspace
        content: what it gets
        mode: its permissions in octal, whatever the umask
        append: whether to add to the file
        encoding: `base64` writes the bytes that `content` stands for

    Returns:
        `path`; `bytes_written`, 0 when nothing had to be done; `changed`, whether something had.

    Raises:
        The path leads to a folder or through a file, the disk is full, permission is denied, or
        `content` is no base64 where it has to be.

    Example:
        name: config
        lifecycle: {policy: run_once}
        process:
          module: filesystem:write
          params:
            path: etc/app.conf
            content: "workers = 4\\n"
            mode: "0600"
    """
    check_path("path", path)
    check_encoding(encoding)
    data = await ctx.offload(len(content), to_bytes, content, encoding)
    bits = mode_bits(mode)
    workspace = ctx.workspace
    await ctx.show_diff(path, lambda: _before(workspace, path) + data if append else data)
    if append:
        written = await ctx.complete(workspace.append, path, data, bits)
        result: Written = {"path": path, "bytes_written": written, "changed": written > 0}
    else:
        result = await ctx.complete(_replace, workspace, path, data, bits)
    return _foreseen(ctx, result, append) if ctx.dry_run else result


def _foreseen(ctx: Context, result: Written, append: bool) -> Written:
    path, verb = result["path"], "append to" if append else "write"
    if result["changed"]:
        what = f"{verb} {path} ({shown_size(result['bytes_written'])})"
    else:
        what = f"leave {path} as it is"
    summary: Written = ctx.would(what, result, changes=result["changed"])
    return summary


def _before(workspace: Jail, path: str) -> bytes:
    return workspace.read(path, MOST_COMPARED) if workspace.exists(path) else b""


def _replace(workspace: Jail, path: str, data: bytes, bits: int) -> Written:
    if _is_already(workspace, path, data, bits):
        return {"path": path, "bytes_written": 0, "changed": False}
    return {"path": path, "bytes_written": workspace.write(path, data, bits), "changed": True}


def _is_already(workspace: Jail, path: str, data: bytes, bits: int) -> bool:
    try:
        if not workspace.exists(path):
            return False
        status = workspace.stat(path)
        same = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == bits
        return same and status.st_size == len(data) and workspace.read(path, len(data)) == data
    except Unknown:  # a dry run cannot tell: then it would be written
        return False
