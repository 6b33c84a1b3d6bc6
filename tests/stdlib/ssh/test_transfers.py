"""Files to a real host and from it."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.context import Context
from gxo.runtime.errors import GxoError, ModuleError, SecurityError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.ssh._link import GRACE
from tests.services.openssh import SshServer
from tests.stdlib.harness import run
from tests.stdlib.ssh.jobs import job, login


def called(sshd: SshServer, folder: Path, module: str, **params: Any) -> Any:
    async def play() -> Any:
        async with job(folder) as call:
            return await call(module, connection_id=await call.connect(login(sshd)), **params)

    return run(play())


NAMES = [
    b"plain",
    b"two words",
    b"new\nline",
    b"-rf",
    b"~",
    b"\xff\xfe",
    "ü".encode(),
    b"a'b\"c",
    b"*",
]


def lay_out(folder: Path) -> None:
    """Files with all kinds of names and modes, in folders and among links."""
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(folder), b"deep", name)
        with open(path, "wb") as file:
            file.write(name * number)
        os.chmod(path, 0o600 + number)
    (folder / "deep" / "er" / "big").write_bytes(bytes(range(256)) * 12_000)
    (folder / "deep" / "er").chmod(0o750)
    (folder / "sealed").mkdir()
    (folder / "sealed" / "inside").write_text("x")
    (folder / "sealed").chmod(0o500)
    (folder / "empty").mkdir(mode=0o700)
    (folder / "everybody").mkdir()
    (folder / "everybody").chmod(0o1777)
    (folder / "link").symlink_to("deep/plain")
    (folder / "deep" / "up").symlink_to("../sealed/inside")
    (folder / "dangling").symlink_to("nothing")


def seen(folder: Path) -> dict[bytes, Any]:
    """All there is in a folder: modes, contents, targets."""
    found: dict[bytes, Any] = {}
    root = os.fsencode(folder)
    for parent, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(parent, name)
            mode, content = os.lstat(path).st_mode, None
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, root)] = (mode, content)
    return found


def test_a_tree_there_and_back(sshd: SshServer, tmp_path: Path) -> None:
    """Twice: what is there already is replaced."""
    ours, there = tmp_path / "ws", tmp_path / "there" / "deep" / "tree"
    (ours / "tree").mkdir(parents=True)
    lay_out(ours / "tree")
    (there / "more").mkdir(parents=True)
    size = sum(len(content) for _, content in seen(ours / "tree").values() if content) - 42
    for _ in range(2):
        up = called(sshd, ours, "ssh:upload", source="tree", destination=str(there), recursive=True)
        assert up["files"] == len(NAMES) + 2
        assert up["bytes"] == size + 42 - len("deep/plain../sealed/insidenothing")
        down = called(
            sshd, ours, "ssh:download", source=f"{there}/", destination="back", recursive=True
        )
        assert down == up
    (there / "more").rmdir()
    (ours / "back" / "more").rmdir()
    assert seen(there) == seen(ours / "tree") == seen(ours / "back")


@pytest.mark.parametrize("mode", [None, "0640"])
def test_a_file_there_and_back(mode: str | None, sshd: SshServer, tmp_path: Path) -> None:
    ours = tmp_path / "ws"
    ours.mkdir()
    (ours / "tool").write_bytes(b"#!" + bytes(3_000_000))
    (ours / "tool").chmod(0o4711)
    there = tmp_path / "new" / "folder" / "tool"
    given = {"mode": mode} if mode else {}
    up = called(sshd, ours, "ssh:upload", source="tool", destination=str(there), **given)
    assert up == {"bytes": 3_000_002, "files": 1}
    assert there.stat().st_mode & 0o7777 == (0o640 if mode else 0o711)
    there.chmod(0o4755)
    called(sshd, ours, "ssh:download", source=str(there), destination="d/back", **given)
    assert (ours / "d/back").read_bytes() == (ours / "tool").read_bytes()
    assert (ours / "d/back").stat().st_mode & 0o7777 == (0o640 if mode else 0o755)


def test_relative_to_the_home(sshd: SshServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    called(sshd, tmp_path, "ssh:upload", source="a", destination="sub/b")
    called(sshd, tmp_path, "ssh:download", source="sub/b", destination="c")
    assert (tmp_path / "c").read_text() == "x"


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("upload", {"source": "d", "destination": "/x"}, "^'d' is a folder$"),
    ("upload", {"source": "none", "destination": "/x"}, "cannot read 'none': no such file"),
    ("upload", {"source": "../x", "destination": "/x"}, "leads out of the workspace"),
    ("upload", {"source": "f", "destination": ""}, "`destination` is empty"),
    ("upload", {"source": "f", "destination": "a\0b"}, "`destination` holds a NUL"),
    ("upload", {"source": "f", "destination": "\ud800"}, "`destination` holds a lone surrogate"),
    (
        "upload",
        {"source": "f", "destination": "/proc/no/x"},
        "cannot create the folder '/proc/no' on",
    ),
    ("upload", {"source": "f", "destination": "/tmp"}, r"^'/tmp' is a folder on 127\.0\.0\.1:\d+$"),
    ("upload", {"source": "f", "destination": "/x", "mode": "999"}, "`mode` is '999'"),
    ("upload", {"source": "p", "destination": "/tmp/x"}, "'p' is neither a file nor a folder"),
    (
        "download",
        {"source": "/none", "destination": "x"},
        "cannot read '/none' on .*: no such file",
    ),
    ("download", {"source": "/etc", "destination": "x"}, "^'/etc' is a folder on"),
    ("download", {"source": "/etc/passwd", "destination": "d"}, "cannot write 'd': is a directory"),
    ("download", {"source": "/etc/passwd", "destination": "../x"}, "leads out of the workspace"),
    (
        "download",
        {"source": "/etc/passwd", "destination": "x", "max_bytes": 10},
        "more than 10 bytes",
    ),
    (
        "download",
        {"source": "/etc", "destination": "x", "recursive": True, "max_files": 3},
        "more than 3",
    ),
    (
        "download",
        {"source": "/dev/null", "destination": "x"},
        "'x' would be neither a file, a folder",
    ),
    ("download", {"source": "a\0b", "destination": "x"}, "`source` holds a NUL"),
]


def test_bad_transfers(sshd: SshServer, tmp_path: Path) -> None:
    """Nothing of them is left, here or there."""
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("x")
    os.mkfifo(tmp_path / "p")

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            for module, params, says in BAD:
                with pytest.raises(GxoError, match=says):
                    await call(f"ssh:{module}", connection_id=handle, **params)

    run(play())
    left = {path.name for path in tmp_path.iterdir()}
    assert left - {"x"} == {"d", "f", "p"}
    assert not list(tmp_path.rglob(".gxo-*")) and not list(Path("/tmp").glob(".gxo-*"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", ".."])
def test_links_that_lead_out(target: str, sshd: SshServer, tmp_path: Path) -> None:
    ours, there = tmp_path / "ws", tmp_path / "there"
    ours.mkdir()
    there.mkdir()
    (there / "link").symlink_to(target)
    if target == "..":  # out of the copy, and not out of the workspace
        called(sshd, ours, "ssh:download", source=str(there), destination="x", recursive=True)
        return
    with pytest.raises(SecurityError, match="leads out of the workspace"):
        called(sshd, ours, "ssh:download", source=str(there), destination="x", recursive=True)
    assert not os.path.lexists(ours / "x" / "link")


@pytest.mark.parametrize("module", ["upload", "download"])
def test_the_time_to_end_in_order(
    module: str, sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host may be silent when the copying is cancelled; who waits for it is not abandoned."""
    asked: list[float] = []
    monkeypatch.setattr(Context, "end_within", lambda _, seconds: asked.append(seconds))
    ours, there = tmp_path / "ws", tmp_path / "there"
    for folder in (ours, there):
        folder.mkdir()
        (folder / "a").write_text("a")
    names = ("a", f"{there}/b") if module == "upload" else (f"{there}/a", "b")
    called(sshd, ours, f"ssh:{module}", source=names[0], destination=names[1])
    assert asked == [GRACE + 1]


