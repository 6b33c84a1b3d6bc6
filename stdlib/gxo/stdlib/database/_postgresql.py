"""PostgreSQL, by asyncpg. It is imported, in a thread, when a job first asks such a database.

Values go both ways as text, so that it is the server that reads and writes them, whatever type they
have: `2026-01-02 03:04:05+01` for a timestamp, `12.3400` for a numeric.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.data._json import decode
from gxo.stdlib.database._session import (
    CONNECT,
    GRACE,
    PLACEHOLDERS,
    Answer,
    Row,
    broken,
    said,
    tls_of,
)
from gxo.stdlib.database._statement import Statement
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._values import Values, as_bytes, as_json, in_base64, number

_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
"""How the server writes values, whatever a database or a role has of its own."""
_STANDARD = re.compile(r"\bstd(?:in|out)\b", re.I)
_COUNTED = frozenset(["insert", "update", "delete", "with"])


def _instant(text: str) -> str:
    """RFC 3339 of what the server writes: 2026-01-02 03:04:05.6+00. What has none is left."""
    if len(text) < 19 or not text[0].isdigit() or text.endswith("BC"):
        return text
    return text.replace(" ", "T", 1).replace("+00", "Z")


def _float(text: str) -> float | str:
    return number(float(text))


_DECODERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), int),
    **dict.fromkeys(("float4", "float8"), _float),
    "bool": lambda text: text == "t",
    "timestamptz": _instant,
    "timestamp": _instant,
    "bytea": lambda text: in_base64(bytes.fromhex(text[2:])),
    "json": decode,
    "jsonb": decode,
}
_AS_WRITTEN = (
    *("numeric", "money", "date", "time", "timetz", "interval", "uuid", "xml", "bit", "varbit"),
    *("inet", "cidr", "macaddr", "macaddr8", "tsvector", "tsquery", "jsonpath", "pg_lsn", "tid"),
    *("point", "line", "lseg", "box", "path", "polygon", "circle", "xid", "cid", "regclass"),
)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's, which leaves the socket open where a server has not said its version."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *args: Any) -> None:
        try:
            super().__init__(protocol, transport, *args)
        except BaseException:
            transport.abort()
            raise


async def connect(ctx: Context, target: Target, read_only: bool) -> "PostgresSession":  # noqa: ARG001
    """Open a session."""
    tls = await ctx.thread(tls_of, ctx, target)
    with _foreign_errors(target):
        try:
            connection = await _connected(target, tls.context or False)
        except ConnectionError:
            if tls.needed or tls.context is None:
                raise
            connection = await _connected(target, False)
        session = PostgresSession(connection, target)
        try:
            for name in (*_DECODERS, *_AS_WRITTEN):
                decoder = _DECODERS.get(name, str)
                await connection.set_type_codec(
                    name, schema="pg_catalog", encoder=str, decoder=decoder, format="text"
                )
        except BaseException:
            await session.close()
            raise
    return session


async def _connected(target: Target, tls: ssl.SSLContext | bool) -> Any:
    """A connection. What is given here is not looked for in the environment or the home folder."""
    application = target.options.get("application_name", "gxo")
    return await asyncpg.connect(
        host=target.host,
        port=target.port,
        user=target.user,
        password=target.password,
        database=target.database or target.user,
        ssl=tls,
        direct_tls=False,
        target_session_attrs="any",
        statement_cache_size=0,
        timeout=CONNECT,
        server_settings={**_SETTINGS, "application_name": application},
        connection_class=_Connection,
    )


class PostgresSession:
    """A connection with PostgreSQL (see `Session`)."""

    def __init__(self, connection: Any, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._transaction: Any = None
        self._cursor: Any = None
        self._text = ""

    async def prepare(self, statement: Statement) -> None:
        numbers: dict[str, int] = {}
        for name in statement.names:
            numbers.setdefault(name, len(numbers) + 1)
        self._first = [statement.names.index(name) for name in numbers]
        self._names = tuple(numbers)
        self._verb = statement.verb
        self._text = statement.marked(lambda _, name: f"${numbers[name]}")
        if self._verb == "copy" and _STANDARD.search(self._text):
            raise ParameterError(
                "query: COPY from STDIN or to STDOUT carries no records",
                hint="SELECT sends them, and INSERT with `stream_inputs` takes them",
            )
        with self._errors(PLACEHOLDERS if "?" in self._text else None):
            self._statement = await self._connection.prepare(self._text)
        self._kinds = [one.name for one in self._statement.get_parameters()]
        if len(self._kinds) != len(numbers):
            raise ParameterError("query: a `$1` or the like stands in it", hint=PLACEHOLDERS)
        columns = self._statement.get_attributes()
        self._columns = tuple(one.name for one in columns) if columns else None
        self._counted: Any = None

    async def begin(self, *, read_only: bool = False) -> None:
        with self._errors():
            self._transaction = self._connection.transaction(readonly=read_only)
            await self._transaction.start()

    async def execute(self, values: Values) -> Answer:
        given = self._given(values)
        with self._errors():
            if self._columns is not None:
                if self._transaction is None:
                    await self.begin()
                self._cursor = await self._statement.cursor(*given)
                return Answer(self._columns, 0)
            await self._statement.fetch(*given)
        return Answer(None, _affected(self._statement.get_statusmsg()))

    async def execute_many(self, batch: list[Values]) -> int:
        rows = [self._given(values) for values in batch]
        with self._errors():
            counted = await self._counting()
            if counted is not None:
                return len(await counted.fetchmany(rows))
            affected = 0
            for row in rows:
                await self._statement.fetch(*row)
                affected += _affected(self._statement.get_statusmsg())
        return affected

    async def _counting(self) -> Any:
        """The statement so that it tells of each row that it has changed: asyncpg counts none when
        it executes a batch. None where it cannot be written so."""
        if self._counted is None:
            self._counted = False
            if self._verb in _COUNTED:
                text = f"{self._text.rstrip().rstrip(';')}\nRETURNING 1"
                try:
                    # In a transaction of its own: what fails would end the one that it is in.
                    async with self._connection.transaction():
                        self._counted = await self._connection.prepare(text)
                except asyncpg.PostgresError:
                    pass
        return self._counted or None

    async def fetch(self, size: int) -> list[Row]:
        with self._errors():
            rows = await self._cursor.fetch(size)
        return list(map(tuple, rows))

    async def commit(self) -> None:
        if self._transaction is not None:
            with self._errors():
                await self._transaction.commit()

    async def close(self) -> None:
        """asyncpg has asked the server to end what was cancelled, and waits until it has."""
        try:
            await self._connection.close(timeout=GRACE)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            self._connection.terminate()
        except BaseException:
            self._connection.terminate()
            raise

    def _given(self, values: Values) -> list[Any]:
        given = []
        for name, at, kind in zip(self._names, self._first, self._kinds, strict=True):
            try:
                is_array = kind.endswith("[]")
                given.append(_array(values[at], kind) if is_array else _written(values[at]))
            except ValueError as error:
                raise ParameterError(f"query_params.{name}: {error}") from None
        return given

    def _errors(self, syntax: str | None = None) -> AbstractContextManager[None]:
        return _foreign_errors(self._target, syntax)


def _array(value: Any, kind: str) -> Any:
    """A list as asyncpg takes it: of texts, or of lists of them for an array of several levels."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError(f"PostgreSQL wants a list there, of the type {kind}")
    is_deep = kind not in ("json[]", "jsonb[]")
    return [
        _array(one, kind) if is_deep and isinstance(one, list) else _written(one) for one in value
    ]


