"""1 GB goes to Swift, Azurite and an emulator of Google's storage and back in little memory.

Through a lost connection each time; and 10,000 keys are listed as a stream.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gxo.stdlib.object_storage.put_object import put_object
from tests.proof.figure import Figure
from tests.proof.objects import KEYS, MIB, MOST, SIZE, fill, listed, peak_of
from tests.services.azurite import azurite_server
from tests.services.gcs import gcs_server
from tests.services.swift import swift_server
from tests.stdlib.harness import run
from tests.stdlib.object_storage.objects import Calls, calls
from tests.stdlib.object_storage.proxy import Cut, Way
from tests.stdlib.object_storage.services import Service, of_azurite, of_gcs, of_swift
from tests.stdlib.object_storage.test_providers import in_a_bucket, through

MOVES: tuple[tuple[Way, str, dict[str, str]], ...] = (
    ("up", "put_object", {"source": "file"}),
    ("down", "get_object", {"destination": "copy"}),
)

AT_ONCE = 4
"""Objects that are put into a bucket side by side: one by one, all of them take minutes."""

FILLED_IN = 600.0
"""Seconds at most until a bucket has all its keys."""


def prove(scale: float) -> Iterator[Figure]:
    for name, server in SERVERS.items():
        with _folders() as (there, ours), server(there, 0) as service:
            size = fill(ours / "file", round(SIZE * scale))
            yield from _moved(name, service, ours, size)
        keys = round(KEYS * scale)
        with _folders() as (there, ours), server(there, keys) as service:
            yield from _listed(name, service, ours, keys)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """Of the server, and of the workspace."""
    with TemporaryDirectory() as folder:
        there, ours = Path(folder, "server"), Path(folder, "ws")
        there.mkdir()
        ours.mkdir()
        yield there, ours


@contextmanager
def _swift(folder: Path, _keys: int) -> Iterator[Service]:
    with swift_server(folder) as swift:
        yield of_swift(swift)


@contextmanager
def _azurite(folder: Path, _keys: int) -> Iterator[Service]:
    with azurite_server(folder) as azurite:
        yield of_azurite(azurite)


@contextmanager
def _gcs(folder: Path, keys: int) -> Iterator[Service]:
    with gcs_server(folder, page=1000, keys=keys) as gcs:
        yield of_gcs(gcs, folder)


SERVERS: dict[str, Callable[[Path, int], AbstractContextManager[Service]]] = {
    "Swift": _swift,
    "Azurite": _azurite,
    "Google's emulator": _gcs,
}
"""The keys: how many are there from the start, where the server can do that."""


def _moved(name: str, service: Service, folder: Path, size: int) -> Iterator[Figure]:
    """One object there and back, which the modules have to say that it was all of it."""

    async def play() -> list[float]:
        asyncio.get_running_loop().set_debug(False)
        peaks = []
        async with through(service, folder) as (call, way, _):
            for direction, verb, file in MOVES:
                way.cuts = [Cut(direction, 4 * MIB)]
                with peak_of() as peak:
                    summary = await call.done(verb, key="big", **file)
                assert summary["size"] == size and summary["changed"] and not way.cuts
                peaks.append(peak[0] / MIB)
        return peaks

    put, got = run(play())
    yield Figure(f"{name}: bytes there and back, a connection lost each time", size)
    yield Figure(f"{name}: more resident memory of put_object, MiB", put, MOST)
    yield Figure(f"{name}: more resident memory of get_object, MiB", got, MOST)


def _listed(name: str, service: Service, folder: Path, keys: int) -> Iterator[Figure]:
    async def play() -> tuple[int, float]:
        asyncio.get_running_loop().set_debug(False)
        async with _with_keys(service, folder, keys) as call:
            with peak_of() as peak:
                there_are = await listed(call)
            return there_are, peak[0] / MIB

    there_are, peak = run(play())
    yield Figure(f"{name}: keys listed", there_are)
    yield Figure(f"{name}: of them lost", keys - there_are, 0)
    yield Figure(f"{name}: more resident memory, MiB", peak, MOST)


@asynccontextmanager
async def _with_keys(service: Service, folder: Path, keys: int) -> AsyncIterator[Calls]:
    """Calls with a bucket that has so many keys."""
    if service.name == "gcs":
        async with calls(folder, **service.parameters(), bucket="first") as call:
            yield call
    else:
        async with in_a_bucket(service, folder) as call:
            async with asyncio.timeout(FILLED_IN):
                await _put(call, (f"logs/{number:09}" for number in range(keys)))
            yield call


async def _put(call: Calls, keys: Iterator[str]) -> None:
    """An empty object for each key."""

    async def put_next() -> None:
        for key in keys:
            await put_object(call.bench.context, key=key, content="", **call.shared)

    await asyncio.gather(*(put_next() for _ in range(AT_ONCE)))
