"""What `http:listen` makes of what clients send, and what comes of time, of load and of its end."""

import asyncio
import gc
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.runtime.errors import StreamError
from gxo.runtime.spec import Record
from gxo.runtime.streams.pipes import Channel
from gxo.stdlib.http import _server
from tests.stdlib.harness import run
from tests.stdlib.http.listening import GET, Served, never, serving, statuses
from tests.stdlib.test_blocking import BOUND, RUNS, Timed

HERE = Path(__file__).parent
SERVED: list[dict[str, Any]] = yaml.safe_load((HERE / "served.yaml").read_text(encoding="utf-8"))
MALFORMED: list[Any] = yaml.safe_load((HERE / "malformed.yaml").read_text(encoding="utf-8"))


def wire(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode().replace(b"{ones}", b"1" * 5000)


@pytest.mark.parametrize("case", SERVED, ids=lambda case: case["name"])
def test_served(case: dict[str, Any], tmp_path: Path) -> None:
    async def play() -> tuple[bytes, list[Record]]:
        async with serving(tmp_path, **case.get("params", {})) as served:
            return await served.ask(wire(case["send"])), served.records

    answers, records = run(play())
    seen = [
        {key: record[key] for key in expected}
        for record, expected in zip(records, case["records"], strict=True)
    ]
    assert seen == case["records"]
    assert statuses(answers) == case.get("statuses", [200] * len(records))
    for expected in case.get("answers", ()):
        pattern = expected[3:] if expected.startswith("re:") else re.escape(expected)
        assert re.search(pattern.encode(), answers), answers


def test_what_is_malformed(tmp_path: Path) -> None:
    """It gets one answer, and nothing of it is passed on; the request before it is answered."""

    async def play() -> dict[str, list[int]]:
        wrong = {}
        async with serving(tmp_path) as served:
            for status, name, text in MALFORMED:
                found = statuses(await served.ask(GET % 7 + wire(text)))
                if found != [200, status]:
                    wrong[name] = found
            assert {record["path"] for record in served.records} == {"/7"}
            assert "Connection: close" in (await served.ask(b"GET\r\n\r\n")).decode()
        return wrong

    assert run(play()) == {}


REQUESTS = [
    wire(case["send"]) for case in SERVED if "params" not in case and isinstance(case["send"], str)
] + [wire(text) for _, _, text in MALFORMED if len(text) < 200]


def without_dates(answers: bytes) -> bytes:
    return re.sub(rb"Date: [^\r]*", b"Date", answers)


@given(
    text=st.sampled_from(REQUESTS),
    edits=st.lists(
        st.tuples(
            st.integers(0, 200),
            st.integers(0, 3),
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b"\0", b":", b"0", b"\xff", b"%"])
            | st.binary(max_size=3),
        ),
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_whatever_is_sent_is_answered_and_cuts_change_nothing(
    tmp_path: Path, text: bytes, edits: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    for place, length, put in edits:
        text = text[:place] + put + text[place + length :]
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    packets = [text[at:to] for at, to in pairwise(edges)]

    async def play() -> tuple[bytes, bytes]:
        async with serving(tmp_path) as served:
            return await served.ask(text), await served.ask(*packets)

    whole, cut = run(play())
    assert without_dates(cut) == without_dates(whole)
    assert set(statuses(whole)) <= {100, 200, 400, 413, 415, 431, 501, 505}
    assert statuses(whole) or not text.strip(b"\r\n")


def test_what_is_too_large(tmp_path: Path) -> None:
    post = b"POST / HTTP/1.1\r\nHost: a\r\n"
    large = {
        "a body": (413, post + b"Content-Length: 6\r\n\r\n123456"),
        "a body that has not come yet": (413, post + b"Content-Length: 99999999999\r\n\r\n"),
        "chunks": (
            413,
            post + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        "a chunk that has not come yet": (
            413,
            post + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n" + b"x" * 6,
        ),
        "a path": (431, b"GET /%b HTTP/1.1\r\n\r\n" % (b"x" * 65536)),
        "a line without end": (431, b"GET /" + b"x" * 70_000),
        "a header": (431, post + b"X: %b\r\n\r\n" % (b"x" * 65536)),
        "headers": (431, post + b"".join(b"X%d: y\r\n" % n for n in range(200)) + b"\r\n"),
        "parameters": (400, b"GET /?%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a&" * 1000)),
        "a chunk's extension": (
            431,
            post + b"Transfer-Encoding: chunked\r\n\r\n1;%b" % (b"x" * 70_000),
        ),
        "no UTF-8": (415, post + b"Content-Length: 1\r\n\r\n\xff"),
    }

    async def play() -> dict[str, list[int]]:
        async with serving(tmp_path, max_body=5) as served:
            found = {name: statuses(await served.ask(text)) for name, (_, text) in large.items()}
            assert served.records == []
            return found

    assert run(play()) == {name: [status] for name, (status, _) in large.items()}


def test_who_asks_first_is_told_before_it_sends(tmp_path: Path) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"

    async def play() -> None:
        async with serving(tmp_path, max_body=5) as served:
            reader, writer = await served.connect()
            writer.write(head % 5)
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"12345")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
            assert await reader.readexactly(12) == b"POST / 12345"
            writer.write(head % 6)
            assert statuses(await reader.read()) == [413]
            writer.close()

    run(play())


def test_one_connection_has_many_requests_and_their_order(tmp_path: Path) -> None:
    async def play() -> None:
        async with serving(tmp_path) as served:
            reader, writer = await served.connect()
            writer.write(b"".join(GET % number for number in range(100)))
            for number in range(100):
                text = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", text)
                assert length is not None
                assert await reader.readexactly(int(length[1])) == b"GET /%d " % number
            writer.close()
            assert len({record["remote_addr"] for record in served.records}) == 1
            assert len({record["request_id"] for record in served.records}) == 100

    run(play())


@pytest.mark.parametrize(
    ("sent", "seconds", "status"),
    [
        (b"", 59, None),
        (b"", 61, []),
        (GET % 1, 61, [200]),
        (b"G", 21, [408]),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX:", 19, None),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX:", 21, [408]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", 21, [408]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na", 21, [408]),
        (GET % 1 + b"GET / HT", 21, [200, 408]),
    ],
)
def test_a_client_that_takes_its_time(
    sent: bytes, seconds: float, status: list[int] | None, tmp_path: Path
) -> None:
    """It is told so, or is just cut off when it has not begun. None: it may go on."""

    async def play() -> None:
        async with serving(tmp_path, read_timeout=20.0) as served:
            reader, writer = await served.connect()
            writer.write(sent)
            await served.pass_seconds(seconds)
            if status is None:
                writer.write_eof()
            found = statuses(await reader.read())
            assert found == ([400] if sent else []) if status is None else found == status
            writer.close()

    run(play())


