"""Files on a host, by SFTP: names are bytes, and errors say what was done to which of them."""

import asyncio
import errno
import os
import posixpath
import stat
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeVar, cast

import asyncssh
from asyncssh.sftp import start_sftp_client

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, SecurityError, WorkloadError
from gxo.stdlib.ssh._client import foreign_errors, is_lost, said
from gxo.stdlib.ssh._link import GRACE, SshLink

T = TypeVar("T")

PIECE = 1024 * 1024
"""Bytes of a file that are on their way at a time."""

BLOCK = 32 * 1024
"""Bytes that each server takes or gives in a message (draft-ietf-secsh-filexfer-02, section 3)."""

LONGEST_NAME, LONGEST_PATH = 255, 4095
"""Bytes of a name, and of what a link says (NAME_MAX and PATH_MAX of Linux)."""

_Session = tuple[asyncssh.SSHWriter[bytes], asyncssh.SSHReader[bytes], asyncssh.SSHReader[bytes]]

_VERSION = 3
"""Of SFTP: what OpenSSH speaks."""

_REASONS: dict[type[asyncssh.SFTPError], str] = {
    asyncssh.SFTPNoSuchFile: "no such file or directory",
    asyncssh.SFTPPermissionDenied: "permission denied",
}

_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, BrokenPipeError)


class Files:
    """The files of a host. host: what messages call it."""

    def __init__(self, ctx: Context, link: SshLink, client: asyncssh.SFTPClient) -> None:
        self.host = link.host
        self._link = link
        self._ctx = ctx
        self._client = client

    async def kind(self, path: bytes) -> int | None:
        """Type and permissions of what a path leads to; None when nothing is there."""
        with self._doing("read", path):
            try:
                return _mode(await self._client.stat(path))
            except asyncssh.SFTPNoSuchFile:
                return None

    async def entries(self, path: bytes) -> AsyncIterator[tuple[bytes, int]]:
        """Name, type and permissions of what is in a folder.

        SecurityError for a name that would lead out of it.
        """
        listing = self._client.scandir(path)
        while True:
            with self._doing("list", path):
                entry = await anext(listing, None)
                if entry is None:
                    return
                name = _short(os.fsencode(entry.filename), LONGEST_NAME)
            if name in (b".", b".."):
                continue
            if not name or b"/" in name or b"\0" in name:
                raise SecurityError(
                    f"{self.host} says that {_shown(path)} holds {_shown(name)}, which is no name"
                )
            yield name, _mode(entry.attrs) or 0

    async def target(self, path: bytes) -> bytes:
        """What a link says."""
        with self._doing("read the link", path):
            return _short(await self._client.readlink(path), LONGEST_PATH)

    async def pieces(self, path: bytes) -> AsyncIterator[bytes]:
        """The bytes of a file."""
        with self._doing("read", path):
            file = await self._client.open(path, asyncssh.FXF_READ, encoding=None, block_size=0)
        offset, blocks = 0, 1
        while True:
            with self._doing("read", path):
                piece = await _read(file, offset, blocks)
            if not piece:
                break
            yield piece
            offset += len(piece)
            blocks = min(2 * blocks, PIECE // BLOCK)
        with self._doing("read", path):
            await file.close()

    async def put(self, path: bytes, pieces: AsyncIterator[bytes], bits: int) -> None:
        """Replace a file, as a whole or not at all."""
        temporary = posixpath.join(posixpath.dirname(path), _new_name())
        try:
            with self._doing("write", path):
                flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL
                private = asyncssh.SFTPAttrs(permissions=0o600)
                file = await self._client.open(
                    temporary, flags, private, encoding=None, block_size=0
                )
            offset = 0
            async for piece in pieces:
                with self._doing("write", path):
                    await _write(file, offset, piece)
                offset += len(piece)
            with self._doing("write", path):
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()
                await file.setstat(asyncssh.SFTPAttrs(permissions=bits))
                await file.close()
                await self._replace(temporary, path)
        except BaseException:
            await self._forget(temporary)
            raise

    async def link(self, path: bytes, target: bytes) -> None:
        """Make a symbolic link, or replace what is no folder."""
        temporary = posixpath.join(posixpath.dirname(path), _new_name())
        try:
            with self._doing("link", path):
                await self._client.symlink(target, temporary)
                await self._replace(temporary, path)
        except BaseException:
            await self._forget(temporary)
            raise

    async def have_folder(self, path: bytes) -> None:
        """Make a folder and its parents; fine when it is there."""
        with self._doing("create the folder", path):
            await self._client.makedirs(path, exist_ok=True)

    async def set_mode(self, path: bytes, bits: int) -> None:
        with self._doing("change the mode of", path):
            await self._client.setstat(path, asyncssh.SFTPAttrs(permissions=bits))

    async def _replace(self, temporary: bytes, path: bytes) -> None:
        try:
            await self._client.posix_rename(temporary, path)
        except asyncssh.SFTPOpUnsupported:  # then only what is not there can be written
            await self._client.rename(temporary, path)

    async def _forget(self, temporary: bytes) -> None:
        self._ctx.end_within(GRACE + 1)
        with suppress(asyncssh.Error, OSError):  # and its time
            async with asyncio.timeout(GRACE):
                await self._client.remove(temporary)

    @contextmanager
    def _doing(self, verb: str, path: bytes) -> Iterator[None]:
        what = f"cannot {verb} {_shown(path)} on {self.host}"
        try:
            yield
        except WorkloadError:
            raise
        except Exception as error:
            if is_lost(self._link, error) or isinstance(error, _LOST):
                reason = "the connection was lost"
            elif isinstance(error, asyncssh.SFTPError):
                reason = _REASONS.get(type(error)) or said(error.reason or error).lower()
            elif isinstance(error, OSError) and error.strerror:
                reason = error.strerror.lower()
            else:  # an answer that asyncssh stumbles over
                reason = f"it breaks the rules of SFTP: {said(error)}"
            raise ModuleError(f"{what}: {reason}") from error


@asynccontextmanager
async def files_of(ctx: Context, link: SshLink) -> AsyncIterator[Files]:
    """The files of the host, over a channel of its own. ModuleError when it has no SFTP."""
    session = link.connection.open_session(subsystem="sftp", encoding=None)
    opening = asyncio.ensure_future(session)
    try:
        client = await _client(link, opening)
        try:
            yield Files(ctx, link, client)
        finally:
            client.exit()
            ctx.end_within(GRACE + 1)  # a host that is silent is waited for
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await client.wait_closed()
    finally:
        await _leave(ctx, opening)


async def _client(link: SshLink, opening: "asyncio.Future[_Session]") -> asyncssh.SFTPClient:
    """What speaks SFTP over a channel that is being opened."""
    with foreign_errors(link.host, link):
        try:
            writer, reader, _ = await asyncio.shield(opening)
            # As asyncssh's own method does it, which keeps the channel open when it is cancelled.
            loop = asyncio.get_running_loop()
            return await start_sftp_client(
                link.connection, loop, "strict", reader, writer, None, "strict", _VERSION
            )
        except (asyncssh.ChannelOpenError, asyncssh.SFTPError) as error:
            if is_lost(link, error):
                raise
            message = f"{link.host} has no SFTP: {said(error.reason)}"
            hint = "sshd has it by `Subsystem sftp internal-sftp`"
            raise ModuleError(message, hint=hint) from error


async def _leave(ctx: Context, opening: "asyncio.Future[_Session]") -> None:
    """Close the channel in any case: a host allows only some at a time."""
    if not opening.done():
        ctx.end_within(GRACE + 1)
        await asyncio.wait([opening], timeout=GRACE)
    if not opening.done():
        opening.cancel()
        await asyncio.wait([opening])
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].channel.abort()


