"""A session whose driver blocks: each of its calls is made in a thread.

SQLite, of Python's own library; SQL Server, by python-tds; Oracle, by oracledb
"""

import asyncio
import datetime
import decimal
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.database._session import Answer, Row, broken, said
from gxo.stdlib.database._statement import Statement
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._values import Values, bound, in_base64, number

T = TypeVar("T")


class Dialect(Protocol):
    """What a driver has of its own."""

    def mark(self, place: int, name: str) -> str:
        """The placeholder of its statements."""

    def text(self, text: str) -> str:
        """A piece of a statement with placeholders, as the driver takes it."""

    def begin(self, connection: Any, read_only: bool) -> None:
        """Begin a transaction."""

    def plain(self, value: Any) -> Any:
        """A value of a row as records hold it."""

    def interrupt(self, connection: Any, cursor: Any) -> None:
        """End what the connection does just now, in another thread."""

    def errors(self, target: Target) -> AbstractContextManager[None]:
        """Raise the driver's errors as ours."""


async def interruptible(
    ctx: Context, interrupt: Callable[[], None], function: Callable[..., T], *args: Any
) -> T:
    """Call in a thread. Cancelled, it interrupts what is done there, and waits for its end."""
    call = asyncio.ensure_future(ctx.thread(function, *args))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        while not call.done():
            # It may not have got to the statement yet, so this is said until it is heard.
            interrupt()
            await asyncio.wait([call], timeout=0.02)
        call.exception()
        raise


def _unheard() -> None:
    """Opening a file, and Oracle's driver, cannot be interrupted: they are waited for."""


async def opened(
    ctx: Context, connect: Callable[[], Any], interrupt: Callable[[], None] = _unheard
) -> Any:
    """Connect in a thread. A connection that is there when the call is cancelled is closed."""
    made: list[Any] = []
    try:
        await interruptible(ctx, interrupt, lambda: made.append(connect()))
    except BaseException:
        for connection in made:
            await ctx.thread(connection.close)
        raise
    return made[0]


@contextmanager
def driver_errors(target: Target, kind: type[Exception]) -> Iterator[None]:
    """Raise a driver's errors as ours: those of its `kind`, and what garbage makes of it."""
    try:
        yield
    except kind as error:
        raise ModuleError(f"{target.shown}: {said(str(error))}") from error
    except OSError as error:
        raise broken(target, error) from error
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise ModuleError(f"{target.shown}: its answer cannot be read") from error


def plain(value: Any) -> Any:
    """What a driver by DB-API makes of a value, as records hold it."""
    match value:
        case float():
            return number(value)
        case bytes() | bytearray():
            return in_base64(bytes(value))
        case datetime.datetime() if value.tzinfo is not None:
            instant = value.astimezone(datetime.UTC).replace(tzinfo=None)
            return f"{instant.isoformat()}Z"
        case datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal() | uuid.UUID() | datetime.timedelta():
            return str(value)
    return value


class ThreadedSession:
    """A connection by DB-API (see `Session`)."""

    def __init__(self, ctx: Context, connection: Any, target: Target, dialect: Dialect) -> None:
        self._ctx = ctx
        self._connection = connection
        self._target = target
        self._dialect = dialect
        self._cursor: Any = None
        self._text = ""
        self._names: tuple[str, ...] = ()

    async def prepare(self, statement: Statement) -> None:
        self._names = statement.names
        if statement.names:
            pieces = tuple(map(self._dialect.text, statement.pieces))
            statement = replace(statement, pieces=pieces)
        self._text = statement.marked(self._dialect.mark)
        self._changes = statement.verb in ("insert", "update", "delete", "replace")

    async def begin(self, *, read_only: bool = False) -> None:
        await self._call(self._dialect.begin, self._connection, read_only)

    async def execute(self, values: Values) -> Answer:
        return await self._call(self._execute, self._given(values))

    async def execute_many(self, batch: list[Values]) -> int:
        return await self._call(self._execute_many, [self._given(values) for values in batch])

    async def fetch(self, size: int) -> list[Row]:
        return await self._call(self._fetch, size)

    async def commit(self) -> None:
        await self._call(self._connection.commit)

    async def close(self) -> None:
        await self._ctx.thread(self._close)

    def _execute(self, values: list[Any]) -> Answer:
        self._cursor = self._connection.cursor()
        self._cursor.execute(self._text, values)
        described = self._cursor.description
        if described is None:
            return Answer(None, max(self._cursor.rowcount, 0))
        return Answer(tuple(column[0] for column in described), 0)

    def _execute_many(self, batch: list[list[Any]]) -> int:
        if not self._changes:
            return sum(self._execute(values).affected for values in batch)
        self._cursor = self._connection.cursor()
        self._cursor.executemany(self._text, batch)
        affected: int = max(self._cursor.rowcount, 0)
        return affected

    def _fetch(self, size: int) -> list[Row]:
        plain = self._dialect.plain
        return [tuple(map(plain, row)) for row in self._cursor.fetchmany(size)]

    def _close(self) -> None:
        """What is not committed is undone with the connection."""
        with suppress(Exception):
            if self._cursor is not None:
                self._cursor.close()
        with suppress(Exception):
            self._connection.close()

    def _given(self, values: Values) -> list[Any]:
        given = []
        for name, value in zip(self._names, values, strict=True):
            try:
                given.append(bound(value))
            except ValueError as error:
                raise ParameterError(f"query_params.{name}: {error}") from None
        return given

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        with self._dialect.errors(self._target):
            return await interruptible(self._ctx, self._interrupt, function, *args)

    def _interrupt(self) -> None:
        self._dialect.interrupt(self._connection, self._cursor)
