"""Hosts that fail, lie or babble: asyncssh's own server, and a peer that sends garbage."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from gxo.runtime.errors import ModuleError, SecurityError
from gxo.stdlib.ssh import _session
from tests.stdlib.harness import run
from tests.stdlib.ssh.fuzzed import babble, babble_of_files
from tests.stdlib.ssh.jobs import Caller, job
from tests.stdlib.ssh.server import Scripted, Served, playing, serving


class Lying(asyncssh.SFTPServer):
    """Says that the folder `tree` holds what `listing` says; every file holds `x`."""

    listing: list[tuple[bytes, int]] = []

    async def scandir(self, path: bytes) -> Any:
        if path.endswith(b"tree"):
            for name, mode in self.listing:
                yield asyncssh.SFTPName(name, b"", asyncssh.SFTPAttrs(permissions=mode))

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(
            permissions=0o40755 if path.endswith((b"tree", b"d")) else 0o100644
        )

    lstat = stat

    def readlink(self, path: bytes) -> bytes:
        return b"../other"

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        from io import BytesIO

        return BytesIO(b"x")


def fetched(folder: Path, listing: list[tuple[bytes, int]], **params: Any) -> Any:
    sftp = type("Listing", (Lying,), {"listing": listing})

    async def play() -> Any:
        async with job(folder) as call, serving(sftp_factory=sftp) as server:
            return await call(
                "ssh:download",
                connection_id=await call.connect(server.login),
                source="tree",
                destination="copy",
                recursive=True,
                **params,
            )

    return run(play())


FILE, FOLDER, LINK = 0o100644, 0o40755, 0o120777


@pytest.mark.parametrize(
    "name", [b"../out", b"/etc/out", b"a/b", b"..", b"", b"d/../../out", b"a\0b", b"."]
)
@pytest.mark.parametrize("mode", [FILE, FOLDER, LINK])
def test_names_that_lead_out(name: bytes, mode: int, tmp_path: Path) -> None:
    ours = tmp_path / "ws"
    ours.mkdir()
    if name in (b"..", b"."):  # as every folder says
        assert fetched(ours, [(name, mode), (b"a", FILE)]) == {"bytes": 1, "files": 1}
    else:
        with pytest.raises(SecurityError, match="which is no name"):
            fetched(ours, [(name, mode)])
    assert [path.name for path in tmp_path.iterdir()] == ["ws"]
    assert [path.name for path in ours.iterdir()] == ["copy"]


def test_a_name_for_a_link_and_what_would_go_through_it(tmp_path: Path) -> None:
    """Not in one listing, and not in a second one when the first has left a link."""
    (tmp_path / "other").mkdir()
    with pytest.raises(ModuleError, match="cannot link 'copy/d'"):
        fetched(tmp_path, [(b"d", LINK), (b"d", FOLDER)])
    (tmp_path / "copy" / "d").rmdir()
    fetched(tmp_path, [(b"d", LINK), (b"f", LINK)])
    assert (tmp_path / "copy" / "d").is_symlink()
    fetched(tmp_path, [(b"d", FOLDER), (b"f", FILE)])
    assert (tmp_path / "copy" / "d").is_dir() and not (tmp_path / "copy" / "d").is_symlink()
    assert (tmp_path / "copy" / "f").read_text() == "x"
    assert list((tmp_path / "other").iterdir()) == []


def test_strange_names_and_kinds(tmp_path: Path) -> None:
    names = [b"new\nline", b"\xff\xfe", b"-rf", b"\x1b[2J", b"x" * 255]
    fetched(tmp_path, [(name, FILE) for name in names])
    assert sorted(os.listdir(os.fsencode(tmp_path / "copy"))) == sorted(names)
    for mode, says in ((0o60600, "neither a file"), (0, "neither a file")):
        with pytest.raises(ModuleError, match=says):
            fetched(tmp_path, [(b"device", mode)])
    for mode in (FILE, FOLDER, LINK):
        with pytest.raises(ModuleError, match="file name too long"):
            fetched(tmp_path, [(b"x" * 256, mode)])
    with pytest.raises(ModuleError, match="names more than 100 files"):
        fetched(tmp_path, [(b"same", FOLDER)] * 101, max_files=100)


def test_all_files_together_are_limited(tmp_path: Path) -> None:
    files = [(b"a", FILE), (b"b", FILE), (b"c", FILE)]
    assert fetched(tmp_path, files, max_bytes=3) == {"bytes": 3, "files": 3}
    with pytest.raises(ModuleError, match=r"sends more than 2 bytes \(max_bytes\)"):
        fetched(tmp_path, files, max_bytes=2)


def test_a_link_that_says_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links are kept until all else is there, so each is refused when it is read."""
    monkeypatch.setattr(Lying, "readlink", lambda *_: b"x" * 4096)
    with pytest.raises(ModuleError, match=r"cannot read the link 'tree/l' .*: file name too long"):
        fetched(tmp_path, [(b"l", LINK)])


@asynccontextmanager
async def hanging(folder: Path) -> AsyncIterator[tuple[Caller, Served, str, asyncio.Task[Any]]]:
    """A job and its host, the handle of a connection, and a command that runs there for ever."""
    begun = asyncio.Event()

    async def hang(process: Any) -> None:
        begun.set()
        await process.stdin.read()
        await process.stdin.channel.wait_closed()

    async with job(folder) as call, serving(hang) as server:
        handle = await call.connect(server.login)
        working = asyncio.ensure_future(call("ssh:command", connection_id=handle, command="true"))
        await begun.wait()
        yield call, server, handle, working


