"""Every case of `providers.yaml`, on each service: what a playbook says is the same for all of them."""

import asyncio
import contextlib
import hashlib
import itertools
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stdlib.harness import run
from tests.stdlib.object_storage.objects import Calls, calls
from tests.stdlib.object_storage.proxy import Cut, Proxy, proxy
from tests.stdlib.object_storage.services import SERVICES, WRONG, Service
from tests.stdlib.object_storage.test_objects import filled
from tests.stdlib.test_cases import _check_files as check_files
from tests.stdlib.test_cases import _lay_out as lay_out
from tests.stdlib.test_cases import _matches as matches

CASES = yaml.safe_load(Path(__file__).with_name("providers.yaml").read_text(encoding="utf-8"))

_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Service:
    """Each of them in turn."""
    return SERVICES[request.param](request)


@contextlib.asynccontextmanager
async def in_a_bucket(service: Service, folder: Path) -> AsyncIterator[Calls]:
    """Calls with a new bucket."""
    bucket = f"providers-{next(_numbers)}"
    async with calls(folder, **service.parameters(), bucket=bucket) as call:
        call.bench.clock.time = time.time()  # Swift looks when a request was signed
        await call.done("manage_bucket", state="present")
        yield call


@contextlib.asynccontextmanager
async def through(service: Service, folder: Path) -> AsyncIterator[tuple[Calls, Proxy, Calls]]:
    """Calls whose connections go through a proxy, and such as go straight on."""
    async with in_a_bucket(service, folder) as straight:
        with contextlib.ExitStack() as stack:
            way = stack.enter_context(proxy(service.port))
            shared = {**straight.shared, **service.parameters(port=way.port)}
            yield Calls(straight.bench, shared), way, straight
            await straight.bench.run.shared.close()
            # In a thread: the proxy waits for its connections, which the loop has yet to close.
            await straight.bench.context.thread(stack.close)


async def play(call: Calls, step: dict[str, Any], kept: dict[str, str], service: Service) -> None:
    [verb] = step.keys() - {"gives", "sent", "error", "as", "keep", "may_fail"}
    params = filled(step[verb], kept)
    if step.get("as") == "wrong":
        params["credentials"] = dict(service.wrong)
    outcome = await call(verb, **params)
    if "error" in step:
        assert outcome.error is not None, outcome.summary
        told = f"{outcome.error} {getattr(outcome.error, 'hint', '')}"
        matches(told, f"re:{step['error']}", verb)
        assert WRONG not in told and "PRIVATE" not in told
        return
    assert outcome.error is None, outcome.error
    matches(outcome.summary, filled(step.get("gives", {}), kept), verb)
    if "sent" in step:
        matches(outcome.sent, [filled(one, kept) for one in step["sent"]], verb)
    for name, field in step.get("keep", {}).items():
        kept[name] = outcome.summary[field]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], service: Service, tmp_path: Path) -> None:
    known = {"name", "but", "large", "there_are", "files", "steps", "after"}
    assert case.keys() <= known
    lay_out(tmp_path, case.get("files", {}))
    if "large" in case:
        (tmp_path / "large").write_bytes(random.Random(0).randbytes(case["large"]))

    async def steps() -> None:
        async with in_a_bucket(service, tmp_path) as call:
            for number in range(case.get("there_are", 0)):
                await call.done("put_object", key=f"n{number}", content="")
            kept: dict[str, str] = {}
            for step in case["steps"]:
                why = case.get("but", {}).get(service.name)
                if why and step.get("may_fail"):
                    await play(call, {**step, "error": why}, kept, service)
                    return
                await play(call, step, kept, service)

    run(steps())
    check_files(tmp_path, case.get("after", {}))
    if "large" in case and (copy := tmp_path / "copy").exists():
        assert copy.read_bytes() == (tmp_path / "large").read_bytes()


SIZE, PART = 12_000_000, 5 * 2**20
DATA = random.Random(1).randbytes(SIZE)
SHA256 = hashlib.sha256(DATA).hexdigest()


def test_a_large_object_goes_both_ways_through_lost_connections(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(DATA)

    async def play() -> None:
        async with through(service, tmp_path) as (call, way, _):
            way.cuts = [Cut("up", 3_000_000)] * 2
            put = await call.done("put_object", key="big", source="file", part_size=PART)
            assert (put["changed"], put["sha256"]) == (True, SHA256)
            assert not way.cuts
            way.cuts = [Cut("down", 3_000_000), Cut("down", 4_000_000)]
            got = await call.done("get_object", key="big", destination="copy")
            assert (got["changed"], got["sha256"]) == (True, SHA256)
            assert got["verified_by"] == "sha256"
            assert not way.cuts

    run(play())
    assert (tmp_path / "copy").read_bytes() == DATA


def test_a_connection_that_is_always_lost_makes_no_object(service: Service, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)

    async def play() -> None:
        async with through(service, tmp_path) as (call, way, straight):
            way.cut_all = Cut("up", 100_000)
            told = await call.refused("put_object", key="big", source="file", part_size=PART)
            assert way.endpoint in told
            assert "there is no object 'big'" in await straight.refused("get_object", key="big")

    run(play())


def test_a_cancelled_upload_makes_no_object(service: Service, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)

    async def play() -> None:
        async with through(service, tmp_path) as (call, way, straight):
            way.cuts = [Cut("up", 2_000_000, stalls=True)]
            task = asyncio.ensure_future(
                call.done("put_object", key="big", source="file", part_size=PART)
            )
            assert await call.bench.context.thread(way.held.wait, 10)
            task.cancel()
            await asyncio.sleep(0)
            way.released.set()
            await asyncio.wait([task])
            assert task.cancelled()
            assert "there is no object 'big'" in await straight.refused("get_object", key="big")

    run(play())


@pytest.mark.parametrize("turn", [0, 3, 13, 34, 89])
def test_managing_a_bucket_is_cancelled_at_any_turn(
    turn: int, service: Service, tmp_path: Path
) -> None:
    async def play() -> None:
        async with through(service, tmp_path) as (call, _, straight):
            task = asyncio.ensure_future(call.done("manage_bucket", state="absent"))
            for _ in range(turn):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await straight.done("manage_bucket", state="absent")

    run(play())