def test_an_upload_that_is_cancelled_while_a_file_is_opened(
    sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that opens it cannot be stopped, and its file is closed all the same."""
    (tmp_path / "a").write_text("a")
    opens = Jail.open

    async def play() -> None:
        async with job(tmp_path) as call:
            loop = asyncio.get_running_loop()

            def opened(jail: Jail, path: str, *others: Any) -> int:
                descriptor = opens(jail, path, *others)
                if path == "a":
                    cancelled = threading.Event()
                    loop.call_soon_threadsafe(working.cancel)
                    loop.call_soon_threadsafe(cancelled.set)
                    cancelled.wait(5)
                return descriptor

            monkeypatch.setattr(Jail, "open", opened)
            params = {"source": "a", "destination": f"{tmp_path}/b"}
            handle = await call.connect(login(sshd))
            working = asyncio.ensure_future(call("ssh:upload", connection_id=handle, **params))
            await asyncio.wait([working])
            assert working.cancelled()

    run(play())  # which looks whether a descriptor is left


@pytest.mark.parametrize("module", ["upload", "download"])
@pytest.mark.parametrize("turn", [0, 4, 16, 40, 80, 160])
@pytest.mark.parametrize("how", ["cancelled", "lost"])
def test_interrupted(how: str, turn: int, module: str, sshd: SshServer, tmp_path: Path) -> None:
    """No part is under the name of the copy, and the old one is there."""
    ours, there = tmp_path / "ws", tmp_path / "there"
    for folder in (ours, there):
        folder.mkdir()
        (folder / "big").write_bytes(b"n" * 8_000_000)
        (folder / "copy").write_text("old")
    params = {"source": "big", "destination": f"{there}/copy"}
    if module == "download":
        params = {"source": f"{there}/big", "destination": "copy"}

    async def play() -> None:
        async with job(ours) as call:
            handle = await call.connect(login(sshd))
            working = asyncio.ensure_future(call(f"ssh:{module}", connection_id=handle, **params))
            for _ in range(turn):
                await asyncio.sleep(0)
            if how == "cancelled":
                working.cancel()
                await asyncio.wait([working])
                assert working.cancelled() or working.exception() is None
                return
            await call.lose(handle)
            await asyncio.wait([working])
            if (error := working.exception()) is not None:
                assert isinstance(error, ModuleError) and "lost" in error.message, error

    run(play())
    copy = (ours if module == "download" else there) / "copy"
    assert copy.read_bytes() in (b"old", b"n" * 8_000_000)
    assert sorted(path.name for path in ours.iterdir()) == ["big", "copy"]
    if how == "cancelled":
        assert sorted(path.name for path in there.iterdir()) == ["big", "copy"]
