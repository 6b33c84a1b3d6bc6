"""1 GB goes to S3 and back in little memory, through lost connections; 10,000 keys; 800 odd peers."""

import asyncio
import contextlib
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.object_storage.list_objects import list_objects
from tests.proof.figure import Figure
from tests.proof.ssh import is_wrong
from tests.services.moto import Moto, moto_server
from tests.stdlib.harness import run
from tests.stdlib.object_storage.objects import Calls, calls, through
from tests.stdlib.object_storage.proxy import Cut
from tests.stdlib.object_storage.test_answers import VERBS, babble

SIZE, KEYS = 10**9, 10_000
REPLIES = 200
MIB = 2**20
MOST = 48
"""MiB that may come to the memory of the process: pieces on their way, and what is loaded once."""


def prove(scale: float) -> Iterator[Figure]:
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        there, ours = Path(folder, "moto"), Path(folder, "ws")
        there.mkdir()
        ours.mkdir()
        moto = stack.enter_context(moto_server(there, page=1000))
        size = round(SIZE * scale)
        size = fill(ours / "file", size)
        for verb, params in (
            ("put_object", {"source": "file"}),
            ("get_object", {"destination": "copy"}),
        ):
            for losses in (0, 5):
                yield from _moved(moto, ours, verb, params, size, losses)
                (ours / "copy").unlink(missing_ok=True)
        keys = round(KEYS * scale)
        moto.make_bucket("keys")
        moto.fill("keys", (f"logs/{number:09}" for number in range(keys)))
        with peak_of() as peak:
            there_are = run(_listed(moto, ours))
        yield Figure("keys listed", there_are)
        yield Figure("of them lost", keys - there_are, 0)
        yield Figure("more resident memory, MiB", peak[0] / MIB, MOST)
        replies = range(max(10, round(REPLIES * scale)))
        wrong = sum(is_wrong(babble, ours, verb, seed) for verb in VERBS for seed in replies)
        yield Figure("peers that send garbage, for each of four modules", len(replies))
        yield Figure("of them without one clear error, or with something left open", wrong, 0)


def fill(path: Path, size: int) -> int:
    """Random bytes, whole MiB of them; how many."""
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))
    return path.stat().st_size


def _moved(
    moto: Moto, folder: Path, verb: str, params: dict[str, Any], size: int, losses: int
) -> Iterator[Figure]:
    """One object through the module, which has to say that it was all of it."""

    async def play() -> tuple[float, int, int]:
        asyncio.get_running_loop().set_debug(False)
        async with through(moto, folder) as (call, way):
            if verb == "get_object":
                await call.done("put_object", key="big", source="file")
            way.cuts = [Cut("up" if verb == "put_object" else "down", 4 * MIB)] * losses
            started = time.process_time()
            with peak_of() as peak:
                summary = await call.done(verb, key="big", **params)
            seconds = time.process_time() - started
            left = len(moto.uploads(call.shared["bucket"])) + len(way.cuts)
        assert summary["size"] == size and summary["changed"]
        return seconds, peak[0], left

    seconds, peak, left = run(play())
    yield Figure(f"bytes of {verb}, {losses} connections lost", size)
    yield Figure("CPU seconds, with the proxy's", seconds)
    yield Figure("more resident memory, MiB", peak / MIB, MOST)
    yield Figure("parts left at the server", left, 0)


async def _listed(moto: Moto, folder: Path) -> int:
    asyncio.get_running_loop().set_debug(False)
    shared = {"endpoint": moto.endpoint, "bucket": "keys", "credentials": moto.keys["admin"]}
    async with calls(folder, **shared) as call:
        return await listed(call)


async def listed(call: Calls) -> int:
    """How many keys of a bucket come in a stream."""
    source = Source("list", Channel())
    reader = Records([source.connect("reader")])
    listing = asyncio.ensure_future(list_objects(call.bench.context, source.port(), **call.shared))
    listing.add_done_callback(lambda _: source.finish())
    read: set[str] = set()
    async for batch in reader:
        read.update(record["key"] for record in batch)
    assert (await listing)["count"] == len(read)
    return len(read)


@contextlib.contextmanager
def peak_of() -> Iterator[list[int]]:
    """Bytes that come to the process's resident memory at most, looked at every 20 ms."""
    before = _resident()
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], _resident() - before)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
