"""MySQL and MariaDB: aiomysql connects; statements are prepared and executed there.

aiomysql itself would write values into the text. It is imported, in a thread, when a job first asks
such a database.
"""

import asyncio
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiomysql  # type: ignore[import-untyped]
from pymysql.constants import CLIENT  # type: ignore[import-untyped]

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, WorkloadError
from gxo.stdlib.database._mysql_wire import (
    CURSOR,
    EXECUTE,
    FETCH,
    PREPARE,
    QUERY,
    QUIT,
    Column,
    Refused,
    Wire,
    read_row,
    written,
)
from gxo.stdlib.database._session import (
    CONNECT,
    GRACE,
    PLACEHOLDERS,
    Answer,
    Row,
    Tls,
    broken,
    said,
    tls_of,
)
from gxo.stdlib.database._statement import Statement
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._values import Values, bound

_UNSAFE = "it wants to be sent the password, and there is no TLS: sslmode=require asks for that"


class _Connection(aiomysql.Connection):  # type: ignore[misc]
    """aiomysql's, which without TLS would go on where a server has none, and send the password to
    whoever asks for it, or encrypt it for any key that it is sent.
    """

    needs_tls = False

    @property
    def server_public_key(self) -> bytes | None:
        if self._password:
            raise Refused(_UNSAFE)
        return None

    @server_public_key.setter
    def server_public_key(self, key: bytes | None) -> None:
        if key is not None:
            raise Refused(_UNSAFE)

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        if plugin_name == b"mysql_clear_password" and not self._secure:
            raise Refused(_UNSAFE)
        return await super()._process_auth(plugin_name, auth_packet)

    async def _request_authentication(self) -> None:
        if self.needs_tls and not self.server_capabilities & CLIENT.SSL:
            raise Refused("the server has no TLS")
        await super()._request_authentication()


async def connect(ctx: Context, target: Target, read_only: bool) -> "MysqlSession":  # noqa: ARG001
    """Open a session."""
    tls = await ctx.thread(tls_of, ctx, target)
    with _foreign_errors(target):
        connection = await _connected(target, tls)
        session = MysqlSession(connection, target, tls)
        try:
            await session.say("SET time_zone = '+00:00', autocommit = 1")
        except BaseException:
            await session.close()
            raise
    return session


async def _connected(target: Target, tls: Tls) -> Any:
    connection = _Connection(
        host=target.host,
        port=target.port,
        user=target.user,
        password=target.password.encode().decode("latin-1"),  # aiomysql encodes it so: in UTF-8
        db=target.database or None,
        charset="utf8mb4",
        ssl=tls.context,
        autocommit=None,
        client_flag=CLIENT.FOUND_ROWS,  # a row that an UPDATE finds counts, as elsewhere
        connect_timeout=CONNECT,
        program_name="gxo",
    )
    connection.needs_tls = tls.needed
    try:
        await connection._connect()
    except BaseException:
        await _closed(connection)
        raise
    return connection


async def _closed(connection: Any) -> None:
    """Close the socket, and see that it is closed."""
    writer = connection._writer
    if writer is None:
        return
    connection.close()
    try:
        async with asyncio.timeout(GRACE):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