# asyncssh has parallel requests of its own, but forgets those that fail besides the first one, and
# asyncio tells that with a traceback.


async def _read(file: asyncssh.SFTPClientFile, offset: int, blocks: int) -> bytes:
    """The bytes from there on, as many as so many messages give; none at the end."""
    places = range(offset, offset + blocks * BLOCK, BLOCK)
    read: list[bytes] = []
    for block in await _all(file.read(BLOCK, place) for place in places):
        read.append(cast("bytes", block))  # as it was opened without an encoding
        if len(block) < BLOCK:  # what follows does not follow that
            break
    return b"".join(read)


async def _write(file: asyncssh.SFTPClientFile, offset: int, piece: bytes) -> None:
    blocks = (piece[start : start + BLOCK] for start in range(0, len(piece), BLOCK))
    await _all(file.write(block, offset + n * BLOCK) for n, block in enumerate(blocks))


async def _all(requests: Iterable[Awaitable[T]]) -> list[T]:
    """The answers to requests that are made at the same time; the first error if there is one."""
    answers: list[T] = []
    for answer in await asyncio.gather(*requests, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer
        answers.append(answer)
    return answers


def remote_path(name: str, path: str) -> bytes:
    """The bytes of a path on a host. ParameterError for what can be none."""
    if not path or "\0" in path:
        what = "is empty" if not path else "holds a NUL character"
        raise ParameterError(f"`{name}` {what}", hint="give a path on the host")
    try:
        return path.rstrip("/").encode("utf-8", "surrogateescape") or b"/"
    except UnicodeEncodeError:
        raise ParameterError(f"`{name}` holds a lone surrogate, which is no text") from None


def _short(text: bytes, most: int) -> bytes:
    """What a host says, unless it is longer than a file system takes: much of it may be kept."""
    if len(text) > most:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return text


def _mode(attrs: asyncssh.SFTPAttrs) -> int | None:
    mode = attrs.permissions
    return mode if mode is not None and stat.S_IFMT(mode) else 0


def _new_name() -> bytes:
    return f".gxo-{os.urandom(8).hex()}.tmp".encode()


def _shown(path: bytes) -> str:
    """A path for a message; all of it, or nothing, as a part of a secret could not be redacted."""
    text = path.decode(errors="backslashreplace")
    shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return f"'{shown}'" if len(shown) <= 200 else f"a path of {len(path)} bytes"
