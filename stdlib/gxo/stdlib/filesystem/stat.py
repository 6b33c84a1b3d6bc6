"""The module `filesystem:stat`."""

from stat import S_ISREG
from typing import Literal

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import WorkspacePath, module, reads
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.filesystem._content import check_path
from gxo.stdlib.filesystem._copying import pieces
from gxo.stdlib.filesystem._status import Status, describe

__all__ = ["Status", "stat"]


@module(
    "filesystem:stat",
    effects=[reads("path")],
    idempotent=True,
    returns={"path": ["path"], "mode": [], "modified_time": [], "checksum": []},
)
async def stat(
    ctx: Context,
    *,
    path: WorkspacePath,
    checksum: Literal["sha256"] | None = None,
    missing_ok: bool = False,
) -> Status:
    """Say what is known about a file or folder.

    A link inside the workspace is followed.

    Args:
        path: the file or folder, inside the workspace
        checksum: `sha256` also reads the file and computes its checksum
        missing_ok: whether a missing file is an answer instead of a failure

    Returns:
        `path`, `exists`, and for what exists `size` in bytes, `mode` in octal, `is_dir`,
        `modified_time` (RFC 3339, UTC), `owner` and `group` (names, or numbers that have none), and
        `checksum` when it was asked for, in hexadecimal.

    Raises:
        There is no such file (unless `missing_ok`), or `checksum` is asked of no regular file.

    Example:
        name: release
        lifecycle: {policy: run_once}
        process:
          module: filesystem:stat
          params:
            path: release.tar.gz
            missing_ok: true
        register: release
    """
    check_path("path", path)
    if checksum not in (None, "sha256"):
        raise ParameterError(f"`checksum` is {shown_text(checksum)}: it can only be sha256")
    return await ctx.thread(_status, ctx.workspace, path, checksum is not None, missing_ok)


def _status(workspace: Jail, path: str, checksum: bool, missing_ok: bool) -> Status:
    if missing_ok and not workspace.exists(path):
        return {"path": path, "exists": False}
    status = workspace.stat(path)
    result = describe(path, status)
    if checksum:
        if not S_ISREG(status.st_mode):
            raise ModuleError(f"{path!r} is no regular file and has no checksum")
        result["checksum"] = _sha256(workspace, path)
    return result


def _sha256(workspace: Jail, path: str) -> str:
    from hashlib import sha256  # start-up

    digest = sha256()
    for piece in pieces(workspace, path):
        digest.update(piece)
    return digest.hexdigest()