def test_a_consumer_that_takes_its_time(tmp_path: Path) -> None:
    """In memory is what the stream has room for; of large bodies only some are received."""
    many = 60
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % 1_000_000

    async def play() -> None:
        async with serving(tmp_path, None, channel=Channel(0), timeout=1000.0) as served:
            clients = [await served.connect() for _ in range(many)]
            for _, writer in clients:
                writer.write(post + b"x" * 1_000_000)
            for _ in range(20):
                await served.settle()
            # Just dicts: those of a dry run raise when they are asked what they hold.
            bodies = [one for one in gc.get_objects() if type(one) is dict and "body" in one]
            complete = [one for one in bodies if len(str(one.get("body"))) == 1_000_000]
            assert len(complete) == _server.PLACES
            for _, writer in clients:
                writer.transport.abort()

    run(play())


def test_its_end(tmp_path: Path) -> None:
    """What was taken is answered, the rest is closed, and the port is free again."""

    async def play() -> None:
        async with serving(tmp_path, never) as served:
            idle, taken, begun = [await served.connect() for _ in range(3)]
            taken[1].write(GET % 1 + GET % 2)
            begun[1].write(b"GET / HT")
            await served.settle()
            served.listening.cancel()
            await asyncio.wait([served.listening])
            with pytest.raises(ConnectionRefusedError):
                await served.connect()
            assert await idle[0].read() == b"" and await begun[0].read() == b""
            await served.respond(served.records[0], body="the last")
            answer = await taken[0].read()
            assert statuses(answer) == [200] and b"Connection: close" in answer
            for _, writer in (idle, taken, begun):
                writer.close()
            assert len(served.records) == 1

    run(play())


def test_the_end_of_the_job(tmp_path: Path) -> None:
    """Who still waits for an answer is told that there is none."""

    async def play() -> bytes:
        async with serving(tmp_path, never) as served:
            asking = asyncio.ensure_future(served.ask(GET % 1))
            await served.settle()
        return await asking

    assert statuses(run(play())) == [503]


def test_a_stream_that_overflows_is_no_clients_fault(tmp_path: Path) -> None:
    async def play() -> None:
        async with serving(tmp_path, None, channel=Channel(1, "error")) as served:
            clients = [await served.connect() for _ in range(3)]
            for _, writer in clients:
                writer.write(GET % 1)
            await asyncio.wait([served.listening])
            assert isinstance(served.listening.exception(), StreamError)
            for _, writer in clients:
                writer.transport.abort()

    run(play())


def test_nobody_reads_the_stream(tmp_path: Path) -> None:
    async def play() -> None:
        async with serving(tmp_path) as served:
            assert statuses(await served.ask(GET % 1)) == [200]
            served.reader.close()
            assert statuses(await served.ask(GET % 1)) == [503]

    run(play())


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
LARGE = {
    "a body": POST + b"Content-Length: 10000000\r\n\r\n" + b"x" * 10_000_000,
    "many chunks": POST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"1\r\nx\r\n" * 30_000
    + b"0\r\n\r\n",
    "many headers": POST + b"".join(b"X%d: y\r\n" % n for n in range(190)) + b"\r\n",
    "a long path": b"GET /" + b"%41" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("kind", LARGE)
def test_no_callback_takes_long(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to receive what is large, nor to answer with it."""

    async def large(served: Served, record: Record) -> None:
        await served.respond(record, body="y" * 30_000_000)

    async def play(timed: Timed) -> None:
        asyncio.get_running_loop().set_debug(False)
        async with serving(tmp_path, large) as served:
            with timed.watching(monkeypatch):
                assert len(await served.ask(LARGE[kind])) > 30_000_000

    for _ in range(RUNS):
        timed = Timed()
        run(play(timed))
        if timed.longest <= BOUND:
            return
    pytest.fail(f"{timed.longest * 1000:.0f} ms of CPU time in {timed.callback}")


def test_cancelled_at_any_turn(tmp_path: Path) -> None:
    """`bench` sees what is left; the client meets an end in every case."""

    async def play() -> None:
        for turn in range(20):
            async with serving(tmp_path) as served:
                asking = asyncio.ensure_future(served.ask(GET % 1 + GET % 2 + b"GET / HT"))
                for _ in range(turn):
                    await asyncio.sleep(0)
                served.listening.cancel()
                await asking

    run(play())