def _written(value: Any) -> Any:
    """A value as the text that the server reads."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        written = number(value)
        if isinstance(written, str):
            return written
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (list, dict)):
        data = as_bytes(value)
        return as_json(value) if data is None else "\\x" + data.hex()
    raise ValueError(f"a {type(value).__name__} is no value for a database")


def _affected(status: str) -> int:
    """How many rows a command's tag tells of, as in `INSERT 0 5`."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdecimal() else 0


@contextmanager
def _foreign_errors(target: Target, syntax: str | None = None) -> Iterator[None]:
    """Raise asyncpg's errors as ours. syntax: what to do about a statement that is none."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        told = _told(error)
        hint = "cast it to text" if told.startswith("cannot decode") else None
        if isinstance(error, asyncpg.PostgresSyntaxError | asyncpg.UndefinedFunctionError):
            hint = syntax
        raise ModuleError(
            f"{target.shown}: {told}", hint=getattr(error, "hint", None) or hint
        ) from error
    except TimeoutError:
        raise
    except OSError as error:
        raise broken(target, error) from error
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, BufferError) as error:
        raise ModuleError(f"{target.shown}: its answer cannot be read") from error


def _told(error: Exception) -> str:
    """The first line of what the server says, and details that it gives besides."""
    parts = [str(error).partition("\n")[0], getattr(error, "detail", None) or ""]
    return said("; ".join(part for part in parts if part))