class MysqlSession:
    """A connection with MySQL or MariaDB (see `Session`)."""

    def __init__(self, connection: Any, target: Target, tls: Tls) -> None:
        self._connection = connection
        self._target = target
        self._tls = tls
        self._wire = Wire(connection._reader, connection._writer)
        self._begun = False
        self._busy = False
        self._id = b""
        self._has_rows = False
        self._names: tuple[str, ...] = ()
        self._columns: list[Column] = []
        self._has_cursor = self._is_open = False

    async def say(self, text: str) -> None:
        """Execute a statement of our own that gives no rows."""
        self._busy = True
        self._wire.send(QUERY + text.encode())
        await self._wire.done()
        self._busy = False

    async def prepare(self, statement: Statement) -> None:
        text = statement.marked(lambda _, __: "?")
        with self._talking():
            self._wire.send(PREPARE + text.encode())
            self._id, wanted, self._has_rows = await self._wire.prepared()
        if wanted != len(statement.names):
            raise ParameterError("query: a `?` stands in it", hint=PLACEHOLDERS)
        self._names = statement.names

    async def begin(self, *, read_only: bool = False) -> None:
        with self._talking():
            # Not START TRANSACTION: after a deadlock, what comes behind it would be kept at once.
            await self.say("SET autocommit = 0")
            if read_only:
                await self.say("SET SESSION TRANSACTION READ ONLY")
        self._begun = True

    async def execute(self, values: Values) -> Answer:
        command = self._command(values)
        with self._talking():
            await self._finish_rows()
            self._wire.send(command)
            affected, columns, status = await self._wire.answer(has_rows=self._has_rows)
            if columns is None:
                return Answer(None, affected)
            self._columns = columns
            self._has_cursor, self._is_open = status.has_cursor, True
        return Answer(tuple(column.name for column in columns), 0)

    async def execute_many(self, batch: list[Values]) -> int:
        commands = [self._command(values) for values in batch]
        affected = 0
        refused: Refused | None = None
        with self._talking():
            await self._finish_rows()
            self._wire.send(*commands)
            for _ in commands:
                try:
                    changed, columns, _ = await self._wire.answer(has_rows=self._has_rows)
                    if columns is not None:
                        raise Refused("it gives rows for some records, and none for others")
                    affected += changed
                except Refused as error:
                    refused = refused or error
            if refused is not None:
                raise refused
        return affected

    async def fetch(self, size: int) -> list[Row]:
        rows: list[Row] = []
        with self._talking():
            if self._has_cursor and self._is_open:
                self._wire.send(FETCH + self._id + size.to_bytes(4, "little"))
            while self._is_open and (self._has_cursor or len(rows) < size):
                packet = await self._wire.row()
                if not isinstance(packet, bytes):
                    self._is_open = self._has_cursor and not packet.is_last
                    break
                if len(rows) == size:
                    raise ValueError("there are more rows than were asked for")
                rows.append(read_row(packet, self._columns))
            if not rows and self._is_open:
                self._is_open = False
        return rows

    async def commit(self) -> None:
        with self._talking():
            await self._finish_rows()
            if self._begun:
                await self.say("COMMIT")

    async def close(self) -> None:
        """A server notices late that nobody waits for it any more, so it is told."""
        try:
            async with asyncio.timeout(GRACE):
                if self._busy:
                    await self._kill()
                else:
                    self._wire.send(QUIT)
                    await self._connection._writer.drain()
        except (aiomysql.Error, OSError, TimeoutError, WorkloadError):
            pass
        finally:
            await _closed(self._connection)

    async def _kill(self) -> None:
        other = await _connected(self._target, self._tls)
        try:
            wire = Wire(other._reader, other._writer)
            wire.send(QUERY + f"KILL {self._connection.thread_id()}".encode())
            with suppress(Refused):  # it is over already
                await wire.done()
        finally:
            await _closed(other)

    async def _finish_rows(self) -> None:
        """Take what rows there are still; a cursor ends when its statement is executed again."""
        while self._is_open and not self._has_cursor:
            self._is_open = isinstance(await self._wire.row(), bytes)
        self._is_open = False

    def _command(self, values: Values) -> bytes:
        given = []
        for name, value in zip(self._names, values, strict=True):
            try:
                given.append(bound(value))
            except ValueError as error:
                raise ParameterError(f"query_params.{name}: {error}") from None
        return EXECUTE + self._id + CURSOR + written(given)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Until it has ended well, or by what the server says, the server may be busy."""
        self._busy = True
        with _foreign_errors(self._target):
            try:
                yield
            except Refused:
                self._busy = False
                raise
        self._busy = False


@contextmanager
def _foreign_errors(target: Target) -> Iterator[None]:
    """Raise the errors of aiomysql and of the server as ours."""
    try:
        yield
    except Refused as error:
        raise ModuleError(f"{target.shown}: {error}") from error
    except aiomysql.Error as error:
        if isinstance(error.__cause__, OSError):
            raise broken(target, error.__cause__) from error
        raise ModuleError(f"{target.shown}: {_told(error)}") from error
    except TimeoutError:
        raise
    except EOFError as error:
        raise ModuleError(f"{target.shown}: the connection is lost") from error
    except OSError as error:
        raise broken(target, error) from error
    except _GARBAGE as error:
        raise ModuleError(f"{target.shown}: its answer cannot be read") from error


_GARBAGE = (
    *(ValueError, IndexError, KeyError, TypeError, AttributeError, AssertionError),
    struct.error,
)


def _told(error: Exception) -> str:
    """What the server says, as one line."""
    text = str(error.args[-1]) if error.args else type(error).__name__
    return said(text)
