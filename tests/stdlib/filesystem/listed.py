"""A folder of many entries is listed, and what comes is looked at as it comes. Also for `make proof`."""

import asyncio
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.filesystem.list import list_
from tests.stdlib.harness import bench, open_descriptors, run


@dataclass
class Listed:
    """How many records came, how many of them before one that comes earlier in the alphabet; the
    most bytes that Python held meanwhile, and the most descriptors that were open besides."""

    count: int
    disorder: int = 0
    peak: int = 0
    files: int = 0


def fill(folder: Path, entries: int) -> None:
    """Make so many files, a thousand a folder, in no order."""
    for number in range(entries):
        place = folder / f"{number * 7919 % 1000:03}" if entries > 1000 else folder
        if number < 1000:
            place.mkdir(exist_ok=True)
        (place / f"{number * 104729 % entries:06}").touch()


def listed(folder: Path) -> Listed:
    """List all that is in a folder, with all that is in its folders."""

    async def play() -> Listed:
        async with bench(folder) as workbench:
            source = Source("list", Channel())
            reader = Records([source.connect("reader")])
            call = list_(workbench.context, source.port(), path=".", recursive=True)
            task = asyncio.ensure_future(call)
            task.add_done_callback(lambda _: source.finish())
            found, last = Listed(0), ""
            before = len(open_descriptors())
            async for batch in reader:
                found.files = max(found.files, len(open_descriptors()) - before)
                for record in batch:
                    found.count += 1
                    found.disorder += record["path"] <= last
                    last = record["path"]
            assert (await task)["count"] == found.count
            return found

    tracemalloc.start()
    try:
        result = run(play())
        result.peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return result
