"""`http:listen` under load: wrk, a thousand slow clients, random bytes, and bodies that nobody takes."""

import asyncio
import random
import re
import resource
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from gxo.runtime.streams.pipes import Channel
from tests.proof.figure import Figure
from tests.stdlib.harness import run
from tests.stdlib.http.listening import serving, statuses
from tests.stdlib.http.test_listening import REQUESTS

SECONDS = 20
SLOW, SENDERS, RANDOM = 1_000, 500, 20_000
BODY = 2 * 1024 * 1024
BUFFER, PLACES = 10, 16
MIB = 1024 * 1024


def prove(scale: float) -> Iterator[Figure]:
    yield _figure(_load, "requests of wrk that failed, 200 connections", scale)
    yield _figure(_slow, "of 1,000 slow clients, not told in time, or in the way of others", scale)
    yield _figure(_random, "random requests without an answer", scale)
    # A body is bytes before it is text; each sender's connection holds less than 1 MiB besides.
    most = 2 * (BUFFER + PLACES) * BODY / MIB + SENDERS * scale
    yield _figure(_memory, "MiB while 500 clients send 2 MiB to nobody", scale, most)


def _figure(
    count: Callable[[Path, float], Awaitable[float]], what: str, scale: float, most: float = 0
) -> Figure:
    async def play(folder: str) -> float:
        asyncio.get_running_loop().set_debug(False)
        return await count(Path(folder), scale)

    resource.setrlimit(
        resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    with tempfile.TemporaryDirectory() as folder:
        return Figure(what, run(play(folder)), most)


async def _load(folder: Path, scale: float) -> float:
    seconds = max(1, round(SECONDS * scale))
    async with serving(folder) as served:
        command = ["wrk", "-t1", "-c200", f"-d{seconds}s", f"http://{served.address}/"]
        done = await served.context.thread(
            lambda: subprocess.run(command, capture_output=True, text=True, check=True)
        )
        said = done.stdout
        failed = re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", said)
        answered = re.search(r"(\d+) requests in", said)
        assert answered is not None and int(answered[1]) > 100 * seconds, said
        served.records.clear()
        return sum(map(int, failed))


async def _slow(folder: Path, scale: float) -> float:
    """Each has sent half a head; others are answered meanwhile, and all of them are told in the end."""
    async with serving(folder, max_connections=8_000) as served:
        slow = [await served.connect() for _ in range(round(SLOW * scale))]
        for _, writer in slow:
            writer.write(b"GET / HTTP/1.1\r\nHost:")
        await served.settle()
        wrong = 0
        for _ in range(100):
            wrong += statuses(await served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")) != [200]
        await served.pass_seconds(61)
        for reader, writer in slow:
            wrong += statuses(await reader.read()) != [408]
            writer.close()
        return wrong


async def _random(folder: Path, scale: float) -> float:
    chance = random.Random(1)
    wrong = 0
    async with serving(folder) as served:
        for _ in range(round(RANDOM * scale)):
            text = bytearray(chance.choice(REQUESTS) + chance.choice(REQUESTS))
            for _ in range(chance.randrange(6)):
                at = chance.randrange(len(text) + 1)
                text[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
            wrong += not statuses(await served.ask(bytes(text))) and bool(text.strip(b"\r\n"))
            served.records.clear()
    return wrong


async def _memory(folder: Path, scale: float) -> float:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % BODY
    whole = memoryview(head + b"x" * BODY)
    async with serving(folder, None, channel=Channel(BUFFER)) as served:
        host, port = served.address.split(":")
        before = _resident()
        clients = [
            socket.create_connection((host, int(port))) for _ in range(round(SENDERS * scale))
        ]
        left = dict.fromkeys(clients, whole)
        for _ in range(100):
            for client, rest in left.items():
                left[client] = rest[_sent(client, rest) :]
            await served.settle()
        grown = _resident() - before
        for client in clients:
            client.close()
        return grown / MIB


def _sent(client: socket.socket, rest: memoryview) -> int:
    """How many bytes the system takes now."""
    client.setblocking(False)
    try:
        return client.send(rest) if rest else 0
    except BlockingIOError:
        return 0


def _resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
