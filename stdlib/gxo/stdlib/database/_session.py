"""What `database:query` asks of a database, whichever it is, and how a session is opened."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._reasons import reason
from gxo.stdlib.database._statement import Statement
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._values import Values

CONNECT = 30.0
"""Seconds that connecting may take."""

GRACE = 4.0
"""Seconds that a server may take to end a statement, or to hear that the session is over."""

_TURNS = 5
"""Of the event loop, in which drivers close a socket of which nothing came."""

_LONGEST = 500

Row = tuple[Any, ...]


class Answer(NamedTuple):
    """What a statement gave: the columns of its rows, or None, and how many rows it changed."""

    columns: tuple[str, ...] | None
    affected: int


def said(text: str) -> str:
    """What a database says, as messages show it: in one line, and not all of a long one."""
    return "".join(one if one.isprintable() else " " for one in text)[:_LONGEST]


class Session(Protocol):
    """A connection that executes one statement, once or often.

    Errors of the driver are ModuleErrors. A call that is cancelled leaves the session fit for
    nothing but `close`, which then also ends the statement on the server. What was begun and not
    committed is undone by `close`.
    """

    async def prepare(self, statement: Statement) -> None:
        """Tell the database the statement."""

    async def begin(self, *, read_only: bool = False) -> None:
        """Begin a transaction."""

    async def execute(self, values: Values) -> Answer:
        """Execute the statement. Its rows are fetched before it is executed again."""

    async def execute_many(self, batch: list[Values]) -> int:
        """Execute a statement that gives no rows with each of the values. How many it changed."""

    async def fetch(self, size: int) -> list[Row]:
        """The next rows; none at their end."""

    async def commit(self) -> None:
        """Keep what was done."""

    async def close(self) -> None:
        """End the session, and whatever it does still."""


Connect = Callable[[Context, Target, bool], Awaitable[Session]]


async def open_session(ctx: Context, target: Target, *, read_only: bool) -> Session:
    """Connect. ModuleError when that fails, or takes too long. read_only: of SQLite, open it so."""
    connect = await ctx.thread(_connector, target)
    try:
        async with asyncio.timeout(CONNECT):
            return await connect(ctx, target, read_only)
    except BaseException as error:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if isinstance(error, TimeoutError):
            message = f"cannot connect to {target.shown} within {CONNECT:g} s"
            raise ModuleError(message) from None
        raise


def _connector(target: Target) -> Connect:
    """What connects to that kind of database. Its driver is loaded, which takes a while."""
    match target.kind:
        case "postgresql":
            from gxo.stdlib.database import _postgresql

            return _postgresql.connect
        case "mysql":
            from gxo.stdlib.database import _mysql

            return _mysql.connect
        case "sqlite":
            from gxo.stdlib.database import _sqlite

            return _sqlite.connect
        case "mssql":
            from gxo.stdlib.database import _mssql

            return _mssql.connect
        case "oracle":
            from gxo.stdlib.database import _oracle

            return _oracle.connect


PLACEHOLDERS = "placeholders are :name, or :1 and so on"
"""What to do about the marks of others in a query."""


def broken(target: Target, error: OSError) -> ModuleError:
    """The error of a connection that could not be made, or is lost."""
    hint = None
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "check the host and who has signed its certificate; `sslrootcert` names others"
    return ModuleError(f"{target.shown}: {reason(error)}", hint=hint)


class Tls(NamedTuple):
    """How the connection is secured. context: None for not at all; needed: else it goes without."""

    context: ssl.SSLContext | None
    needed: bool


def tls_of(ctx: Context, target: Target) -> Tls:
    """What `sslmode` and `sslrootcert` ask for, in the words of PostgreSQL. Blocks: reads files."""
    mode = target.options.get("sslmode", "disable" if target.kind == "oracle" else "prefer")
    path = target.options.get("sslrootcert")
    if mode not in ("disable", "prefer", "require", "verify-ca", "verify-full"):
        hint = "there are disable, prefer, require, verify-ca and verify-full"
        raise ParameterError(f"connection: {mode!r} is no sslmode", hint=hint)
    if mode == "disable":
        return Tls(None, needed=False)
    ca = ctx.workspace.read(path, 1024 * 1024).decode("ascii", "replace") if path else None
    try:
        context = ssl.create_default_context(cadata=ca)
    except ssl.SSLError:
        raise ParameterError(f"connection: {path} holds no certificate that can be read") from None
    context.check_hostname = mode == "verify-full"
    if mode in ("prefer", "require") and ca is None:
        context.verify_mode = ssl.CERT_NONE
    return Tls(context, needed=mode != "prefer")
