"""Peers that send garbage or nothing; `make proof PROOFS=database` knocks at 200 for each protocol."""

import socket
from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError
from tests.stdlib.connection.test_links import peer, sending
from tests.stdlib.database.databases import asking
from tests.stdlib.database.fuzzed import BEGINNINGS, babble, greeting
from tests.stdlib.harness import run


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_garbage_is_one_clear_error(kind: str, tmp_path: Path) -> None:
    for seed in range(10):
        run(babble(tmp_path, kind, seed))


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "mssql"])
def test_who_never_answers_was_asked_for_nothing(kind: str, tmp_path: Path) -> None:
    async def ask() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"{kind}://u:p@127.0.0.1:{silent.getsockname()[1]}/d?sslmode=disable"
            async with asking(tmp_path, url) as asked:
                with pytest.raises(ModuleError, match="longer than the timeout") as caught:
                    await asked("SELECT 1 AS n", timeout=0.1)
        assert caught.value.hint == "it gave no answer to a connection: check its host and port"

    run(ask())


def test_a_server_that_says_no_version_leaves_no_socket_open(tmp_path: Path) -> None:
    async def knock() -> None:
        async with asking(tmp_path, "") as asked, peer(sending(b"Z\0\0\0\5I")) as address:
            asked.url = f"postgresql://u:p@{address}/d?sslmode=disable"
            outcome = await asked.outcome("SELECT 1 AS a")
        assert isinstance(outcome.error, ModuleError)
        assert outcome.error.message == f"postgresql at {address}: its answer cannot be read"

    run(knock())


def test_a_statement_with_columns_cannot_end_without_them(tmp_path: Path) -> None:
    ok = b"\0\0\0\2\0\0\0"
    packets = [b"\7\0\0\2" + ok, b"\7\0\0\1" + ok, b"\x0c\0\0\1\0\1\0\0\0\1\0\0\0\0\0\0"]
    packets += [b"\1\0\0\2c", b"\5\0\0\3\xfe\0\0\0\0", b"\7\0\0\1" + ok]

    async def knock() -> None:
        answers = sending(b"".join([greeting("mysql_native_password"), *packets]))
        async with asking(tmp_path, "") as asked, peer(answers) as address:
            asked.url = f"mysql://u:p@{address}/d?sslmode=disable"
            outcome = await asked.outcome("SELECT 1 AS a")
        assert isinstance(outcome.error, ModuleError)
        assert outcome.error.message == f"mysql at {address}: its answer cannot be read"

    run(knock())
