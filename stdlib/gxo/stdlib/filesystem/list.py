"""The module `filesystem:list`."""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import islice
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record, WorkspacePath, module, reads
from gxo.runtime.streams.ports import Out
from gxo.runtime.workspace.jail import MAX_PATH, Jail
from gxo.stdlib.filesystem._content import check_path
from gxo.stdlib.filesystem._status import describe

CHUNK = 5000
"""Entries that are looked at between two looks at whether the workload was cancelled."""

MAX_MEMORY = 8 * 2**20
"""Bytes of records in memory, about; more wait in files without a name until all are sorted."""

MAX_SPILL = 10 * 2**30


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
    followed. A name that is no UTF-8 has a lone surrogate for each byte that is none (U+DCFF for
    0xff), and can be given to other modules as it is.

    A folder may have any number of entries: no more than some 8 MiB of them are in memory at a
    time, the others wait in files without a name in the workspace, and are merged from there.

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
    if pattern is not None and len(pattern) > MAX_PATH:
        raise ParameterError(f"`pattern` has {len(pattern)} characters: no path is that long")
    from gxo.stdlib.data._runs import Runs, memory_of  # start-up

    runs = Runs(
        lambda records: [record["path"] for record in records],
        reverse=False,
        most=None,
        max_memory=MAX_MEMORY,
        max_spill=MAX_SPILL,
        # A dry run must not touch the workspace, not even for a moment.
        folder=lambda: None if ctx.dry_run else ctx.workspace.path,
    )
    count = 0
    with closing(_chunks(ctx.workspace, path, recursive, pattern)) as chunks, closing(runs):
        while (records := await ctx.thread(next, chunks, None)) is not None:
            count += len(records)
            if records and out is not None:
                await ctx.thread(lambda some: runs.add(some, memory_of(some)), records)
        batches = runs.sorted()
        while out is not None and (batch := await ctx.thread(next, batches, None)):
            await out.send(batch)
    return {"count": count}


def _chunks(
    files: Jail, path: str, recursive: bool, pattern: str | None
) -> Generator[list[Record], None, None]:
    """A record for each entry that matches, unsorted. Blocks."""
    matches = _matcher(pattern)
    found = files.scan(path, recursive)
    while entries := list(islice(found, CHUNK)):
        yield [
            dict(describe(os.path.join(path, name).removeprefix("./"), status))
            for name, status in entries
            if matches(name)
        ]


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    if pattern is None:
        return lambda _: True
    import fnmatch  # start-up
    import re

    whole = "/" in pattern
    match = re.compile(fnmatch.translate(pattern)).match
    return lambda path: match(path if whole else path.rpartition("/")[2]) is not None
