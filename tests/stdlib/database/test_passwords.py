"""Passwords are in nothing that leaves the job."""

import asyncio
from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError
from tests.stdlib.connection.test_links import Peer, peer
from tests.stdlib.database.databases import QUOTED, Asked, Database, asking, play
from tests.stdlib.database.fuzzed import greeting
from tests.stdlib.harness import run


def test_who_is_not_let_in(server: Database, tmp_path: Path) -> None:
    async def knock(asked: Asked) -> None:
        asked.url = server.url.replace(QUOTED, "s3cret-word")
        outcome = await asked.outcome("SELECT 1 AS a")
        assert isinstance(outcome.error, ModuleError)
        assert "s3cret" not in outcome.error.message
        assert "password" in outcome.error.message

    play(server, tmp_path, knock)


def test_the_password_is_redacted_wherever_it_leaves(server: Database, tmp_path: Path) -> None:
    async def echo(asked: Asked) -> None:
        await asked("SELECT 1 AS a")
        told = asked.workbench.context.redact(f"p@ss/w:rd, {server.url}")
        assert "p@ss" not in told and QUOTED not in told
        assert f"127.0.0.1:{server.port}" in told

    play(server, tmp_path, echo)


WANTS = {
    "caching_sha2_password": [b"\1\4"],
    "caching_sha2_password, when asked first for another": [
        b"\xfecaching_sha2_password\0abcdefghijklmnopqrst\0",
        b"\1\4",
    ],
    "sha256_password": [b"\1-----BEGIN PUBLIC KEY-----"],
    "sha256_password, when asked first for another": [
        b"\xfesha256_password\0abcdefghijklmnopqrst\0"
    ],
    "mysql_clear_password": [b"\xfemysql_clear_password\0"],
}
"""Ways to ask for the password, or for it encrypted by a key of one's own, of who comes without TLS."""


def demanding(plugin: str, packets: list[bytes], told: list[bytes]) -> Peer:
    """A server of MySQL without TLS that asks for the password; what it is told goes into `told`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting(plugin))
        for packet in packets:
            head = await reader.readexactly(4)
            told.append(await reader.readexactly(int.from_bytes(head[:3], "little")))
            writer.write(len(packet).to_bytes(3, "little") + bytes([head[3] + 1]) + packet)
        told.append(await reader.read())

    return answer


@pytest.mark.parametrize("way", WANTS)
def test_nobody_is_sent_the_password_without_tls(way: str, tmp_path: Path) -> None:
    plugin = "mysql_native_password" if WANTS[way][0][:1] == b"\xfe" else way
    told: list[bytes] = []

    async def knock() -> None:
        server = demanding(plugin, WANTS[way], told)
        async with asking(tmp_path, "") as asked, peer(server) as address:
            asked.url = f"mysql://u:s3cret-word@{address}/d"
            outcome = await asked.outcome("SELECT 1 AS a")
            assert isinstance(outcome.error, ModuleError)
            assert outcome.error.message == (
                f"mysql at {address}: it wants to be sent the password, and there is no TLS: "
                "sslmode=require asks for that"
            )

    run(knock())
    assert len(told) == len(WANTS[way]) + 1
    assert told[-1] == b"" and not any(b"s3cret" in one for one in told)
