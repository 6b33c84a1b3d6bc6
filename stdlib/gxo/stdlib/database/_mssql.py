"""SQL Server, by python-tds. No test runs it against a server: there is none to be had there."""

import datetime
import socket
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import pytds  # type: ignore[import-untyped]

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._reasons import reason
from gxo.stdlib.database._session import CONNECT
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._threaded import ThreadedSession, driver_errors, opened, plain

_MODES = ("disable", "verify-ca", "verify-full")


async def connect(ctx: Context, target: Target, read_only: bool) -> ThreadedSession:
    """Open a session."""
    if read_only:
        raise ModuleError(
            f"{target.shown}: SQL Server has no transaction that only reads",
            hint="so a dry run executes nothing there: leave this workload out of it by its `when`",
        )
    dialect = _Mssql()
    connection = await opened(ctx, lambda: _connected(ctx, target, dialect), dialect.hang_up)
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
        reached = socket.create_connection((target.host, target.port), CONNECT)
        dialect.socket = _Socket(reached.detach(), target.shown)
        dialect.socket.settimeout(CONNECT)
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


class _Socket(socket.socket):
    """A connection whose loss is final.

    python-tds would wait until its time to connect is over, and then try the same one again.
    """

    def __init__(self, descriptor: int, shown: str) -> None:
        super().__init__(fileno=descriptor)
        self._shown = shown

    def recv(self, *given: Any) -> bytes:
        with self._final():
            return super().recv(*given)

    def recv_into(self, *given: Any, **named: Any) -> int:
        with self._final():
            return super().recv_into(*given, **named)

    def sendall(self, *given: Any) -> None:
        with self._final():
            super().sendall(*given)

    @contextmanager
    def _final(self) -> Iterator[None]:
        try:
            yield
        except (ConnectionError, TimeoutError) as error:
            raise ModuleError(f"{self._shown}: {reason(error)}") from error


class _Mssql:
    def __init__(self) -> None:
        self.socket: socket.socket | None = None

    def mark(self, place: int, name: str) -> str:  # noqa: ARG002 - of any dialect
        return "%s"

    def text(self, text: str) -> str:
        return text.replace("%", "%%")

    def begin(self, connection: Any, read_only: bool) -> None:  # noqa: ARG002
        connection.autocommit = False

    def plain(self, value: Any) -> Any:
        return plain(value)

    def interrupt(self, connection: Any, cursor: Any) -> None:  # noqa: ARG002
        self.hang_up()  # the server ends what it does for a connection that is lost

    def hang_up(self) -> None:
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def errors(self, target: Target) -> AbstractContextManager[None]:
        return driver_errors(target, pytds.Error)
