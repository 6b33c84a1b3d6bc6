"""Peers that send garbage, each by a number that says which: one clear error, nothing left open."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.runtime.errors import GxoError, ModuleError
from tests.stdlib.connection.test_links import peer, sending
from tests.stdlib.ssh.jobs import job
from tests.stdlib.ssh.server import Scripted, playing, serving

TIME = 5.0
"""Seconds in which the error has to come."""


def garbage(seed: int) -> bytes:
    """What a peer sends: most of the time it begins like a server."""
    chance = random.Random(seed)
    begin = b"SSH-2.0-OpenSSH_9.2p1\r\n" if chance.random() < 0.7 else b""
    size = chance.choice([0, 1, 7, 100, 5000, 100_000])
    if chance.random() < 0.5:
        return begin + chance.randbytes(size)
    kind = chance.choice([b"\x14", b"\x01", b"\x02", b"\x32", b"\x5e"])
    packet = kind + chance.randbytes(size % 3000)
    padding = 16 - (len(packet) + 5) % 8
    length = (len(packet) + 1 + padding).to_bytes(4, "big")
    return begin + length + bytes([padding]) + packet + bytes(padding)


async def babble(folder: Path, seed: int) -> None:
    """Connect to a peer that sends garbage and closes."""
    async with job(folder) as call, peer(sending(garbage(seed))) as address:
        host, _, port = address.rpartition(":")
        params = {"host": host, "port": int(port), "user": "a", "password": "s3cret-word"}
        with pytest.raises(ModuleError) as caught:
            await call.connect(params, insecure=True, timeout=TIME)
    check(caught.value, address)


BEGIN = b"\0\0\0\5\2\0\0\0\3"
"""The version of SFTP: 3."""


def garbage_of_files(seed: int) -> Iterator[bytes]:
    """What a host replies by SFTP: most of the time it begins as it should."""
    chance = random.Random(seed)
    if chance.random() < 0.8:
        yield BEGIN
    for number in range(chance.choice([1, 3, 10])):
        body = bytes([chance.choice([101, 102, 103, 104, 105, 7])]) + number.to_bytes(4, "big")
        body += chance.randbytes(chance.choice([0, 4, 12, 200]))
        yield len(body).to_bytes(4, "big") + body


async def babble_of_files(folder: Path, module: str, seed: int) -> None:
    """Copy a file to or from a host whose SFTP is garbage."""
    replies = list(garbage_of_files(seed))
    async with job(folder) as call, serving(server=playing(lambda: Scripted(replies))) as server:
        handle = await call.connect(server.login)
        with pytest.raises(GxoError) as caught:
            async with asyncio.timeout(TIME):
                await call(f"ssh:{module}", connection_id=handle, source="a", destination="b")
    check(caught.value, f"127.0.0.1:{server.port}")
    assert ("has no SFTP" in caught.value.message) == (replies[0] != BEGIN), caught.value


def check(error: GxoError, target: str) -> None:
    """It is one line that names the target, and no longer than people read."""
    assert isinstance(error, ModuleError), error
    assert target in error.message and "s3cret" not in error.message
    assert len(error.message) < 700 and error.message.isprintable()
