"""What databases give beside one table of rows, and what a connection must never go without."""

from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError, ParameterError
from tests.stdlib.connection.test_links import peer, sending
from tests.stdlib.database.databases import QUOTED, Asked, Database, asking, play
from tests.stdlib.harness import run

EACH = "{'n': record['n']}"
SOME = """CREATE PROCEDURE some(n INT) BEGIN
    IF n > 9 THEN SELECT n AS n; END IF; INSERT INTO t VALUES (n);
END"""


def numbers(*values: int) -> list[list[dict[str, int]]]:
    return [[{"n": value} for value in values]]


def test_a_procedure_ends_behind_its_rows(mysql: Database, tmp_path: Path) -> None:
    """Its end is no answer to what is asked next, and so what fails later is not taken for done."""

    async def call(asked: Asked) -> None:
        await asked("CREATE TABLE t (n INT PRIMARY KEY)")
        await asked(SOME)
        got = await asked.outcome("CALL some(:n)", EACH, numbers(10, 1, 11), True)
        assert (got.summary, got.sent) == ({"count": 2}, [{"n": 10}, {"n": 11}])
        for values in (20, 21, 20), (2, 22, 3, 2), (2, 3, 2):
            with pytest.raises(ModuleError, match="Duplicate"):
                await asked("CALL some(:n)", EACH, numbers(*values))
        assert await asked.value("SELECT count(*) AS n FROM t") == 3

    play(mysql, tmp_path, call)


def test_a_procedure_gives_the_rows_of_one_query(mysql: Database, tmp_path: Path) -> None:
    async def call(asked: Asked) -> None:
        await asked("CREATE PROCEDURE two() BEGIN SELECT 1 AS a; SELECT 2 AS b; END")
        with pytest.raises(ModuleError, match="the rows of more than one query"):
            await asked("CALL two()")

    play(mysql, tmp_path, call)


def test_a_float_keeps_its_digits(mysql: Database, tmp_path: Path) -> None:
    async def read(asked: Asked) -> None:
        for value in 16777216.0, 0.1, 0.1234567, -3.4028235e38:
            found = await asked.value("SELECT CAST(:a AS FLOAT) AS a", {"a": value})
            assert found == pytest.approx(value, rel=1e-9)

    play(mysql, tmp_path, read)


def test_a_password_is_utf_8(mysql: Database, tmp_path: Path) -> None:
    async def connect(asked: Asked) -> None:
        await asked("CREATE USER utf@'127.0.0.1' IDENTIFIED BY 'pä€ss'")
        try:
            asked.url = f"mysql://utf:pä%E2%82%ACss@127.0.0.1:{mysql.port}?sslmode=disable"
            assert await asked.value("SELECT 1 AS a") == 1
        finally:
            asked.url = mysql.url
            await asked("DROP USER utf@'127.0.0.1'")

    play(mysql, tmp_path, connect)


def test_settings_of_a_database_change_no_value(postgresql: Database, tmp_path: Path) -> None:
    name = postgresql.url.rpartition("/")[2].partition("?")[0]

    async def read(asked: Asked) -> None:
        for setting in "bytea_output = escape", "extra_float_digits = -10":
            await asked(f"ALTER DATABASE {name} SET {setting}")
        [row] = await asked.rows("SELECT 'abcd'::bytea AS b, 0.1234567::float8 AS f")
        assert row == {"b": "YWJjZA==", "f": 0.1234567}

    play(postgresql, tmp_path, read)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT $1::int AS a", r"a `\$1` or the like"),
        ("COPY t FROM STDIN", "carries no records"),
        ("copy (SELECT 1) TO stdout", "carries no records"),
    ],
)
def test_what_would_wait_for_ever(
    postgresql: Database, text: str, message: str, tmp_path: Path
) -> None:
    async def ask(asked: Asked) -> None:
        await asked("CREATE TABLE t (n INT)")
        with pytest.raises(ParameterError, match=message):
            await asked(text, timeout=10)

    play(postgresql, tmp_path, ask)


@pytest.mark.parametrize("fetch", [0, 1_000_001, 2**40])
def test_how_many_rows_are_fetched(database: Database, fetch: int, tmp_path: Path) -> None:
    async def ask(asked: Asked) -> None:
        with pytest.raises(ParameterError, match="is not between 1 and 1000000"):
            await asked("SELECT 1 AS a", fetch=fetch)

    play(database, tmp_path, ask)


def test_without_certificates_sql_server_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """python-tds would send the password, as good as in clear, though nobody said `disable`."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))

    async def ask() -> None:
        async with asking(tmp_path, "") as asked, peer(sending(b"")) as address:
            for mode in "", "?sslmode=verify-ca":
                asked.url = f"mssql://sa:{QUOTED}@{address}/d{mode}"
                with pytest.raises(ModuleError, match="no file of certificates"):
                    await asked("SELECT 1 AS a")

    run(ask())


@pytest.mark.parametrize("query", ["SELECT ?", "SELECT 1 WHERE 1 = ?"])
def test_the_marks_of_others_are_no_placeholders(
    database: Database, query: str, tmp_path: Path
) -> None:
    async def ask(asked: Asked) -> None:
        error = (await asked.outcome(query)).error
        assert isinstance(error, ModuleError | ParameterError)
        assert error.hint == "placeholders are :name, or :1 and so on"

    play(database, tmp_path, ask)
