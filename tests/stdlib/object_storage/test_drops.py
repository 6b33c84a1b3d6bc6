"""Large objects through lost connections and cancellations: they are whole, or nothing is left."""

import asyncio
import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from tests.services.moto import Moto
from tests.stdlib.harness import module_spec, run
from tests.stdlib.object_storage.objects import Calls, through
from tests.stdlib.object_storage.proxy import Cut, Proxy

SIZE, PART = 12_000_000, 5 * 2**20
DATA = random.Random(0).randbytes(SIZE)
SHA256 = hashlib.sha256(DATA).hexdigest()


def content(moto: Moto, call: Calls, key: str = "big") -> bytes | None:
    """What the object holds; None where there is none."""
    status, body = moto.ask("GET", f"/{call.shared['bucket']}/{key}")
    return body if status == 200 else None


def test_a_large_object_is_sent_through_lost_connections(moto: Moto, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)

    async def play() -> None:
        async with through(moto, tmp_path) as (call, way):
            way.cuts = [Cut("up", 3_000_000)] * 3
            done = await call.done("put_object", key="big", source="file", part_size=PART)
            assert (done["changed"], done["size"], done["sha256"]) == (True, SIZE, SHA256)
            assert done["etag"].endswith("-3")
            assert not way.cuts
            assert content(moto, call) == DATA
            begun = sum(bytes(one).count(b"POST /") for one in way.asked)
            assert begun == 2, "the upload was begun and completed, and parts were repeated"

    run(play())


def test_a_large_object_is_read_on_after_lost_connections(moto: Moto, tmp_path: Path) -> None:
    async def play() -> None:
        async with through(moto, tmp_path) as (call, way):
            assert moto.ask("PUT", f"/{call.shared['bucket']}/big", DATA)[0] == 200
            way.cuts = [Cut("down", 3_000_000), Cut("down", 200), Cut("down", 4_000_000)]
            done = await call.done("get_object", key="big", destination="new/file")
            assert (done["changed"], done["sha256"], done["verified_by"]) == (
                True,
                SHA256,
                "md5",
            )
            asked = b"".join(way.asked)
            assert asked.count(b"GET /") == 4
            assert asked.count(b"range: bytes=") == 2

    run(play())
    assert (tmp_path / "new/file").read_bytes() == DATA


def test_a_connection_that_is_always_lost_is_one_error(moto: Moto, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)

    async def play() -> None:
        async with through(moto, tmp_path) as (call, way):
            way.cut_all = Cut("up", 1_000_000)
            told = await call.refused("put_object", key="big", source="file", part_size=PART)
            assert way.endpoint in told
            assert content(moto, call) is None
            assert moto.ask("PUT", f"/{call.shared['bucket']}/big", DATA)[0] == 200
            way.cut_all = Cut("down", 500)
            told = await call.refused("get_object", key="big", destination="new")
            assert f"the connection to {way.endpoint} broke" in told

    run(play())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_object_that_is_replaced_while_it_is_read_is_an_error(
    moto: Moto, tmp_path: Path
) -> None:
    async def play() -> None:
        async with through(moto, tmp_path) as (call, way):
            path = f"/{call.shared['bucket']}/big"
            assert moto.ask("PUT", path, DATA)[0] == 200
            way.cuts = [Cut("down", 3_000_000, then=lambda: moto.ask("PUT", path, b"other"))]
            told = await call.refused("get_object", key="big", destination="new")
            assert "object 'big' in bucket" in told and "was replaced while it was read" in told

    run(play())
    assert not list(tmp_path.iterdir())


def test_an_object_that_was_damaged_is_no_file(moto: Moto, tmp_path: Path) -> None:
    """Somebody has written other bytes and kept the checksum."""

    async def play() -> None:
        async with through(moto, tmp_path) as (call, _):
            path = f"/{call.shared['bucket']}/big"
            assert moto.ask("PUT", path, DATA, x_amz_meta_sha256="0" * 64)[0] == 200
            for destination in ({"destination": "new"}, {}):
                told = await call.refused("get_object", key="big", **destination)
                assert "object 'big' in bucket" in told and "is damaged" in told

    run(play())
    assert not list(tmp_path.iterdir())


async def cancelled(call: Calls, way: Proxy, verb: str, **params: Any) -> None:
    """Call a module, cancel it when the proxy holds it up, and let that go on."""
    task = asyncio.ensure_future(call.done(verb, **params))
    assert await call.bench.context.thread(way.held.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    way.released.set()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize("at", ["a part", "its begin", "its end"])
def test_a_cancelled_upload_leaves_no_parts(at: str, moto: Moto, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)

    async def play() -> None:
        async with through(moto, tmp_path) as (call, way):
            if at == "a part":
                way.cuts = [Cut("up", 2_000_000, stalls=True)]
            else:
                way.hold = {"its begin": b"?uploads", "its end": b"<CompleteM"}[at]
            await cancelled(call, way, "put_object", key="big", source="file", part_size=PART)
            assert content(moto, call) == (DATA if at == "its end" else None)

    run(play())


@pytest.mark.parametrize("before", [False, True])
def test_a_cancelled_download_leaves_no_file(before: bool, moto: Moto, tmp_path: Path) -> None:
    if before:
        (tmp_path / "new").write_text("old")

    async def play() -> None:
        async with through(moto, tmp_path) as (call, way):
            assert moto.ask("PUT", f"/{call.shared['bucket']}/big", DATA)[0] == 200
            way.cuts = [Cut("down", 5_000_000, stalls=True)]
            await cancelled(call, way, "get_object", key="big", destination="new")

    run(play())
    assert [path.read_text() for path in tmp_path.iterdir()] == (["old"] if before else [])


@pytest.mark.parametrize("turn", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89])
@pytest.mark.parametrize("verb", ["put_object", "get_object", "list_objects", "delete_object"])
def test_cancelled_at_any_turn(verb: str, turn: int, moto: Moto, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA[: PART + 1])
    own = {
        "put_object": {"source": "file", "part_size": PART},
        "get_object": {"destination": "new"},
    }

    async def play() -> None:
        async with through(moto, tmp_path) as (call, _):
            key = {} if verb == "list_objects" else {"key": "big"}
            if verb != "put_object":
                moto.ask("PUT", f"/{call.shared['bucket']}/big", b"small")
            spec = module_spec(f"object_storage:{verb}")
            params = {**call.shared, **key, **own.get(verb, {})}
            task = asyncio.ensure_future(call.bench.call(spec, params))
            for _ in range(turn):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            if verb == "put_object":
                assert content(moto, call) in (None, DATA[: PART + 1])

    run(play())
    assert {path.name for path in tmp_path.iterdir()} <= {"file", "new"}
    if (tmp_path / "new").exists():
        assert (tmp_path / "new").read_text() == "small"
