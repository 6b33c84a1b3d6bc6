"""Oracle, by oracledb. No test runs it against a server: there is none to be had there."""

import decimal
from contextlib import AbstractContextManager, suppress
from typing import Any

import oracledb

from gxo.runtime.context import Context
from gxo.stdlib.database._session import CONNECT, tls_of
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._threaded import ThreadedSession, driver_errors, opened, plain


async def connect(ctx: Context, target: Target, read_only: bool) -> ThreadedSession:  # noqa: ARG001
    """Open a session."""
    dialect = _Oracle()
    connection = await opened(ctx, lambda: _connected(ctx, target, dialect))
    return ThreadedSession(ctx, connection, target, dialect)


def _connected(ctx: Context, target: Target, dialect: "_Oracle") -> Any:
    tls = tls_of(ctx, target).context
    with dialect.errors(target):
        connection = oracledb.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.password,
            service_name=target.database,
            protocol="tcps" if tls is not None else "tcp",
            ssl_context=tls,
            tcp_connect_timeout=CONNECT,
            program="gxo",
        )
    connection.outputtypehandler = _read_as
    return connection


def _read_as(cursor: Any, metadata: Any) -> Any:
    """Numbers with decimals exactly, and large objects as what is in them."""
    match metadata.type_code:
        case oracledb.DB_TYPE_NUMBER if metadata.scale != 0:
            return cursor.var(decimal.Decimal, arraysize=cursor.arraysize)
        case oracledb.DB_TYPE_CLOB:
            return cursor.var(oracledb.DB_TYPE_LONG, arraysize=cursor.arraysize)
        case oracledb.DB_TYPE_BLOB:
            return cursor.var(oracledb.DB_TYPE_LONG_RAW, arraysize=cursor.arraysize)
    return None


class _Oracle:
    def mark(self, place: int, name: str) -> str:  # noqa: ARG002 - of any dialect
        return f":{place + 1}"

    def text(self, text: str) -> str:
        return text

    def begin(self, connection: Any, read_only: bool) -> None:
        if read_only:
            connection.cursor().execute("SET TRANSACTION READ ONLY")

    def plain(self, value: Any) -> Any:
        return plain(value)

    def interrupt(self, connection: Any, cursor: Any) -> None:  # noqa: ARG002
        with suppress(oracledb.Error):
            connection.cancel()

    def errors(self, target: Target) -> AbstractContextManager[None]:
        return driver_errors(target, oracledb.Error)
