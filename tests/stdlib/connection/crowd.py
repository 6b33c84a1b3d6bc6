"""Many clients that are all connected at once to the server of a job. Also for `make proof`."""

import asyncio
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gxo.runtime import Context
from tests.stdlib.connection.test_listening import answers, server

PARTS = (b"num", b"ber ", b"%d", b"\n")
"""A line as each client sends it, in packets of its own."""


@dataclass
class Crowd:
    """How many were connected at once, how many got another answer than theirs, and how much more
    memory the process had then, in bytes."""

    connected: int
    wrong: int
    memory: int


def crowd(folder: Path, clients: int) -> Crowd:
    """Connect so many clients; when all are, each asks in pieces, and hears the answer."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert files > 2 * clients + 100, "raise the limit of open files (ulimit -n)"

    async def client(_: Context, address: str) -> dict[str, Any]:
        host, port = address.split(":")
        before = resident()
        dials = (asyncio.open_connection(host, int(port)) for _ in range(clients))
        ends = await asyncio.gather(*dials)
        said = await asyncio.gather(*(ask(number, *end) for number, end in enumerate(ends)))
        memory = resident() - before
        for _reader, writer in ends:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in ends))
        wrong = sum(line != b"NUMBER %d\n" % number for number, line in enumerate(said))
        return {"connected": len(ends), "wrong": wrong, "memory": memory}

    job = server(client, network="tcp", address="127.0.0.1:0", max_connections=clients)
    return Crowd(**answers(job, folder))


async def ask(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    for part in PARTS:
        writer.write(part % number if b"%" in part else part)
        await writer.drain()
        await asyncio.sleep(0)
    return await reader.readline()


def resident() -> int:
    """Bytes of the process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
