"""Scripts on a real host: run as they are, and gone afterwards, however that comes."""

import asyncio
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ModuleError
from gxo.stdlib.ssh import _session
from gxo.stdlib.ssh._shell import script_order
from tests.services.openssh import SshServer
from tests.stdlib.harness import run
from tests.stdlib.ssh.jobs import Caller, job, login
from tests.stdlib.ssh.test_commands import gone, pids_in

HEAD = shutil.which("head")

ARGUMENTS = [
    "plain",
    "",
    "two words",
    "it's",
    'a "b"',
    "$HOME `id` \\",
    "a\nb",
    "-x",
    "--",
    "*",
    "ü",
    ";|&",
]


def scripted(sshd: SshServer, folder: Path, content: str | bytes, **params: Any) -> Any:
    """What a script gives. No temporary file is left by it."""
    (folder / "it").write_bytes(content.encode() if isinstance(content, str) else content)

    async def play() -> Any:
        async with job(folder) as call:
            handle = await call.connect(login(sshd))
            return await call("ssh:script", connection_id=handle, script_path="it", **params)

    try:
        return run(play())
    finally:
        assert list(sshd.temporary.glob("*")) == []


def test_arguments(sshd: SshServer, tmp_path: Path) -> None:
    script = "#!/bin/bash\nprintf '%s\\0' \"$@\"; cat; echo err >&2; exit 3"
    ran = scripted(sshd, tmp_path, script, script_args=ARGUMENTS, check=False)
    assert ran["stdout"].split("\0")[:-1] == ARGUMENTS
    assert (ran["stderr"], ran["exit_code"]) == ("err\n", 3)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("#!/usr/bin/env python3\nprint('snake')", "snake\n"),
        ("echo no first line", "no first line\n"),
        ("#!/bin/sh\necho no newline at the end", "no newline at the end\n"),
        ("#!/bin/sh\necho $A $gxo_file; umask\n#" + "x" * 300_000, "it's b\n0022\n"),
        (b"#!/bin/sh\nprintf 'a\\377'; : '\x00\xff'", "a\ufffd"),
    ],
)
def test_scripts(script: str | bytes, says: str, sshd: SshServer, tmp_path: Path) -> None:
    ran = scripted(sshd, tmp_path, script, environment={"A": "it's b"})
    assert (ran["stdout"], ran["exit_code"]) == (says, 0)


def test_it_is_private(sshd: SshServer, tmp_path: Path) -> None:
    ran = scripted(sshd, tmp_path, '#!/bin/sh\nstat -c "%a %U" "$0"; echo "$0"')
    mode, name = ran["stdout"].splitlines()
    assert mode == f"700 {sshd.user}"
    assert re.fullmatch(rf"{sshd.temporary}/gxo-[0-9a-f]{{32}}", name)


def test_it_is_private_from_its_first_byte(tmp_path: Path) -> None:
    """A `head` in place of the host's tells what the file was while it was written."""
    head = tmp_path / "head"
    head.write_text(f'#!/bin/sh\nstat -Lc %a /proc/self/fd/1 > {tmp_path}/mode\nexec {HEAD} "$@"')
    head.chmod(0o755)
    order = script_order("it", b"", b"echo $0", [])
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        order.line, shell=True, input=order.given, env=environment, capture_output=True, umask=0
    )
    assert ran.stdout == f"{tmp_path}/it\n".encode(), ran
    assert (tmp_path / "mode").read_text() == "600\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("#!/bin/sh\necho why >&2; exit 4", "ended with exit code 4: why"),
        ("#!/no/such/program\n", r"ended with exit code (126|127): .*(not found|no such file)"),
        ("#!/bin/sh\nkill -KILL $$", "ended with exit code 137"),
    ],
)
def test_a_script_that_fails(script: str, says: str, sshd: SshServer, tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=rf"(?i)^the script 'it' on 127\.0\.0\.1:\d+ {says}"):
        scripted(sshd, tmp_path, script)


