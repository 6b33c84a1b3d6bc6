"""Peers that send garbage, each by a number that says which: one clear error, nothing left open."""

import random
from pathlib import Path

from gxo.runtime.errors import ModuleError
from tests.stdlib.connection.test_links import peer, sending
from tests.stdlib.database.databases import asking

TIME = 5.0
"""Seconds in which the error has to come."""


def greeting(plugin: str) -> bytes:
    """The first packet of a server of MySQL that has no TLS."""
    body = (
        b"\x0a10.11.19-MariaDB\0\x01\0\0\0abcdefgh\0\xff\xf7\x21\x02\0\xff\x81\x15"
        + bytes(10)
        + b"abcdefghijkl\0"
        + plugin.encode()
        + b"\0"
    )
    return len(body).to_bytes(3, "little") + b"\0" + body


_GREETING = greeting("mysql_native_password")
_OK = b"\0\0\0\2\0\0\0"

BEGINNINGS: dict[str, list[bytes]] = {
    "postgresql": [
        b"",
        b"N",
        b"NR\0\0\0\x08\0\0\0\0",
        b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\5I",
        b"NR\0\0\0\x0c\0\0\0\5abcd",
        b"NR\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
    ],
    "mysql": [
        b"",
        _GREETING,
        _GREETING + b"\7\0\0\2" + _OK,
        _GREETING + b"\7\0\0\2" + _OK + b"\7\0\0\1" + _OK + b"\x0c\0\0\1\0\1\0\0\0\1\0\0\0\0\0\0",
    ],
    "mssql": [b"", b"\4\1\0\x25\0\0\1\0"],
    "oracle": [b"", b"\0\x20\0\0\2\0\0\0"],
}
"""How what a peer sends may begin, so that its garbage is read as late as possible."""


def garbage(kind: str, seed: int) -> list[bytes]:
    """What a peer sends."""
    chance = random.Random(seed)
    begin = chance.choice(BEGINNINGS[kind])
    parts = [begin]
    for number in range(chance.choice([1, 2, 5])):
        body = chance.randbytes(chance.choice([0, 1, 7, 40, 3000]))
        if kind == "postgresql" and chance.random() < 0.7:
            letter = chance.choice(b"RSKZEDTtn123CIN")
            body = bytes([letter]) + (len(body) + 4).to_bytes(4, "big") + body
        if kind == "mysql" and chance.random() < 0.7:
            body = chance.choice([b"", b"\0", b"\xff", b"\xfe", b"\1"]) + body
            body = len(body).to_bytes(3, "little") + bytes([(number + 1) % 3]) + body
        parts.append(body)
    return [b"".join(parts)] if chance.random() < 0.5 else [part for part in parts if part]


async def babble(folder: Path, kind: str, seed: int) -> None:
    """Ask a peer that sends garbage and closes."""
    async with asking(folder, "") as asked, peer(sending(*garbage(kind, seed))) as address:
        asked.url = f"{kind}://user:s3cret-word@{address}/d?sslmode=disable"
        outcome = await asked.outcome("SELECT 1 AS a", timeout=TIME)
    error = outcome.error
    assert isinstance(error, ModuleError), (seed, outcome)
    assert address in error.message and "s3cret" not in error.message, (seed, error)
    assert "timeout" not in error.message, (seed, error)
    assert len(error.message) < 700 and error.message.isprintable(), (seed, error)
