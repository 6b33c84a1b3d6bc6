"""Peers that are slow, close half of a connection, break it, or send anything at all."""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.connection import _links, _streams
from gxo.stdlib.connection.close import close
from gxo.stdlib.connection.open import open_
from gxo.stdlib.connection.read import read
from gxo.stdlib.connection.write import write
from tests.stdlib.connection.crowd import crowd
from tests.stdlib.connection.test_links import Peer, job, peer
from tests.stdlib.harness import bench, run

REPLIES, AT_ONCE = 200, 50

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def abort(writer: Writer) -> None:
    """End the connection with a reset."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def play(folder: Path, answer: Peer, script: Any) -> None:
    async def perform() -> None:
        async with job(folder) as call, peer(answer) as address:
            await script(call, address)

    run(perform())


async def opened(call: Any, address: str, **params: Any) -> str:
    handle: str = (await call("open", network="tcp", address=address, **params))["connection_id"]
    return handle


def test_who_has_said_all_still_hears_the_answer(tmp_path: Path) -> None:
    """A peer that closes its half: we read to its end, and then write."""

    async def asks(reader: Reader, writer: Writer) -> None:
        writer.write(b"question")
        writer.write_eof()
        answers.append(await reader.read())

    async def script(call: Any, address: str) -> None:
        handle = await opened(call, address)
        asked = await call("read", connection_id=handle, timeout=5.0)
        assert asked == {"data": "question", "bytes_read": 8, "eof": True}
        await call("write", connection_id=handle, data="answer")
        await call("close", connection_id=handle)

    answers: list[bytes] = []
    play(tmp_path, asks, script)
    assert answers == [b"answer"]


def test_a_slow_reader_gets_all_of_it(tmp_path: Path) -> None:
    async def slow(reader: Reader, writer: Writer) -> None:
        while piece := await reader.read(10_000):
            got.extend(piece)
            for _ in range(3):
                await asyncio.sleep(0)
        complete.set()

    async def script(call: Any, address: str) -> None:
        handle = await opened(call, address)
        await call("write", connection_id=handle, data="0123456789" * 500_000)
        await call("close", connection_id=handle)
        await complete.wait()

    got, complete = bytearray(), asyncio.Event()
    play(tmp_path, slow, script)
    assert got == b"0123456789" * 500_000


def test_who_is_not_read_is_held_back(tmp_path: Path) -> None:
    """Of 50 MB, no more than buffers take arrive before they are read."""
    piece = b"x" * 100_000

    async def floods(reader: Reader, writer: Writer) -> None:
        writer.transport.set_write_buffer_limits(0)
        with suppress(ConnectionError):
            for _ in range(500):
                writer.write(piece)
                await writer.drain()
                sent[0] += len(piece)

    async def script(call: Any, address: str) -> None:
        handle = await opened(call, address)
        before = -1
        while before != sent[0] or not sent[0]:  # it has perhaps not begun yet
            before = sent[0]
            await asyncio.sleep(0.05)
        assert 0 < before < 20_000_000
        read = await call("read", connection_id=handle, read_bytes=1_000_000)
        assert read["bytes_read"] == 1_000_000

    sent = [0]
    play(tmp_path, floods, script)


def test_a_job_that_ends_closes_its_connections(tmp_path: Path) -> None:
    async def waits(reader: Reader, writer: Writer) -> None:
        await ends.put(await reader.read())

    async def perform() -> None:
        async with peer(waits) as address:
            async with job(tmp_path) as call:
                await opened(call, address)
                await opened(call, address)
            assert [await ends.get(), await ends.get()] == [b"", b""]

    ends: asyncio.Queue[bytes] = asyncio.Queue()
    run(perform())


def test_a_connection_that_breaks(tmp_path: Path) -> None:
    """While somebody reads, and then for all who come after."""

    async def resets(reader: Reader, writer: Writer) -> None:
        await reader.readline()
        abort(writer)

    async def script(call: Any, address: str) -> None:
        handle = await opened(call, address)
        await call("write", connection_id=handle, data="x\n")
        for _ in range(2):
            with pytest.raises(ModuleError, match=f"the connection to {address} broke: connection"):
                await call("read", connection_id=handle, timeout=5.0)
        with pytest.raises(ModuleError, match=f"the connection to {address} broke: "):
            await call("write", connection_id=handle, data="x" * 1000)
            await call("write", connection_id=handle, data="x" * 1000)
        assert (await call("close", connection_id=handle))["closed"]

    play(tmp_path, resets, script)


class Fuzzed:
    """A peer whose replies are made of a number: bytes, pauses, and an end.

    ending: after `wait` it is silent until we go, and only a time-out ends a read; else it ends it.
    """

    def __init__(self, number: int) -> None:
        chance = random.Random(number)
        self.served = 0
        self._replies = [reply(chance) for _ in range(chance.randrange(4))]
        self.ending = chance.choice(["close", "reset", "half", "wait"])

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        self.served += 1
        with suppress(OSError):
            for one in self._replies:
                writer.write(one)
                await writer.drain()
                await asyncio.sleep(0)
            if self.ending == "reset":
                abort(writer)
            elif self.ending == "half":
                writer.write_eof()
            if self.ending in ("half", "wait"):
                await reader.read()


def reply(chance: random.Random) -> bytes:
    """Something that is not, or not quite, a reply: no text, too long, a delimiter or a half."""
    pieces = [b"+OK", b"\r\n", b"\r", b"\n", b"\0", b"\xff\xfe", b"\x16\x03\x01\x02\0", b"x" * 3000]
    pieces.append(chance.randbytes(chance.randrange(50)))
    return b"".join(chance.choices(pieces, k=chance.randrange(1, 6)))


READS: list[dict[str, Any]] = [
    {"read_until": "\r\n"},
    {"read_bytes": 20},
    {"encoding": "base64"},
    {"read_until": "\0\0", "encoding": "hex"},
]


@pytest.mark.parametrize("tls", [False, True])
def test_whatever_a_peer_sends(tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred replies: each gives a result or one error that names the peer, in time; nothing
    stays open (see `bench`)."""
    monkeypatch.setattr(_links, "FLUSH", 0.1)
    peers = [Fuzzed(number) for number in range(REPLIES)]
    errors: list[str] = []

    async def talk(ctx: Context, fuzzed: Fuzzed, how: dict[str, Any]) -> None:
        patience = 5.0 if fuzzed.ending != "wait" else 0.5 if tls else 0.01
        options: Any = {"tls": {"skip_verify": True}} if tls else {}
        async with peer(fuzzed) as address:
            try:
                seconds = patience if tls else 5.0
                it = await open_(ctx, network="tcp", address=address, timeout=seconds, **options)
                handle = it["connection_id"]
                await write(ctx, connection_id=handle, data="GET a\r\n")
                for _ in range(3):
                    await read(ctx, connection_id=handle, timeout=patience, max_bytes=2000, **how)
                await close(ctx, connection_id=handle)
            except ModuleError as error:
                errors.append(error.message)
                assert address in error.message or "no UTF-8" in error.message, error.message
                assert len(error.message) < 300

    async def perform() -> None:
        async with bench(tmp_path) as workbench:
            for first in range(0, REPLIES, AT_ONCE):
                async with asyncio.timeout(10):
                    some = enumerate(peers[first : first + AT_ONCE])
                    ways = [(one, READS[number % len(READS)]) for number, one in some]
                    await asyncio.gather(*(talk(workbench.context, *way) for way in ways))
            await workbench.run.shared.close()

    run(perform())
    assert sum(one.served for one in peers) >= REPLIES // 2
    kinds = ("cannot speak TLS", "within") if tls else ("broke", "no UTF-8", "more than", "within")
    for kind in kinds:
        assert any(kind in error for error in errors), kind


