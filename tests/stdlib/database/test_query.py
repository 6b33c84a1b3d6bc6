"""What becomes of statements, streams, transactions and connections, in each database."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import ModuleError, ParameterError, RecordError, SecurityError
from gxo.runtime.main import main
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.database.query import query
from tests.reports import read_report
from tests.services.mariadb import MariaDb
from tests.services.postgres import Postgres
from tests.stdlib.database.databases import Asked, Database, Waited, asking, play
from tests.stdlib.database.proxy import proxied
from tests.stdlib.database.streams import copied
from tests.stdlib.harness import run
from tests.stdlib.stream.test_pipelines import compiled, workload

TABLE = "CREATE TABLE t (id INT PRIMARY KEY, n INT)"
INSERT = "INSERT INTO t VALUES (:id, :n)"
EACH = "{'id': record['id'], 'n': 0}"
COUNT = "SELECT count(*) AS n FROM t"

FOREVER = {
    "postgresql": "SELECT pg_sleep(60)",
    "mysql": "SELECT sleep(60) AS s",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT sum(n) AS s FROM c",
}
RUNNING = {
    "postgresql": "SELECT count(*) AS n FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND datname = current_database()",
    "mysql": "SELECT count(*) AS n FROM information_schema.processlist "
    "WHERE id <> connection_id() AND db = database()",
}
"""How many other sessions the database has."""


def ids(*numbers: int) -> list[dict[str, int]]:
    return [{"id": number} for number in numbers]


async def sessions_end(asked: Asked, kind: str) -> None:
    """The server sees soon that a session is over."""
    if kind in RUNNING:
        async with asyncio.timeout(10):
            while await asked.value(RUNNING[kind]):
                pass


def test_a_stream_is_one_transaction(database: Database, tmp_path: Path) -> None:
    async def insert(asked: Asked) -> None:
        await asked(TABLE)
        batches = [ids(*range(1200)), ids(1200), ids(*range(1201, 1210))]
        assert await asked(INSERT, EACH, batches) == {"rows_affected": 1210}
        update = "UPDATE t SET n = 1 WHERE id < :1"
        assert await asked(update, "[record['id']]", [ids(3, 5)]) == {"rows_affected": 8}
        assert await asked("DELETE FROM t WHERE id = :id", "record", [ids(1, 1)]) == {
            "rows_affected": 1
        }
        assert await asked(INSERT, EACH, []) == {"rows_affected": 0}

    play(database, tmp_path, insert)


@pytest.mark.parametrize("at", [0, 1, 700, 1199])
def test_a_failure_undoes_all(database: Database, at: int, tmp_path: Path) -> None:
    async def fail(asked: Asked) -> None:
        await asked(TABLE)
        await asked(INSERT, {"id": -1, "n": 0})
        records = ids(*range(1200))
        records[at] = {"id": -1}
        with pytest.raises(ModuleError, match=r"(?i)duplicate|unique"):
            await asked(INSERT, EACH, [records])
        with pytest.raises(RecordError):
            await asked(INSERT, EACH, [ids(*range(600)), [{"no": 1}]])
        assert await asked.value(COUNT) == 1
        await sessions_end(asked, database.kind)

    play(database, tmp_path, fail)


def test_rows_of_each_execution_are_sent(database: Database, tmp_path: Path) -> None:
    async def look_up(asked: Asked) -> None:
        await asked(TABLE)
        await asked(INSERT, EACH, [ids(*range(10))])
        got = await asked.outcome(
            "SELECT id FROM t WHERE id < :id ORDER BY id", "record", [ids(2, 0), ids(3)], True
        )
        assert (got.summary, [one["id"] for one in got.sent]) == ({"count": 5}, [0, 1, 0, 1, 2])
        got = await asked.outcome(
            "INSERT INTO t VALUES (:id, 5) RETURNING id, n", "record", [ids(20, 21)], True
        )
        assert got.sent == [{"id": 20, "n": 5}, {"id": 21, "n": 5}]
        assert await asked.value(COUNT) == 12

    play(database, tmp_path, look_up)


@pytest.mark.parametrize("fetch", [1, 7, 1000])
def test_rows_do_not_depend_on_how_they_are_fetched(
    database: Database, fetch: int, tmp_path: Path
) -> None:
    async def read(asked: Asked) -> None:
        await asked(TABLE)
        await asked(INSERT, EACH, [ids(*range(21))])
        got = await asked.outcome("SELECT id FROM t ORDER BY id", consumed=True, fetch=fetch)
        assert got.sent == ids(*range(21))
        assert got.summary == {"count": 21}
        assert (await asked("SELECT id FROM t WHERE 1 = 2", fetch=fetch)) == {
            "rows": [],
            "count": 0,
        }

    play(database, tmp_path, read)


def test_what_is_refused(database: Database, tmp_path: Path) -> None:
    async def refuse(asked: Asked) -> None:
        await asked(TABLE)
        for text, params, error, message in [
            ("SELECT 1 AS a; DELETE FROM t", None, ModuleError, None),
            ("SELECT 1 AS a, 2 AS a", None, ModuleError, "two columns called 'a'"),
            ("SELECT * FROM nowhere", None, ModuleError, "nowhere"),
            ("SELECT :a", {"b": 1}, ParameterError, "no value for :a"),
            ("SELECT :a", None, ParameterError, "no value for :a"),
            ("SELECT :1", [1, 2], ParameterError, "a value for :2"),
            ("SELECT :2", [1], ParameterError, "has none for :2"),
            ("SELECT :0", [1], ParameterError, "has none for :0"),
            ("SELECT :a", 5, ParameterError, "neither a list nor a map"),
            ("", None, (ModuleError, ParameterError), None),
        ]:
            with pytest.raises(error, match=message):
                outcome = await asked.outcome(text, params)
                if outcome.error is not None:
                    raise outcome.error
                assert outcome.summary == "refused", (text, outcome.summary)
        assert await asked.value(COUNT) == 0

    play(database, tmp_path, refuse)


def test_rows_are_streamed_from_a_query_into_a_table(database: Database, tmp_path: Path) -> None:
    row = run(copied(tmp_path, database.kind, database.url, 10_000))
    assert row == {"rows_there": 10_000, "low": 1, "high": 10_000}


def test_a_time_out_ends_the_statement_there(database: Database, tmp_path: Path) -> None:
    async def wait(asked: Asked) -> None:
        with pytest.raises(ModuleError, match=r"longer than the timeout of 0\.3 s"):
            await asked(FOREVER[database.kind], timeout=0.3)
        await sessions_end(asked, database.kind)

    play(database, tmp_path, wait)


def test_waiting_for_others_takes_none_of_the_time(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(asked: Asked) -> None:
        await asked(TABLE)
        source = Source("records", Channel())
        records = Waited([source.connect("under-test")])
        ours = query(
            asked.workbench.context,
            records=records,
            connection=database.url,
            query=INSERT,
            query_params=lambda record: {"id": record["id"], "n": 0},
            timeout=1.0,
        )
        task = asyncio.ensure_future(ours)
        await source.port().send(ids(1))
        await records.are_read.wait()
        loop = asyncio.get_running_loop()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 1.1)
        for _ in range(3):
            await asyncio.sleep(0)
        await source.port().send(ids(2))
        source.finish()
        assert await task == {"rows_affected": 2}

    play(database, tmp_path, wait)


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 30, 60, 100, 200])
def test_cancelled_in_a_transaction(database: Database, turns: int, tmp_path: Path) -> None:
    async def cancel(asked: Asked) -> None:
        await asked(TABLE)
        source = Source("records", Channel())
        records = Records([source.connect("under-test")])
        sending = asyncio.ensure_future(source.port().send(ids(*range(600))))
        ours = query(
            asked.workbench.context,
            records=records,
            connection=database.url,
            query=INSERT,
            query_params=lambda record: {"id": record["id"], "n": 0},
        )
        task = asyncio.ensure_future(ours)
        for _ in range(turns):
            await asyncio.sleep(0.001 if turns > 50 else 0)
        task.cancel()
        records.close()
        await asyncio.wait([task, sending])
        sending.exception()
        assert task.cancelled()
        await sessions_end(asked, database.kind)
        assert await asked.value(COUNT) == 0

    play(database, tmp_path, cancel)


def test_cancelled_while_it_executes(database: Database, tmp_path: Path) -> None:
    async def cancel(asked: Asked) -> None:
        task = asyncio.ensure_future(asked.outcome(FOREVER[database.kind]))
        await asyncio.wait([task], timeout=0.3)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await sessions_end(asked, database.kind)

    play(database, tmp_path, cancel)


def test_a_consumer_that_has_enough(database: Database, tmp_path: Path) -> None:
    numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT n FROM c"
    workloads = [
        workload("numbers", "database:query", {"connection": database.url, "query": numbers}),
        workload("few", "data:limit", {"count": 5}, stream_inputs=["numbers"]),
        workload("all", "data:collect", None, stream_inputs=["few"], register="all"),
    ]
    results = job(workloads, tmp_path)
    assert [results[name]["status"] for name in ("numbers", "few", "all")] == ["Completed"] * 3
    assert [one["n"] for one in results["all"]["summary"]["records"]] == [1, 2, 3, 4, 5]


def job(workloads: list[dict[str, Any]], folder: Path, *options: str) -> dict[str, Any]:
    """The results of a job of these workloads."""
    head = {"name": "p", "schemaVersion": "v1.0.0"}
    text = yaml.safe_dump({**head, "workloads": workloads}, sort_keys=False, width=1000)
    report = folder / "report.json"
    main(compiled(text), None, ["--workspace", str(folder), "--report", str(report), *options])
    found: dict[str, Any] = read_report(report)["workload_results"]
    return found


UPDATES = {
    "postgresql": "DO $$ BEGIN UPDATE t SET n = n + 1 WHERE id = {0}; PERFORM pg_sleep(0.2); "
    "UPDATE t SET n = n + 1 WHERE id = {1}; END $$",
    "mysql": "BEGIN NOT ATOMIC START TRANSACTION; UPDATE t SET n = n + 1 WHERE id = {0}; "
    "DO SLEEP(0.2); UPDATE t SET n = n + 1 WHERE id = {1}; COMMIT; END",
}


@pytest.mark.parametrize("attempts", [1, 5])
def test_a_deadlock_is_tried_again_when_asked(
    server: Database, attempts: int, tmp_path: Path
) -> None:
    async def prepare(asked: Asked) -> None:
        await asked(TABLE)
        await asked(INSERT, EACH, [ids(1, 2)])

    play(server, tmp_path, prepare)
    asks = {"attempts": attempts, "delay": "10ms"} if attempts > 1 else {}
    workloads = [
        workload(
            f"from-{first}",
            "database:query",
            {
                "connection": server.url,
                "query": UPDATES[server.kind].format(
                    first, 3 - first, "ASC" if first == 1 else "DESC"
                ),
            },
            register=f"r{first}",
            ignore_errors=True,
            **({"retry": asks} if asks else {}),
        )
        for first in (1, 2)
    ]
    results = job(workloads, tmp_path)
    outcomes = sorted(results[f"from-{first}"]["status"] for first in (1, 2))
    assert outcomes == (["Completed"] * 2 if asks else ["Completed", "Failed"])
    if not asks:
        [error] = [one["error"] for one in results.values() if one["status"] == "Failed"]
        assert "eadlock" in error
        return
    assert max(one["attempts"] for one in results.values()) > 1

    async def look(asked: Asked) -> None:
        assert await asked.rows("SELECT n FROM t") == [{"n": 2}, {"n": 2}]

    play(server, tmp_path, look)


@pytest.mark.parametrize("reads", [True, False])
def test_nothing_is_tried_again_once_records_have_moved(
    postgresql: Database, reads: bool, tmp_path: Path
) -> None:
    failing = "SELECT 1 / (3000 - n) AS x FROM generate_series(1, 5000) AS g(n)"
    params = {
        "connection": postgresql.url,
        "query": failing if reads else "INSERT INTO t SELECT 1/0",
    }
    keys = {"retry": {"attempts": 3, "delay": "10ms"}}
    if reads:
        first = workload("it", "database:query", {**params, "fetch": 500}, **keys)
        workloads = [first, workload("all", "data:collect", None, stream_inputs=["it"])]
    else:
        params["query"] = "SELECT 1 / (:n - 1) AS x"
        params["query_params"] = {"n": "{{ .item }}"}
        workloads = [
            workload("one", "data:generate_from_list", {"items": [1]}),
            workload("it", "database:query", params, stream_inputs=["one"], **keys),
        ]
    it = job(workloads, tmp_path)["it"]
    assert (it["status"], it["attempts"]) == ("Failed", 1)
    assert it["reason"] == "not retried: records were already sent or read"


LOSE = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    "mysql": "KILL {0}",
}


async def lost_while_streaming(
    asked: Asked, url: str, kind: str, lose: Callable[[], Awaitable[None]]
) -> str:
    """The error of a query whose connection is lost when some of its rows have been sent."""
    many = {
        "postgresql": "SELECT n FROM generate_series(1, 1000000) AS g(n)",
        "mysql": "SELECT seq AS n FROM seq_1_to_1000000",
    }
    source = Source("it", Channel())
    reader = Records([source.connect("reader")])
    ours = query(
        asked.workbench.context, out=source.port(), connection=url, query=many[kind], fetch=100
    )
    task = asyncio.ensure_future(ours)
    await anext(reader)
    await lose()

    async def drain() -> None:
        async for _ in reader:
            pass

    draining = asyncio.ensure_future(drain())
    with pytest.raises(ModuleError) as caught:
        await task
    source.finish()
    await draining
    assert source.records_out < 1_000_000
    return caught.value.message


def test_a_session_that_the_server_ends(server: Database, tmp_path: Path) -> None:
    async def end(asked: Asked) -> None:
        async def lose() -> None:
            if server.kind == "mysql":
                query = "SELECT id FROM information_schema.processlist WHERE db = database() "
                number = await asked.value(query + "AND id <> connection_id()")
                await asked(LOSE["mysql"].format(number))
            else:
                await asked(LOSE[server.kind])

        message = await lost_while_streaming(asked, server.url, server.kind, lose)
        assert message.startswith(f"{server.kind} at 127.0.0.1:{server.port}: ")
        await sessions_end(asked, server.kind)

    play(server, tmp_path, end)


def test_a_connection_that_is_cut(server: Database, tmp_path: Path) -> None:
    async def cut(asked: Asked) -> None:
        async with proxied(server.port) as proxy:

            async def lose() -> None:
                proxy.cut()

            url = server.url.replace(f":{server.port}/", f":{proxy.port}/")
            message = await lost_while_streaming(asked, url, server.kind, lose)
            assert message.startswith(f"{server.kind} at 127.0.0.1:{proxy.port}: ")
            assert "connection" in message
        await sessions_end(asked, server.kind)

    play(server, tmp_path, cut)


def test_nobody_is_there(tmp_path: Path) -> None:
    async def knock() -> None:
        async with asking(tmp_path, "") as asked:
            for kind in ("postgresql", "mysql", "mssql", "oracle"):
                asked.url = f"{kind}://u:s3cret-word@127.0.0.1:9/d"
                outcome = await asked.outcome("SELECT 1 AS a")
                assert isinstance(outcome.error, ModuleError), outcome.error
                assert outcome.error.message.startswith(f"{kind} at 127.0.0.1:9: ")
                assert "refused" in outcome.error.message.lower()
                assert "s3cret" not in outcome.error.message

    run(knock())


def test_a_profile_takes_everything_as_it_is(
    server: Database, postgres: Postgres, mariadb: MariaDb, tmp_path: Path
) -> None:
    async def ask(asked: Asked) -> None:
        profile = {
            "driver": server.kind,
            "host": "127.0.0.1",
            "port": server.port,
            "user": "secure",
            "password": "p@ss/w:rd",
            "database": "postgres" if server.kind == "postgresql" else "mysql",
        }
        if server.kind == "postgresql":
            await asked("DROP ROLE IF EXISTS secure")
            await asked("CREATE ROLE secure LOGIN PASSWORD 'p@ss/w:rd'")
        ca = (postgres if server.kind == "postgresql" else mariadb).ca
        (tmp_path / "ca.pem").write_text(ca)
        good = {"sslmode": "verify-full", "sslrootcert": "ca.pem"}
        for host, options, works in [
            ("127.0.0.1", {}, True),
            ("127.0.0.1", {"sslmode": "require"}, True),
            ("localhost", good, True),
            ("127.0.0.1", {**good, "sslmode": "verify-ca"}, True),
            ("127.0.0.1", good, False),
            ("localhost", {"sslmode": "verify-full"}, False),
            ("127.0.0.1", {"sslmode": "disable"}, False),
        ]:
            one = {**profile, "host": host, "options": options}
            outcome = await asked.outcome("SELECT 1 AS a", connection=None, connection_profile=one)
            assert (outcome.error is None) == works, (host, options, outcome.error)
            assert works or isinstance(outcome.error, ModuleError)
            if not works and options["sslmode"] == "verify-full":
                assert "certificate verify failed" in outcome.error.message
                assert "`sslrootcert` names others" in outcome.error.hint

    play(server, tmp_path, ask)


def test_files_of_sqlite_stay_in_the_workspace(sqlite: Database, tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "link.db").symlink_to("/tmp/outside.db")

    async def leave(asked: Asked) -> None:
        for path in ("../x.db", "/tmp/outside.db", "ws/../../x.db", "link.db"):
            outcome = await asked.outcome("SELECT 1 AS a", connection=f"sqlite:///{path}")
            assert isinstance(outcome.error, (SecurityError, ModuleError)), (path, outcome.error)
        assert isinstance(outcome.error, SecurityError)
        for statement in (
            "ATTACH DATABASE '/tmp/outside.db' AS o",
            "VACUUM INTO '/tmp/outside.db'",
        ):
            outcome = await asked.outcome(statement)
            assert isinstance(outcome.error, ModuleError), statement
            assert "no other file" in str(outcome.error.hint)
        await asked(TABLE)
        await asked("VACUUM")
        outcome = await asked.outcome(COUNT, connection="sqlite:///none.db?mode=ro")
        assert isinstance(outcome.error, ModuleError)

    play(sqlite, tmp_path, leave)
    assert not Path("/tmp/outside.db").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.db", "test.db", "ws"]


def test_more_rows_than_a_summary_holds(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gxo.stdlib.database.query.MAX_ROWS", 100_000)
    many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9000) SELECT n FROM c"

    async def ask(asked: Asked) -> None:
        with pytest.raises(ModuleError, match="its rows take more"):
            await asked(many)
        assert len((await asked.outcome(many, consumed=True)).sent) == 9000

    play(sqlite, tmp_path, ask)


def test_a_statement_that_no_transaction_may_hold(postgresql: Database, tmp_path: Path) -> None:
    async def ask(asked: Asked) -> None:
        await asked(TABLE)
        await asked("VACUUM t")
        await asked("CREATE INDEX CONCURRENTLY i ON t (n)")
        assert (await asked("SHOW server_version_num"))["count"] == 1
        assert (await asked("EXPLAIN SELECT * FROM t"))["count"] == 1

    play(postgresql, tmp_path, ask)
