"""A command that runs on a host, from its start to its end, which comes whatever happens here."""

import asyncio
import signal
from contextlib import suppress
from typing import NamedTuple

import asyncssh

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.ssh._client import foreign_errors
from gxo.stdlib.ssh._link import GRACE, SshLink
from gxo.stdlib.ssh._shell import Order


class Ended(NamedTuple):
    """What a command left: each output, and whether there was more of it; and how it ended.

    status: negative for a signal's number, as `Popen.returncode` is.
    """

    stdout: tuple[bytes, bool]
    stderr: tuple[bytes, bool]
    status: int


START = 1.0
"""Seconds in which a command surely begins: until then a shell may lose a signal that it hears."""

_Channel = asyncssh.SSHClientChannel[bytes]


class _Kept:
    """The first bytes of an output."""

    def __init__(self, limit: int) -> None:
        self._kept = bytearray()  # and no list: pieces may be of one byte each
        self._limit = limit
        self._cut = False

    def add(self, piece: bytes) -> None:
        room = self._limit - len(self._kept)
        self._kept += piece[:room]
        self._cut = self._cut or len(piece) > room

    def all(self) -> tuple[bytes, bool]:
        """The bytes, and whether there was more."""
        return bytes(self._kept), self._cut


class _Command(asyncssh.SSHClientSession[bytes]):
    """The near end of a command's channel: keeps what it says, and tells when it is over."""

    def __init__(self, limit: int) -> None:
        self.stdout, self.stderr = _Kept(limit), _Kept(limit)
        self.status: int | None = None
        self.lost: Exception | None = None
        self.over = asyncio.Event()
        self.began = asyncio.get_running_loop().time()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        (self.stdout if datatype is None else self.stderr).add(data)

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def exit_signal_received(
        self,
        signal: str,
        core_dumped: bool,  # noqa: ARG002 - asyncssh's
        msg: str,  # noqa: ARG002
        lang: str,  # noqa: ARG002
    ) -> None:
        self.status = -_number(signal)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc
        self.over.set()


def _number(name: str) -> int:
    """A signal by its name in SSH; one that only the host knows counts as SIGKILL."""
    return int(signal.Signals.__members__.get(f"SIG{name}", signal.SIGKILL))


async def run_there(ctx: Context, link: SshLink, order: Order, limit: int) -> Ended:
    """Run a command line with a standard input, and wait for its end. limit: bytes of each output
    that are kept; the rest is read and dropped.

    When that is cancelled, its process group gets TERM, and KILL after `GRACE` seconds; the channel
    is closed in any case.
    """
    command = _Command(limit)
    opening = asyncio.ensure_future(_open(link, order, command))
    try:
        with foreign_errors(link.host, link):
            await asyncio.shield(opening)
        await command.over.wait()
    except BaseException:
        ctx.end_within(3 * GRACE + 1)
        await _end(opening, order, command)
        raise
    if command.status is None:
        what = "was lost" if command.lost else "was closed" if link.is_over else ""
        if not what:
            raise ModuleError(f"{link.host} ended the command without saying how")
        raise ModuleError(
            f"the connection to {link.host} {what} while the command ran",
            hint="what it has done until then is not known; another `ssh:connect` connects again",
        ) from command.lost
    return Ended(command.stdout.all(), command.stderr.all(), command.status)


async def _open(link: SshLink, order: Order, command: _Command) -> _Channel:
    """Start the command and give it its standard input."""
    channel, _ = await link.connection.create_session(
        lambda: command, order.line, encoding=None, request_pty=False
    )
    with suppress(OSError):  # it has ended already
        channel.write(order.given)
        if not order.listens:
            channel.write_eof()
    return channel


async def _end(opening: "asyncio.Future[_Channel]", order: Order, command: _Command) -> None:
    """End a command that has started, or is about to."""
    await asyncio.wait([opening], timeout=GRACE)
    if not opening.done():
        opening.cancel()
        await asyncio.wait([opening])
    if opening.cancelled() or opening.exception() is not None:
        return
    channel = opening.result()
    over = asyncio.ensure_future(command.over.wait())
    age = asyncio.get_running_loop().time() - command.began
    try:
        if order.listens:
            await asyncio.wait([over], timeout=START - age)
        for name in ("TERM", "KILL"):
            if not over.done():
                with suppress(OSError):  # the channel is closed just now
                    if order.listens:
                        channel.write(f"{name}\n".encode())
                    else:
                        channel.send_signal(name)
                await asyncio.wait([over], timeout=GRACE)
    finally:
        over.cancel()
        await asyncio.wait([over])
        channel.abort()
