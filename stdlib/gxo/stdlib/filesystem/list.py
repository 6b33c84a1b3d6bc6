"""The module `filesystem:list`."""

import os
from collections.abc import Callable, Iterable
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record, WorkspacePath, module, reads
from gxo.runtime.streams.ports import Out
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.filesystem._content import check_path
from gxo.stdlib.filesystem._status import describe

_BATCH = 500

Entry = tuple[str, os.stat_result]


class Listed(TypedDict):
    count: int


@module("filesystem:list", effects=[reads("path")], idempotent=True)
async def list_(
    ctx: Context,
    out: Out | None,
    *,
    path: WorkspacePath,
    recursive: bool = False,
    pattern: str | None = None,
) -> Listed:
    """Send a record for each entry of a folder, sorted by path.

    The records have the fields of `filesystem:stat`. Links are listed as themselves and not
    followed.

    Args:
        path: the folder, inside the workspace
        recursive: whether to list what is in its folders too
        pattern: only entries that match, with `*`, `?` and `[...]`; compared with the whole path
            below `path` when it holds a `/`, else with the name

    Returns:
        `count` of the entries.

    Raises:
        The path is missing or no folder.

    Example:
        name: logs
        lifecycle: {policy: run_once}
        process:
          module: filesystem:list
          params:
            path: logs
            pattern: "*.log"
    """
    check_path("path", path)
    if pattern == "":
        raise ParameterError("`pattern` is empty", hint="leave it out to list everything")
    entries = await ctx.thread(_entries, ctx.workspace, path, recursive, pattern)
    if out is not None:
        for start in range(0, len(entries), _BATCH):
            await out.send(await ctx.thread(_records, path, entries[start : start + _BATCH]))
    return {"count": len(entries)}


def _entries(workspace: Jail, path: str, recursive: bool, pattern: str | None) -> list[Entry]:
    matches = _matcher(pattern)
    found: Iterable[Entry] = workspace.scan(path, recursive)
    return sorted((entry for entry in found if matches(entry[0])), key=lambda entry: entry[0])


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    if pattern is None:
        return lambda _: True
    import fnmatch  # start-up
    import re

    whole = "/" in pattern
    match = re.compile(fnmatch.translate(pattern)).match
    return lambda path: match(path if whole else path.rpartition("/")[2]) is not None


def _records(folder: str, entries: list[Entry]) -> list[Record]:
    return [
        dict(describe(os.path.join(folder, path).removeprefix("./"), status))
        for path, status in entries
    ]
