"""Every case of `answers.yaml`, and what no list of cases holds: garbage, silence, nobody there."""

import asyncio
import contextlib
import hashlib
import random
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import ConsumersClosed, Source
from gxo.stdlib.object_storage.list_objects import list_objects
from tests.services.process import free_port
from tests.stdlib.connection.test_links import peer, sending
from tests.stdlib.harness import run
from tests.stdlib.http.server import Server, serving
from tests.stdlib.object_storage.objects import Calls, calls
from tests.stdlib.test_cases import _matches as matches

CASES = yaml.safe_load(Path(__file__).with_name("answers.yaml").read_text(encoding="utf-8"))
VERBS = ["put_object", "get_object", "list_objects", "delete_object"]
LARGE = b"x" * (5 * 2**20 + 1)
KEYS: dict[str, Any] = {
    "somebody": {"access_key_id": "AKIA", "secret_access_key": "s3cret-word"},
    "temporary": {
        "access_key_id": "AKIA",
        "secret_access_key": "s3cret-word",
        "session_token": "t0ken",
    },
    "nobody": None,
}


@contextlib.asynccontextmanager
async def asking(folder: Path, routes: dict[str, Any]) -> AsyncIterator[tuple[Calls, Server]]:
    """Calls, and the server that they ask."""
    async with calls(folder, bucket="bkt") as call:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(serving(routes))
            endpoint = f"http://127.0.0.1:{server.server_address[1]}"
            server.set_routes(_with_address(routes, endpoint))
            try:
                yield Calls(call.bench, {**call.shared, "endpoint": endpoint}), server
            finally:
                await call.bench.run.shared.close()
                await call.bench.context.thread(stack.close)


def _with_address(value: Any, endpoint: str) -> Any:
    """The routes with the server's address for `SERVER` in their texts."""
    if isinstance(value, dict):
        return {name: _with_address(one, endpoint) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_address(one, endpoint) for one in value]
    return value.replace("SERVER", endpoint) if isinstance(value, str) else value


def filled(value: Any) -> Any:
    """The case's value with what its words stand for."""
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    words = {"LARGE": LARGE, "CHECKSUM": hashlib.sha256(LARGE).hexdigest()}
    return words.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    known = {"name", "server", "as", "gives", "error", "waited", "asked", "not_asked", "logged"}
    known.add("consumed")
    [verb] = case.keys() - known
    (tmp_path / "large").write_bytes(LARGE)

    async def play() -> None:
        async with asking(tmp_path, filled(case["server"])) as (call, server):
            started = call.bench.clock.time
            who = KEYS[case.get("as", "somebody")]
            consumed = case.get("consumed", True)
            outcome = await call(verb, consumed=consumed, credentials=who, **case[verb])
            if "error" in case:
                assert outcome.error is not None, outcome.summary
                told = f"{outcome.error} {getattr(outcome.error, 'hint', '')}"
                matches(told, f"re:{case['error']}", verb)
                assert "s3cret" not in told
            else:
                assert outcome.error is None, outcome.error
                matches(outcome.summary, case["gives"], verb)
            if "waited" in case:
                assert call.bench.clock.time - started == pytest.approx(case["waited"])
            if "asked" in case:
                matches(server.requests, case["asked"], "asked")
            for request in server.requests:
                assert not set(case.get("not_asked", [])) & set(request["headers"])

    run(play())
    if "logged" in case:
        matches(capfd.readouterr().err, f"re:{case['logged']}", "logged")


def garbage(seed: int) -> bytes:
    """What a peer sends: most of the time it begins like a server."""
    chance = random.Random(seed)
    status = chance.choice([b"200 OK", b"206 Partial Content", b"404 Not Found", b"403 No", b"999"])
    begin = b"HTTP/1.1 " + status + b"\r\n" if chance.random() < 0.9 else b""
    for name in (b"ETag", b"x-amz-checksum-sha256", b"Content-Range", b"x-amz-version-id"):
        if chance.random() < 0.3:
            begin += name + b": " + chance.randbytes(9).hex().encode() + b"\r\n"
    root = chance.choice([b"ListBucketResult", b"Error", b"InitiateMultipartUploadResult", b"x"])
    inner = chance.choice([b"", b"<Contents/>", b"<Code/>", b"<Key>a", chance.randbytes(50)])
    body = b"<" + root + b">" + inner * chance.choice([0, 1, 40]) + b"</" + root + b">"
    body = chance.choice([b"", body, chance.randbytes(chance.choice([1, 100, 70_000]))])
    length = len(body) + chance.choice([0, 0, 0, 7, -1, 10**12])
    return begin + b"Content-Length: %d\r\n\r\n" % max(length, 0) + body


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("verb", VERBS)
def test_garbage_is_one_error_or_an_answer(verb: str, seed: int, tmp_path: Path) -> None:
    run(babble(tmp_path, verb, seed))


async def babble(folder: Path, verb: str, seed: int) -> None:
    """Ask a peer that sends garbage and closes. A 200 is what put and delete take for an answer."""
    own = {"put_object": {"content": "x"}, "get_object": {"destination": "new"}}
    key = {} if verb == "list_objects" else {"key": "a"}
    async with (
        asyncio.timeout(10),
        peer(sending(garbage(seed))) as address,
        calls(folder, bucket="bkt", endpoint=f"http://{address}") as call,
    ):
        outcome = await call(verb, **key, **own.get(verb, {}))
    if outcome.error is not None:
        told = str(outcome.error)
        assert type(outcome.error).__module__ == "gxo.runtime.errors", repr(outcome.error)
        assert address in told or "bkt" in told
        assert len(told) < 700 and told.isprintable()


def test_nobody_is_there(tmp_path: Path) -> None:
    port = free_port()

    async def play() -> str:
        async with calls(tmp_path, bucket="bkt", endpoint=f"http://127.0.0.1:{port}") as call:
            return await call.refused("get_object", key="a")

    assert f"cannot connect to http://127.0.0.1:{port}: Connection refused" in run(play())


def test_nobody_answers(tmp_path: Path) -> None:
    async def play() -> str:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            where = f"http://127.0.0.1:{listening.getsockname()[1]}"
            async with calls(tmp_path, bucket="bkt", endpoint=where) as call:
                return await call.refused("get_object", key="a", timeout=0.01)

    assert re.search(r"http://127.0.0.1:\d+ was silent for 0.01 s \(raise `timeout`\)", run(play()))


def test_no_more_of_a_list_is_asked_for_than_is_read(tmp_path: Path) -> None:
    objects = "".join(f"<Contents><Key>{n}</Key><Size>1</Size></Contents>" for n in range(500))
    pages = [
        f"<ListBucketResult><IsTruncated>true</IsTruncated>{objects}"
        f"<NextContinuationToken>{n}</NextContinuationToken></ListBucketResult>"
        for n in range(100)
    ]

    async def play() -> int:
        async with asking(tmp_path, {"/bkt": [{"body": page} for page in pages]}) as (call, server):
            source = Source("list", Channel(buffer_size=100))
            reader = Records([source.connect("reader")])
            params = {**call.shared, "out": source.port()}
            listing = asyncio.ensure_future(list_objects(call.bench.context, **params))
            async for batch in reader:
                assert len(batch) == 500
                break
            reader.close()
            with pytest.raises(ConsumersClosed):
                await listing
            return len(server.requests)

    assert run(play()) <= 3
