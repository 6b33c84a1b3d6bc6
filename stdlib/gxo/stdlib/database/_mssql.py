"""SQL Server, by python-tds. No test runs it against a server: there is none to be had there."""

import datetime
import socket
import ssl
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytds  # type: ignore[import-untyped]

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.database._session import CONNECT
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._threaded import ThreadedSession, driver_errors, plain

_MODES = ("disable", "verify-ca", "verify-full")


async def connect(ctx: Context, target: Target, read_only: bool) -> ThreadedSession:
    """Open a session."""
    if read_only:
        raise ModuleError(
            f"{target.shown}: SQL Server has no transaction that only reads",
            hint="so a dry run executes nothing there: leave this workload out of it by its `when`",
        )
    dialect = _Mssql()
    connection = await ctx.thread(_connected, ctx, target, dialect)
    return ThreadedSession(ctx, connection, target, dialect)


def _connected(ctx: Context, target: Target, dialect: "_Mssql") -> Any:
    mode = target.options.get("sslmode", "verify-full")
    if mode not in _MODES:
        raise ParameterError(
            f"connection: {mode!r} is no sslmode of mssql", hint=f"there are {', '.join(_MODES)}"
        )
    path = target.options.get("sslrootcert")
    trusted = ctx.workspace.resolve(path) if path else ssl.get_default_verify_paths().cafile
    if mode != "disable" and trusted is None:  # with which python-tds would go without TLS
        raise ModuleError(
            f"{target.shown}: this host has no file of certificates to verify the server's with",
            hint="name one by `sslrootcert`, or by SSL_CERT_FILE in the job's environment",
        )
    with dialect.errors(target):
        dialect.socket = socket.create_connection((target.host, target.port), CONNECT)
        try:
            return pytds.connect(
                dsn=target.host,
                sock=dialect.socket,
                user=target.user,
                password=target.password,
                database=target.database or None,
                appname="gxo",
                autocommit=True,
                login_timeout=CONNECT,
                cafile=None if mode == "disable" else trusted,
                validate_host=mode == "verify-full",
                disable_connect_retry=True,
                use_tz=datetime.UTC,
            )
        except BaseException:
            dialect.socket.close()
            raise


class _Mssql:
    socket: socket.socket

    def mark(self, place: int, name: str) -> str:  # noqa: ARG002 - of any dialect
        return "%s"

    def text(self, text: str) -> str:
        return text.replace("%", "%%")

    def begin(self, connection: Any, read_only: bool) -> None:  # noqa: ARG002
        connection.autocommit = False

    def plain(self, value: Any) -> Any:
        return plain(value)

    def interrupt(self, connection: Any, cursor: Any) -> None:  # noqa: ARG002
        with suppress(OSError):  # the server ends what it does for a connection that is lost
            self.socket.shutdown(socket.SHUT_RDWR)

    def errors(self, target: Target) -> AbstractContextManager[None]:
        return driver_errors(target, pytds.Error)