def test_bad_parameters(sshd: SshServer, tmp_path: Path) -> None:
    for params, says in (
        ({"script_args": ["a\0b"]}, "`script_args` holds a NUL character"),
        ({"script_args": ["\ud800"]}, "`script_args` holds a lone surrogate"),
        ({"script_path": "missing"}, "cannot read 'missing': no such file"),
        ({"script_path": "."}, r"cannot read '\.': is a directory"),
    ):

        async def play(params: dict[str, Any] = params) -> None:
            async with job(tmp_path) as call:
                handle = await call.connect(login(sshd))
                await call("ssh:script", **{"connection_id": handle, "script_path": "it", **params})

        with pytest.raises(Exception, match=says):
            run(play())


def test_no_room_for_it(sshd: SshServer, tmp_path: Path) -> None:
    """The host cannot keep it, so nothing of it is run."""
    sshd.temporary.rename(sshd.temporary.with_name("away"))
    try:
        with pytest.raises(ModuleError, match=r"ended with exit code 125: .*(?i:no such|nonexist)"):
            scripted(sshd, tmp_path, f"touch {tmp_path}/run")
    finally:
        sshd.temporary.with_name("away").rename(sshd.temporary)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("begins", ["", "trap '' TERM; "])
def test_a_cancelled_script(
    begins: str, sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended with what it has started, and removed, also when it ignores TERM."""
    monkeypatch.setattr(_session, "START", 0.1)
    monkeypatch.setattr(_session, "GRACE", 0.5)
    script = f"#!/bin/bash\n{begins}sleep 1000 & echo $$ $! > {tmp_path}/pids; wait; sleep 1000"
    (tmp_path / "it").write_text(script)

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            working = begin(call, handle)
            pids = await pids_in(tmp_path / "pids")
            assert len(list(sshd.temporary.iterdir())) == 1
            working.cancel()
            await asyncio.wait([working])
            assert working.cancelled()
            await gone(pids)

    run(play())
    run(removed(sshd))


def begin(call: Caller, handle: str) -> "asyncio.Task[Any]":
    return asyncio.ensure_future(call("ssh:script", connection_id=handle, script_path="it"))


async def removed(sshd: SshServer) -> None:
    while list(sshd.temporary.iterdir()):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("turn", [0, 1, 2, 4, 8, 16, 32])
def test_cancelled_at_any_turn(
    turn: int, sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "START", 0.1)
    monkeypatch.setattr(_session, "GRACE", 0.5)
    (tmp_path / "it").write_text("#!/bin/sh\nexec sleep 1000\n" + "#" * 100_000)

    async def play() -> None:
        async with job(tmp_path) as call:
            working = begin(call, await call.connect(login(sshd)))
            for _ in range(turn):
                await asyncio.sleep(0)
            working.cancel()
            await asyncio.wait([working])
            assert working.cancelled()

    run(play())
    run(removed(sshd))


def test_the_connection_is_lost(sshd: SshServer, tmp_path: Path) -> None:
    """The script goes on, as any command does, and is removed when it ends."""
    (tmp_path / "it").write_text(
        f"#!/bin/sh\nmkfifo {tmp_path}/go; echo $$ > {tmp_path}/pids; read x < {tmp_path}/go"
    )

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            working = begin(call, handle)
            await pids_in(tmp_path / "pids")
            await call.lose(handle)
            with pytest.raises(ModuleError, match="was lost while the command ran"):
                await working
            with pytest.raises(ModuleError, match=r"^the connection to .* is lost$") as caught:
                await call("ssh:command", connection_id=handle, command="true")
            assert "another `ssh:connect`" in str(caught.value.hint)

    run(play())
    assert stat.S_IMODE(next(sshd.temporary.iterdir()).stat().st_mode) == 0o700
    (tmp_path / "go").write_text("\n")
    run(removed(sshd))
