"""How requests are answered with `http:respond`, in time or not, and what clients get."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Record
from gxo.stdlib.http._answers import make_answer
from tests.stdlib.harness import run
from tests.stdlib.http.listening import GET, Served, never, serving, statuses


def test_a_request_that_nobody_answers(tmp_path: Path) -> None:
    """The client is told; an answer that comes later goes nowhere, and is no failure."""

    async def play() -> None:
        async with serving(tmp_path, never, timeout=10.0) as served:
            reader, writer = await served.connect()
            writer.write(GET % 1 + GET % 2)
            await served.pass_seconds(9)
            await served.pass_seconds(2)
            answer = await reader.read()
            assert statuses(answer) == [504] and b"no answer within 10 s" in answer
            writer.close()
            [record] = served.records
            late = await served.respond(record, body="late")
            assert late == {"request_id": record["request_id"], "bytes_written": 0}

    run(play())


def test_a_client_that_does_not_take_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer does not wait for it. It has time as long as it takes something."""
    monkeypatch.setattr("gxo.stdlib.connection._links.FLUSH", 0.02)

    async def large(served: Served, record: Record) -> None:
        await served.respond(record, body="x" * 20_000_000)

    async def play() -> None:
        async with serving(tmp_path, large, read_timeout=10.0) as served:
            reader, writer = await served.connect()
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket
            writer.write(GET % 1)
            await served.pass_seconds(9)
            assert len(served.records) == 1 and not served.broke
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            got = len(await reader.readexactly(5_000_000))
            await served.pass_seconds(2)
            await served.pass_seconds(9)
            got += len(await reader.readexactly(5_000_000))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await served.pass_seconds(11)
            await served.pass_seconds(11)
            await asyncio.sleep(0.1)  # longer than it may take to be closed
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(10_000_000)
            writer.close()

    run(play())


def test_answers_that_are_none(tmp_path: Path) -> None:
    """Twice, to nobody, to a client that has gone; the server goes on."""

    async def twice(served: Served, record: Record) -> None:
        await served.respond(record)
        await served.respond(record)

    async def play() -> None:
        async with serving(tmp_path, twice) as served:
            assert statuses(await served.ask(GET % 1)) == [200]
            handle = served.records[0]["request_id"]
            assert served.broke == [f"the request '{handle}' is answered already"]
            prefix = handle.removesuffix("1")
            for handle in (f"{prefix}2", f"{prefix}0", prefix, "http-1", "", prefix + "9" * 5000):
                with pytest.raises(ModuleError, match="there is no request"):
                    await served.respond({"request_id": handle})
        async with serving(tmp_path, never) as served:
            _, writer = await served.connect()
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.write(GET % 1)
            await served.settle()
            writer.transport.abort()  # sends a reset
            await served.settle()
            [record] = served.records
            gone = await served.respond(record)
            assert gone["bytes_written"] == 0

    run(play())


def test_what_an_answer_looks_like(tmp_path: Path) -> None:
    """As httpx reads it: kinds of bodies, headers, and statuses that have none."""
    import httpx

    table: list[tuple[dict[str, Any], int, bytes, dict[str, str]]] = [
        ({}, 200, b"", {"content-length": "0"}),
        ({"body": "Zoë"}, 200, "Zoë".encode(), {"content-type": "text/plain; charset=utf-8"}),
        ({"json": {"a": ["ë"]}}, 200, '{"a":["ë"]}'.encode(), {"content-type": "application/json"}),
        ({"json": 0}, 200, b"0", {"content-type": "application/json"}),
        (
            {"body": "AP8=", "encoding": "base64", "status_code": 404},
            404,
            b"\0\xff",
            {"content-type": "application/octet-stream"},
        ),
        (
            {"body": "<p>", "headers": {"content-type": "text/html", "X-Tags": ["a", "b"]}},
            200,
            b"<p>",
            {"content-type": "text/html", "x-tags": "a, b"},
        ),
        ({"status_code": 204}, 204, b"", {}),
        ({"status_code": 304, "headers": {"ETag": '"a"'}}, 304, b"", {"etag": '"a"'}),
        ({"status_code": 599}, 599, b"", {"content-length": "0"}),
    ]

    async def answer(served: Served, record: Record) -> None:
        await served.respond(record, **table[int(record["path"][1:])][0])

    async def play() -> None:
        async with serving(tmp_path, answer) as served, httpx.AsyncClient() as client:
            for number, (_, status, body, headers) in enumerate(table):
                url = f"http://{served.address}/{number}"
                got = await client.get(url)
                assert (got.status_code, got.content) == (status, body)
                assert got.headers.items() >= headers.items() and "date" in got.headers
                assert ("content-length" in got.headers) == (status not in (204, 304))
                head = await client.head(url)
                assert (head.status_code, head.content) == (status, b"")
                assert dict(head.headers) == dict(got.headers) | {"date": head.headers["date"]}
            assert served.broke == [] and len({one["remote_addr"] for one in served.records}) == 1

    run(play())


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    fields=st.dictionaries(
        st.sampled_from(["X-A", "x-b", "Set-Cookie", "Location", "X:Y", ""]) | TEXTS,
        TEXTS | st.lists(TEXTS, max_size=2),
        max_size=3,
    ),
    body=st.none() | TEXTS,
    status=st.integers(195, 605),
)
def test_an_answer_is_what_was_meant_or_none(
    fields: dict[str, Any], body: str | None, status: int
) -> None:
    """A client reads exactly the fields and the body that were given."""
    try:
        answer = make_answer(status, fields, body, None, "string")
    except ParameterError:
        return
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    client.receive_data(answer.head(closes=False) + answer.body + b"HTTP/1.1 299 next")
    response, *data = list(iter(client.next_event, h11.PAUSED))
    assert isinstance(response, h11.Response) and response.status_code == status
    got = [(name.decode(), value.decode()) for name, value in response.headers]
    ours = {"date", "content-length", "content-type"}
    meant = [
        (name.lower(), value.strip())
        for name, values in fields.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    assert [one for one in got if one[0] not in ours] == [
        one for one in meant if one[0] not in ours
    ]
    assert b"".join(bytes(one.data) for one in data[:-1]) == (body or "").encode()
