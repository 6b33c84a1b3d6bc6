"""`database:query`: one statement, once or for each record of a stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import (
    Duration,
    Each,
    Record,
    SqlText,
    Url,
    connects,
    module,
    queries,
    reads,
    writes,
)
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.source import ConsumersClosed
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.database._session import Session, open_session
from gxo.stdlib.database._statement import Statement, read_statement
from gxo.stdlib.database._target import Profile, Target, read_target
from gxo.stdlib.database._values import Values, values_of

MAX_ROWS = 64 * 1024 * 1024
"""About how many bytes of rows are kept when nothing reads the stream."""


MOST_ROWS = 1_000_000
"""That are fetched at a time."""


PROFILE_AT = "{connection_profile.driver}://{connection_profile.host}:{connection_profile.port}"
SQLITE = "connection_profile.driver == 'sqlite'"
READ_ONLY = "connection_profile.options.mode == 'ro'"


class Queried(TypedDict):
    """What the statement gave.

    rows_affected: how many rows it changed, of a statement that gives none. count: how many rows it
    gave. rows: those rows, when nothing reads the stream.
    """

    rows_affected: NotRequired[int]
    rows: NotRequired[list[Record]]
    count: NotRequired[int]


@module(
    "database:query",
    changes="by_call",
    effects=[
        connects("connection"),
        connects("connection_profile.host", at=PROFILE_AT, unless=[SQLITE]),
        reads("connection_profile.database", only=[SQLITE]),
        writes("connection_profile.database", only=[SQLITE], unless=[READ_ONLY]),
        reads("connection_profile.options.sslrootcert"),
        queries("query"),
    ],
    needs=[
        "asyncpg; connection == 'postgresql:*'",
        "asyncpg; connection == 'postgres:*'",
        "asyncpg; connection_profile.driver == 'postgresql'",
        "aiomysql; connection == 'mysql:*'",
        "aiomysql; connection == 'mariadb:*'",
        "aiomysql; connection_profile.driver == 'mysql'",
        "python-tds; connection == 'mssql:*'",
        "python-tds; connection_profile.driver == 'mssql'",
        "pyopenssl; connection == 'mssql:*'",
        "pyopenssl; connection_profile.driver == 'mssql'",
        "oracledb; connection == 'oracle:*'",
        "oracledb; connection_profile.driver == 'oracle'",
    ],
    one_of=["connection", "connection_profile"],
)
async def query(
    ctx: Context,
    records: Records | None = None,
    out: Out | None = None,
    *,
    connection: Url | None = None,
    connection_profile: Profile | None = None,
    query: SqlText,
    query_params: Each[Record | list[Any]] | None = None,
    timeout: Duration | None = None,
    fetch: int = 1000,
) -> Queried:
    """Execute one statement of SQL in PostgreSQL, MySQL, MariaDB, SQLite, SQL Server or Oracle.

    The rows of a query are records. They are fetched by a cursor on the server, `fetch` at a time,
    so that any number of them takes the same memory. When nothing reads them they are in the
    summary, up to 64 MiB.

    With `stream_inputs` the statement is executed for each record, in one transaction: a failure, a
    time-out or a cancellation undoes all of it. A statement that gives no rows is executed in
    batches; of one that gives some, each execution's rows are sent.

    A placeholder is `:name` for a map of `query_params`, and `:1`, `:2` for a list. Values are
    bound: they travel beside the statement, and never become a part of it. A colon in a text, a
    quoted name, a comment, a cast (`a::int`) or a slice is what it is, and so is any `?`.

    What a value is, on the way in and back:

        record               PostgreSQL             MySQL, MariaDB          SQLite
        null                 null                   null                    null
        bool                 boolean                as a number, 1 or 0     as a number, 1 or 0
        int                  smallint to bigint     TINYINT to BIGINT, BIT  integer
        float                real, double           FLOAT, DOUBLE           real
        text                 text, and all others   CHAR to TEXT, ENUM      text
        text, exactly        numeric, money         DECIMAL                 (none)
        text, RFC 3339       timestamptz            TIMESTAMP               (none)
        the same, no zone    timestamp, date, time  DATETIME, DATE, TIME    (none)
        base64               bytea                  BINARY, BLOB            blob
        list                 arrays                 (none)                  (none)
        what JSON it is      json, jsonb            JSON of MySQL           (none)

    Instants are in UTC; MySQL and MariaDB take one only without the `Z` with which it is read. A
    float that JSON has no word for is the text `NaN`, `Infinity` or `-Infinity`. MariaDB and
    SQLite keep JSON as text, which `fromJson` reads. Types of PostgreSQL that are not named
    here are texts, as it prints them; ranges and rows have to be cast to one. As a parameter,
    `{base64: text}` stands for bytes, and a map or a list is written as JSON, or as an array
    where PostgreSQL wants one.

    A URL is `postgresql://user:password@host:5432/database`, likewise `mysql://` (for MariaDB too),
    `mssql://` and `oracle://` (with a service's name), or `sqlite:///file.db` for a file of the
    workspace. Only the driver that its beginning names is linked; where that is not literal, all
    are: write `postgresql://{{ secret "DB" }}`. Behind a `?` may stand `sslmode` (disable, prefer,
    require, verify-ca, verify-full; prefer unless it is given, for SQL Server verify-full, for
    Oracle disable), `sslrootcert` (a file of the workspace; else the host's certificates),
    `application_name` (PostgreSQL) and `mode` (SQLite: ro, rw, rwc).

    Deadlocks and the like are failures, which `retry` tries again when nothing was sent or read
    before. A dry run executes what its words tell to be a query, in a transaction that only reads;
    of anything else it says what would be done.

    No test runs SQL Server and Oracle against a server.

    Args:
        connection: The URL of a database. Either this, or `connection_profile`.
        connection_profile: The same in its parts, of which none is percent-encoded: `driver`,
            `host`, `port`, `user`, `password`, `database`, `options`. A playbook that gets it as an
            input leaves it to who runs it where the database is.
        query: One statement.
        query_params: The values of its placeholders; with `stream_inputs`, of each record.
        timeout: How long the database may take in all, not counting how long others are waited
            for. Then the statement is ended on the server.
        fetch: How many rows are fetched at a time, from 1 to 1,000,000.

    Returns:
        `rows_affected` of a statement that gives no rows; else `count`, and `rows` when nothing
        reads the stream.

    Raises:
        ParameterError: a URL, profile or value that is none, or a placeholder without a value.
        SecurityError: a file of SQLite outside the workspace.
        ModuleError: what the database says, as it says it; or no connection, or none any more, or
            not in time.

    Example:
        name: large
        lifecycle: {policy: run_once}
        register: large
        process:
          module: database:query
          params:
            connection: sqlite:///orders.db
            query: SELECT id, total FROM orders WHERE total >= :least ORDER BY id
            query_params: {least: 100}
    """
    if not 1 <= fetch <= MOST_ROWS:
        raise ParameterError(f"fetch: {fetch} is not between 1 and {MOST_ROWS}")
    target = read_target(connection, connection_profile)
    if target.password:
        ctx.private(target.password)
    statement = await ctx.offload(len(query), read_statement, query, target.kind)
    if not statement.verb:
        raise ParameterError("query: there is no statement in it")
    if statement.reads:
        ctx.changes_nothing()
    elif ctx.dry_run:
        each = " for each record" if records is not None else ""
        verb = statement.verb.upper()
        summary: Queried = ctx.would(f"execute {verb} in {target.shown}{each}")
        return summary
    read_only = ctx.dry_run
    work = _Work(ctx, out, _Limit(target, timeout), fetch)
    async with work.limit("it gave no answer to a connection: check its host and port"):
        session = await open_session(ctx, target, read_only=read_only)
    try:
        async with work.limit():
            await session.prepare(statement)
            if read_only or records is not None:
                await session.begin(read_only=read_only)
        try:
            if records is None:
                given = query_params({}) if query_params is not None else None
                await work.once(session, values_of(statement.names, given))
            else:
                await work.each(session, statement, records, query_params)
        except ConsumersClosed:
            await session.commit()
            raise
        async with work.limit():
            await session.commit()
    finally:
        await session.close()
    return work.summary()


class _Limit:
    """How long the database may take in all; while others are waited for, no time passes."""

    def __init__(self, target: Target, seconds: float | None) -> None:
        self._target = target
        self._seconds = seconds
        self._left = seconds

    @asynccontextmanager
    async def __call__(
        self, hint: str = "the statement was ended there, and what it did was undone"
    ) -> AsyncIterator[None]:
        if self._left is None:
            yield
            return
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with asyncio.timeout(self._left):
                yield
        except TimeoutError:
            message = f"{self._target.shown} took longer than the timeout of {self._seconds:g} s"
            raise ModuleError(message, hint=hint) from None
        finally:
            self._left -= clock() - start


class _Work:
    """Executes the statement, sends its rows or keeps them, and counts."""

    def __init__(self, ctx: Context, out: Out | None, limit: _Limit, fetch: int) -> None:
        self.limit = limit
        self._ctx = ctx
        self._out = out
        self._fetch = fetch
        self._rows: list[Record] = []
        self._size = 0
        self._count = 0
        self._affected = 0
        self._gives_rows: bool | None = None

    async def once(self, session: Session, values: Values) -> None:
        """Execute it once."""
        async with self.limit():
            answer = await session.execute(values)
        self._affected += answer.affected
        self._gives_rows = self._gives_rows or answer.columns is not None
        if answer.columns is not None:
            await self._read(session, _distinct(answer.columns))

    async def each(
        self, session: Session, statement: Statement, records: Records, params: Any
    ) -> None:
        """Execute it for each record, in batches if it gives no rows."""
        seen = 0
        async for batch in records:
            made = []
            for number, record in enumerate(batch, seen + 1):
                try:
                    given = params(record) if params is not None else None
                    made.append(values_of(statement.names, given))
                except Exception as error:
                    await self._ctx.record_failed(record, error, number)
            seen += len(batch)
            # What a procedure does may differ from one record to the next.
            while made and (self._gives_rows is not False or statement.verb == "call"):
                await self.once(session, made.pop(0))
            for start in range(0, len(made), BATCH):
                async with self.limit():
                    self._affected += await session.execute_many(made[start : start + BATCH])

    async def _read(self, session: Session, names: tuple[str, ...]) -> None:
        while True:
            async with self.limit():
                rows = await session.fetch(self._fetch)
            if not rows:
                return
            self._count += len(rows)
            made = [dict(zip(names, row, strict=True)) for row in rows]
            if self._out is None:
                self._keep(made)
                continue
            for start in range(0, len(made), BATCH):
                await self._out.send(made[start : start + BATCH])

    def _keep(self, rows: list[Record]) -> None:
        self._size += sum(map(weight, rows))
        if self._size > MAX_ROWS:
            raise ModuleError(
                f"its rows take more than {MAX_ROWS // 1024 // 1024} MiB",
                hint="read them as a stream: name this workload in another one's `stream_inputs`",
            )
        self._rows += rows

    def summary(self) -> Queried:
        """What the module returns."""
        if not self._gives_rows:
            return {"rows_affected": self._affected}
        if self._out is None:
            return {"rows": self._rows, "count": self._count}
        return {"count": self._count}


def _distinct(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a row's fields. ModuleError where two columns have the same."""
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        hint = "give one of them another name: `AS ...`"
        raise ModuleError(f"the query gives two columns called {twice!r}", hint=hint)
    return columns