def test_the_connection_is_lost_during_a_command(tmp_path: Path) -> None:
    async def play() -> None:
        async with hanging(tmp_path) as (call, server, handle, working):
            server.connections[-1].abort()
            says = r"^the connection to 127\.0\.0\.1:\d+ was lost while the command ran$"
            with pytest.raises(ModuleError, match=says):
                await working
            for module, params in (
                ("command", {"command": "true"}),
                ("upload", {"source": "a", "destination": "b"}),
                ("download", {"source": "a", "destination": "b"}),
            ):
                (tmp_path / "a").write_text("x")
                with pytest.raises(ModuleError, match=r"^the connection to .* is lost$"):
                    await call(f"ssh:{module}", connection_id=handle, **params)
            await call("connection:close", connection_id=handle)

    run(play())


def test_it_is_closed_during_a_command(tmp_path: Path) -> None:
    async def play() -> None:
        async with hanging(tmp_path) as (call, _, handle, working):
            await call("connection:close", connection_id=handle)
            with pytest.raises(ModuleError, match="was closed while the command ran"):
                await working
            with pytest.raises(ModuleError, match="is closed already"):
                await call("ssh:command", connection_id=handle, command="true")

    run(play())


def test_signals_of_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a host is asked to do with the command of somebody who is not root."""
    monkeypatch.setattr(_session, "GRACE", 0.05)
    got: list[str] = []
    over = asyncio.Event()

    class Deaf(asyncssh.SSHServerSession[bytes]):
        def exec_requested(self, command: str) -> bool:
            got.append(command)
            return True

        def signal_received(self, signal: str) -> None:
            got.append(signal)

        def connection_lost(self, exc: Exception | None) -> None:
            over.set()

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return False

        def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
            return Deaf()

    async def play() -> None:
        async with job(tmp_path) as call, serving(server=Server) as server:
            handle = await call.connect(server.login)
            with pytest.raises(ModuleError, match=r"has not ended within 0\.1 s"):
                await call("ssh:command", connection_id=handle, command="plain", timeout=0.1)
            async with asyncio.timeout(5):
                await over.wait()

    run(play())
    assert got == ["plain", "TERM", "KILL"]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (lambda process: process.exit_with_signal("TERM"), "was ended by SIGTERM"),
        (lambda process: process.exit_with_signal("ODD"), "was ended by SIGKILL"),
        (lambda process: process.close(), "ended the command without saying how"),
    ],
)
def test_how_a_command_ends(how: Any, says: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with job(tmp_path) as call, serving(how) as server:
            handle = await call.connect(server.login)
            with pytest.raises(ModuleError, match=says):
                await call("ssh:command", connection_id=handle, command="true")

    run(play())


def test_nobody_else_reads_or_makes_what_is_uploaded(tmp_path: Path) -> None:
    """Before it is whole and has its permissions."""
    (tmp_path / "a").write_text("x")
    opened: list[tuple[int, int | None]] = []

    class Watching(asyncssh.SFTPServer):
        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            opened.append((pflags & asyncssh.FXF_EXCL, attrs.permissions))
            return super().open(path, pflags, attrs)

    async def play() -> None:
        async with job(tmp_path) as call, serving(sftp_factory=Watching) as server:
            handle = await call.connect(server.login)
            there = f"{tmp_path}/b"
            await call("ssh:upload", connection_id=handle, source="a", destination=there)

    run(play())
    assert opened == [(asyncssh.FXF_EXCL, 0o600)]
    assert (tmp_path / "b").read_text() == "x"


def test_no_sftp(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")

    async def play() -> None:
        async with job(tmp_path) as call, serving(lambda process: process.exit(0)) as server:
            handle = await call.connect(server.login)
            with pytest.raises(ModuleError, match=r"^127\.0\.0\.1:\d+ has no SFTP: "):
                await call("ssh:upload", connection_id=handle, source="a", destination="b")

    run(play())


@pytest.mark.parametrize("replies", [[], [b"\0\0\0\1\7"]])
def test_sftp_that_does_not_begin(replies: list[bytes], tmp_path: Path) -> None:
    """Its channel is closed, as a host allows only some at a time."""
    (tmp_path / "a").write_text("x")

    async def play() -> None:
        host = Scripted(replies, goes=False)
        async with job(tmp_path) as call, serving(server=playing(lambda: host)) as server:
            handle = await call.connect(server.login)
            working = asyncio.ensure_future(
                call("ssh:upload", connection_id=handle, source="a", destination="b")
            )
            async with asyncio.timeout(5):
                await host.heard.wait()
                if not replies:
                    working.cancel()
                await asyncio.wait([working])
                await host.over.wait()
            assert working.cancelled() or "has no SFTP" in str(working.exception())

    run(play())


@pytest.mark.parametrize("part", range(4))
def test_garbage_instead_of_ssh(part: int, tmp_path: Path) -> None:
    """One clear error for each, and nothing left open; tests/proof has 200 of them."""
    for seed in range(part, 12, 4):
        run(babble(tmp_path, seed))


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("module", ["upload", "download"])
def test_garbage_instead_of_sftp(module: str, part: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    for seed in range(part, 12, 4):
        run(babble_of_files(tmp_path, module, seed))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
