"""Connections to real sockets: what is read of what arrives, however it was cut into packets."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.connection import _links
from gxo.stdlib.connection._data import to_text
from gxo.stdlib.connection._links import DatagramLink, StreamLink, Want
from gxo.stdlib.connection._registry import connections
from tests.stdlib.harness import Bench, bench, module_spec, run

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


class Caller:
    """Calls modules one after the other; an error is raised."""

    def __init__(self, workbench: Bench) -> None:
        self.workbench = workbench

    async def __call__(self, module: str, **params: Any) -> Any:
        outcome = await self.workbench.call(module_spec(f"connection:{module}"), params)
        if outcome.error is not None:
            raise outcome.error
        return outcome.summary


@asynccontextmanager
async def job(folder: Path) -> AsyncIterator[Caller]:
    """A job in a workspace; its connections are closed with it."""
    async with bench(folder) as workbench:
        try:
            yield Caller(workbench)
        finally:
            await workbench.run.shared.close()


@asynccontextmanager
async def peer(answer: Peer) -> AsyncIterator[str]:
    """A server on a free port, and its address."""
    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        await server.wait_closed()


TURNS = 10
"""Of the loop, in which what was sent by loopback is read for sure."""


def sending(*packets: bytes) -> Peer:
    """A peer that sends packets, each when the one before has been read."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            for _ in range(TURNS):
                await asyncio.sleep(0)

    return answer


async def key_value_store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """PING, GET, SET, and whatever else is unknown."""
    store: dict[bytes, bytes] = {}
    while line := await reader.readline():
        match line.split():
            case [b"PING"]:
                writer.write(b"+PONG\r\n")
            case [b"SET", key, value]:
                store[key] = value
                writer.write(b"+OK\r\n")
            case [b"GET", key]:
                writer.write(b"$" + store.get(key, b"-1") + b"\r\n")
            case _:
                writer.write(b"-ERR unknown\r\n")


def test_a_line_protocol(tmp_path: Path) -> None:
    async def play() -> list[str]:
        answers = []
        async with job(tmp_path) as call, peer(key_value_store) as address:
            opened = await call("open", network="tcp", address=address, timeout=5.0)
            assert opened["remote_addr"] == address
            handle = opened["connection_id"]
            for line in ("PING", "SET a 1", "GET a", "GET b", "FLY"):
                await call("write", connection_id=handle, data=f"{line}\r\n")
                answer = await call("read", connection_id=handle, read_until="\r\n", timeout=5.0)
                assert not answer["eof"]
                answers.append(answer["data"])
            assert await call("close", connection_id=handle) == {
                "connection_id": handle,
                "closed": True,
            }
        return answers

    assert run(play()) == ["+PONG\r\n", "+OK\r\n", "$1\r\n", "$-1\r\n", "-ERR unknown\r\n"]