def test_the_next_address_is_tried_when_one_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One refuses, one never answers; what is not needed any more is closed (see `bench`)."""
    monkeypatch.setattr(_streams, "NEXT", 0.01)

    async def says_hello(reader: Reader, writer: Writer) -> None:
        writer.write(b"hello")

    async def script(call: Any, address: str) -> None:
        host, port = address.split(":")
        with socket.socket() as refusing, socket.socket() as full, socket.socket() as queued:
            refusing.bind(("127.0.0.2", 0))
            full.bind(("127.0.0.3", 0))
            full.listen(0)  # one waits to be accepted, and no other is answered
            queued.connect(full.getsockname())
            queued.setblocking(False)

            async def found(*_: Any) -> list[tuple[int, Any]]:
                names = [refusing.getsockname(), full.getsockname(), (host, int(port))]
                return [(socket.AF_INET, name) for name in names]

            monkeypatch.setattr(_streams, "resolved", found)
            handle = await opened(call, address, timeout=5.0)
            assert (await call("read", connection_id=handle))["data"] == "hello"

            async def none_answers(*_: Any) -> list[tuple[int, Any]]:
                return (await found())[:2]

            monkeypatch.setattr(_streams, "resolved", none_answers)
            with pytest.raises(ModuleError, match=r"cannot connect to .* within 0\.1 s"):
                await opened(call, address, timeout=0.1)

    play(tmp_path, says_hello, script)


def test_writing_on_to_who_has_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each time it fails, and asyncio's own log, which nobody has asked for, says nothing."""

    async def hangs_up(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        abort(writer)

    async def script(call: Any, address: str) -> None:
        handle = await opened(call, address)
        await call("write", connection_id=handle, data="x")
        with suppress(ModuleError):
            await call("read", connection_id=handle, timeout=5.0)
        for _ in range(10):
            with pytest.raises(ModuleError, match="broke: connection reset by peer"):
                await call("write", connection_id=handle, data="x")

    play(tmp_path, hangs_up, script)
    assert not caplog.records


def test_a_peer_that_goes_away_within_the_handshake(tmp_path: Path) -> None:
    async def hangs_up(reader: Reader, writer: Writer) -> None:
        await reader.read(1)

    async def script(call: Any, address: str) -> None:
        with pytest.raises(ModuleError, match=r"cannot connect to .*: the connection was closed$"):
            await opened(call, address, tls=True, timeout=5.0)

    play(tmp_path, hangs_up, script)


def test_many_are_connected_at_once(tmp_path: Path) -> None:
    """`make proof connections` has a thousand."""
    found = crowd(tmp_path, 50)
    assert (found.connected, found.wrong) == (50, 0)
