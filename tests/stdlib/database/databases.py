"""Real databases for tests: each test has one of its own, on a server that all share."""

import asyncio
import contextlib
import gc
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gxo.runtime.streams.pipes import Pipe
from gxo.runtime.streams.ports import Records
from tests.services import mariadb, postgres
from tests.stdlib.harness import Bench, Outcome, bench, module_spec, run

QUOTED = "p%40ss%2Fw:rd"
"""The password of the servers, as a URL has it."""

SPEC = module_spec("database:query")
_numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    """kind: what its URL begins with."""

    kind: str
    url: str
    port: int = 0


class Asked:
    """Calls `database:query`; an error is raised."""

    def __init__(self, workbench: Bench, url: str) -> None:
        self.workbench = workbench
        self.url = url

    async def outcome(
        self,
        query: str,
        params: Any = None,
        records: list[Any] | None = None,
        consumed: bool = False,
        **others: Any,
    ) -> Outcome:
        """params: of a list of records, an expression over `record`."""
        given = {"connection": self.url, "query": query, **others}
        if params is not None:
            given["query_params"] = params if isinstance(params, str) else repr(params)
        streams = {"records": records} if records is not None else None
        return await self.workbench.call(
            SPEC, given, streams, consumed=consumed, skip_record_errors=False
        )

    async def __call__(self, query: str, params: Any = None, *args: Any, **others: Any) -> Any:
        outcome = await self.outcome(query, params, *args, **others)
        if outcome.error is not None:
            raise outcome.error
        return outcome.summary

    async def rows(self, query: str, params: Any = None) -> list[Any]:
        rows: list[Any] = (await self(query, params))["rows"]
        return rows

    async def value(self, query: str, params: Any = None) -> Any:
        """The one value of the one row."""
        [row] = await self.rows(query, params)
        [value] = row.values()
        return value


@contextlib.asynccontextmanager
async def asking(folder: Path, url: str) -> AsyncIterator[Asked]:
    """Calls in a job that leaves nothing."""
    async with bench(folder) as workbench:
        yield Asked(workbench, url)
    gc.collect()


@contextlib.contextmanager
def made(administrator: str, folder: Path) -> Iterator[Database]:
    """A new database on a server, dropped afterwards with whatever still uses it."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    parts = urlsplit(administrator)

    def say(statement: str) -> None:
        async def ask() -> None:
            async with asking(folder, administrator) as asked:
                await asked(statement)

        run(ask())

    say(f"CREATE DATABASE {name}")
    try:
        url = parts._replace(path=f"/{name}").geturl()
        yield Database(parts.scheme, url, parts.port or 0)
    finally:
        say(f"DROP DATABASE {name}" + (" WITH (FORCE)" if parts.scheme == "postgresql" else ""))


def address(kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of a server's own database."""
    service, user, name = SERVICES[kind]
    port = request.getfixturevalue(service).port
    return f"{kind}://{user}:{QUOTED}@127.0.0.1:{port}/{name}?sslmode=disable"


@pytest.fixture
def postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with made(address("postgresql", request), tmp_path) as database:
        yield database


@pytest.fixture
def mysql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with made(address("mysql", request), tmp_path) as database:
        yield database


@pytest.fixture
def sqlite() -> Database:
    return Database("sqlite", "sqlite:///test.db")


SERVICES = {
    "postgresql": ("postgres", postgres.USER, "postgres"),
    "mysql": ("mariadb", mariadb.USER, "mysql"),
}
KINDS = ("postgresql", "mysql", "sqlite")
SERVERS = ("postgresql", "mysql")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    """Each of them."""
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Database:
    """Each that is a server."""
    found: Database = request.getfixturevalue(request.param)
    return found


Play = Callable[[Asked], Any]


def play(database: Database, folder: Path, what: Play) -> Any:
    """Run a coroutine with calls of the database."""

    async def go() -> Any:
        async with asking(folder, database.url) as asked:
            return await what(asked)

    return run(go())


class Waited(Records):
    """Records that say when their reader has read some, and waits for more."""

    def __init__(self, pipes: list[Pipe]) -> None:
        super().__init__(pipes)
        self.are_read = asyncio.Event()

    async def changed(self) -> None:
        if self.records_in:
            self.are_read.set()
        await super().changed()