@given(
    lines=st.lists(st.text(st.sampled_from("ab\r\n"), max_size=6), max_size=6),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    delimiter=st.sampled_from(["\n", "\r\n", "\r\n\r\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_delimiters_across_packets(
    tmp_path: Path, lines: list[str], cuts: list[int], delimiter: str
) -> None:
    text = delimiter.join(lines).encode()
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    packets = [text[at:to] for at, to in pairwise(edges)]

    async def play() -> list[str]:
        found = []
        async with job(tmp_path) as call, peer(sending(*packets)) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            eof = False
            while not eof:
                read = await call("read", connection_id=handle, read_until=delimiter, timeout=5.0)
                found.append(read["data"])
                eof = read["eof"]
        return found

    found = run(play())
    assert "".join(found).encode() == text
    whole = [f"{part}{delimiter}" for part in text.decode().split(delimiter)[:-1]]
    assert found[: len(whole)] == whole


def test_what_is_not_wanted_waits(tmp_path: Path) -> None:
    """Bytes, then a line, then the rest; a read that fails leaves it all."""

    async def play() -> None:
        packets = sending(b"\x00\x01head: 1\nrest \xff of it")
        async with job(tmp_path) as call, peer(packets) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            first = await call("read", connection_id=handle, read_bytes=2, encoding="hex")
            assert first == {"data": "0001", "bytes_read": 2, "eof": False}
            with pytest.raises(Exception, match="more than 7 bytes"):
                await call("read", connection_id=handle, read_until="\n", max_bytes=7)
            line = await call("read", connection_id=handle, read_until="\n", max_bytes=8)
            assert line["data"] == "head: 1\n"
            with pytest.raises(Exception, match="no UTF-8: byte 5 is 0xff"):
                await call("read", connection_id=handle)
            with pytest.raises(Exception, match="more than 3 bytes"):
                await call("read", connection_id=handle, max_bytes=3)
            rest = await call("read", connection_id=handle, encoding="base64")
            assert rest == {"data": "cmVzdCD/IG9mIGl0", "bytes_read": 12, "eof": True}
            nothing = await call("read", connection_id=handle, read_bytes=5)
            assert nothing == {"data": "", "bytes_read": 0, "eof": True}

    run(play())


def test_handles(tmp_path: Path) -> None:
    async def play() -> None:
        async with job(tmp_path) as call, peer(key_value_store) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            await call("close", connection_id=handle)
            for module, more in (("read", {}), ("write", {"data": "x"}), ("close", {})):
                with pytest.raises(Exception, match=f"'{handle}' is closed already"):
                    await call(module, connection_id=handle, **more)
                with pytest.raises(Exception, match="there is no connection 'tcp-7' in this job"):
                    await call(module, connection_id="tcp-7", **more)

    run(play())


def test_time_runs_out(tmp_path: Path) -> None:
    """What has arrived is there for the next read."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half a li")
        await reader.read()

    async def play() -> None:
        async with job(tmp_path) as call, peer(silent) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            with pytest.raises(Exception, match=r"has not sent it within 0\.05 s"):
                await call("read", connection_id=handle, read_until="\n", timeout=0.05)
            part = await call("read", connection_id=handle, read_bytes=9)
            assert part["data"] == "half a li"

    run(play())


@pytest.mark.parametrize(
    ("module", "params"), [("write", {"data": "\udcff"}), ("read", {"read_until": "\udcff"})]
)
def test_what_no_utf8_can_carry(module: str, params: dict[str, str], tmp_path: Path) -> None:
    """Such as a file's name that `filesystem:list` has told."""
    (name,) = params

    async def play() -> None:
        async with job(tmp_path) as call, peer(sending()) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            with pytest.raises(ParameterError, match=f"^`{name}` is no text in UTF-8"):
                await call(module, connection_id=handle, **params)

    run(play())


def test_nobody_is_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        async def play() -> None:
            async with job(tmp_path) as call:
                with pytest.raises(
                    Exception, match=f"cannot connect to {address}: connection refused"
                ):
                    await call("open", network="tcp", address=address)
                udp = await call("open", network="udp", address=address)
                await call("write", connection_id=udp["connection_id"], data="x")
                with pytest.raises(Exception, match="cannot be reached: connection refused"):
                    await call("read", connection_id=udp["connection_id"], timeout=5.0)
                with pytest.raises(Exception, match=r"cannot use the socket 'no\.sock'"):
                    await call("open", network="unix", address="no.sock")
                with pytest.raises(Exception, match="leads out of the workspace"):
                    await call("open", network="unix", address="/run/docker.sock")

        run(play())


def test_datagrams(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        address = f"127.0.0.1:{server.getsockname()[1]}"

        async def play() -> None:
            async with job(tmp_path) as call:
                handle = (await call("open", network="udp", address=address))["connection_id"]
                await call("write", connection_id=handle, data="aabb", encoding="hex")
                data, client = server.recvfrom(100)
                assert data == b"\xaa\xbb"
                server.sendto(b"one", client)
                server.sendto(b"", client)
                for expected in ("one", ""):
                    read = await call("read", connection_id=handle, timeout=5.0)
                    assert read["data"] == expected and not read["eof"]
                with pytest.raises(Exception, match="a datagram is read as a whole"):
                    await call("read", connection_id=handle, read_bytes=1)

        run(play())


@pytest.mark.parametrize("flush", [0.02, 60.0])
def test_a_peer_that_does_not_read(
    flush: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write waits for it; closing waits no longer than is allowed, or until it is cancelled, and
    leaves nothing open."""
    monkeypatch.setattr(_links, "FLUSH", flush)

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket
        await asyncio.get_running_loop().create_future()

    async def play() -> None:
        async with job(tmp_path) as call, peer(deaf) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            link = (await connections(call.workbench.context)).find(handle)
            assert isinstance(link, StreamLink)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await link.write(bytes(30_000_000))
            assert link.unsent
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await call("close", connection_id=handle)
            assert not link.unsent

    run(play())


def test_a_read_that_is_cancelled_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the text is made of what has arrived: all of it is there for the next read."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*args: Any) -> str:
        begun.set()
        go_on.wait()
        return to_text(*args)

    async def play() -> None:
        text = "a" * 10_000_000
        async with job(tmp_path) as call, peer(sending(text.encode())) as address:
            handle = (await call("open", network="tcp", address=address))["connection_id"]
            monkeypatch.setattr("gxo.stdlib.connection.read.to_text", slowly)
            params = {"connection_id": handle, "max_bytes": len(text)}
            reading = asyncio.ensure_future(call("read", **params))
            await asyncio.to_thread(begun.wait)
            reading.cancel()
            go_on.set()
            await asyncio.wait([reading])
            assert reading.cancelled()
            assert (await call("read", **params))["data"] == text

    run(play())


def _ignored(*what: object) -> None:
    """Nobody is at the other end."""


def test_who_comes_second_is_told() -> None:
    """Two that read from one connection would each get a part of what was said."""

    async def play() -> None:
        async with peer(key_value_store) as address:
            reader, writer = await asyncio.open_connection(*address.split(":"))
            link = StreamLink(reader, writer, local="", remote=address, when_closed=lambda: None)
            line = Want(None, b"\r\n", 100)
            first = asyncio.ensure_future(link.read(line))
            await asyncio.sleep(0)
            for second in (link.read(line), link.read_some()):
                with pytest.raises(ModuleError, match=f"another workload reads from {address}"):
                    await second
            await link.write(b"PING\r\n")
            assert await first == (b"+PONG\r\n", False)
            await link.close()

    run(play())


def test_a_read_ends_with_its_connection() -> None:
    async def play() -> None:
        link = DatagramLink(_ignored, local="", remote="peer:1", when_closed=_ignored)
        waiting = asyncio.ensure_future(link.read(Want(None, None, 10)))
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(Exception, match="the connection to peer:1 was closed"):
            await waiting

    run(play())


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("127.0.0.1", "a host and a port"),
        ("127.0.0.1:http", "a host and a port"),
        ("127.0.0.1:65536", "a host and a port"),
        (":80", "names no host"),
        ("::1:80", "in brackets"),
        ("a\0b:80", "not possible"),
        ("", "a host and a port"),
        ("a..b:80", "not possible"),
        (f"{'a' * 64}:80", "not possible"),
        ("a:" + "8" * 5000, "a host and a port"),
    ],
)
def test_no_address(address: str, hint: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with job(tmp_path) as call:
            with pytest.raises(Exception, match="`address` is") as caught:
                await call("open", network="tcp", address=address)
            assert hint in caught.value.hint  # type: ignore[attr-defined]
            # All of it or nothing: of a part, which may be a secret's, nobody would know that it is.
            assert repr(address) in str(caught.value) or "a text of" in str(caught.value)

    run(play())
