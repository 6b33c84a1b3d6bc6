"""SQLite, of Python's own library, on a file of the workspace."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.database._session import PLACEHOLDERS, said
from gxo.stdlib.database._target import Target
from gxo.stdlib.database._threaded import ThreadedSession, opened
from gxo.stdlib.database._values import in_base64, number

MEMORY = ("", ":memory:")
LOCKED = 2.0
"""Seconds to wait while somebody else writes."""

_MODES = ("ro", "rw", "rwc")


async def connect(ctx: Context, target: Target, read_only: bool) -> ThreadedSession:
    """Open the file; one that is not there is made."""
    mode = target.options.get("mode", "rwc")
    if mode not in _MODES:
        raise ParameterError(
            f"connection: {mode!r} is no mode of SQLite", hint="there are ro, rw and rwc"
        )
    connection = await opened(ctx, lambda: _connected(ctx, target, "ro" if read_only else mode))
    return ThreadedSession(ctx, connection, target, _Sqlite())


def _connected(ctx: Context, target: Target, mode: str) -> sqlite3.Connection:
    if target.database in MEMORY:
        address = "file::memory:"
    else:
        address = f"file:{quote(_inside(ctx, target.database))}?mode={mode}"
    with _foreign_errors(target):
        connection = sqlite3.connect(
            address, LOCKED, isolation_level=None, check_same_thread=False, uri=True
        )
        connection.set_authorizer(_authorize)
    return connection


def _inside(ctx: Context, path: str) -> str:
    """The absolute path of the file, without links.

    It is found without being opened: closing a file takes the locks from it that another session of
    this process has. A descriptor of its folder would not help: SQLite resolves the links of
    /proc/self/fd too, and opens this path, as it does for the journal whenever it writes. So
    whoever may exchange folders of the workspace at that very moment can lead it elsewhere.
    """
    if ctx.workspace.exists(path):
        return ctx.workspace.resolve(path)
    folder, _, name = path.rpartition("/")
    return os.path.join(ctx.workspace.resolve(folder or "."), name)


def _authorize(action: int, first: str | None, *_: str | None) -> int:
    """No statement opens another file. (VACUUM makes one without a name.)"""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH and first else sqlite3.SQLITE_OK


class _Sqlite:
    def mark(self, place: int, name: str) -> str:  # noqa: ARG002 - of any dialect
        return "?"

    def text(self, text: str) -> str:
        return text

    def begin(self, connection: sqlite3.Connection, read_only: bool) -> None:
        # A writer that has begun to read cannot wait for another one: it takes its turn at once.
        connection.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def plain(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return in_base64(value)
        return number(value) if isinstance(value, float) else value

    def interrupt(self, connection: sqlite3.Connection, cursor: Any) -> None:  # noqa: ARG002
        connection.interrupt()

    def errors(self, target: Target) -> Any:
        return _foreign_errors(target)


@contextmanager
def _foreign_errors(target: Target) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        text = said(str(error))
        if "number of bindings" in text:
            raise ParameterError("query: a `?` stands in it", hint=PLACEHOLDERS) from error
        hint = None
        if text in ("not authorized", "authorization denied"):
            hint = "a statement may use no other file than the connection's"
        elif "is locked" in text:
            hint = "another one writes to it; `retry` tries again"
        raise ModuleError(f"{target.shown}: {text}", hint=hint) from error
    except OverflowError as error:
        raise ParameterError("query_params: SQLite has no integers past 64 bits") from error
    except sqlite3.Warning as error:
        raise ModuleError(f"{target.shown}: {error}") from error
    except ValueError as error:
        raise ParameterError(f"query: {error}") from error
