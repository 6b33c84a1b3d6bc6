"""Who is let in and who is believed: against OpenSSH, and asyncssh's server for passwords."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from gxo.runtime.errors import GxoError, ModuleError, SecurityError
from tests.services.openssh import SshServer
from tests.stdlib.connection.test_links import peer
from tests.stdlib.harness import run
from tests.stdlib.ssh.jobs import job, login
from tests.stdlib.ssh.server import PASSWORD, serving

OTHER = asyncssh.generate_private_key("ssh-ed25519")
OTHER_HOST = OTHER.export_public_key().decode()


def host_key(server: SshServer) -> str:
    return server.known_hosts.partition(" ")[2].strip()


def connected(
    folder: Path, params: dict[str, Any], environment: dict[str, str] | None = None
) -> Any:
    """What `ssh:connect` returns, once a command has shown that it works."""

    async def play() -> Any:
        async with job(folder) as call:
            call.workbench.environment.update(environment or {})
            summary = await call("ssh:connect", **params)
            handle = summary["connection_id"]
            told = await call("ssh:command", connection_id=handle, command="echo up")
            assert told["stdout"] == "up\n"
            closed = await call("connection:close", connection_id=handle)
            assert closed == {"connection_id": handle, "closed": True}
            return summary

    return run(play())


def refused(
    folder: Path, params: dict[str, Any], environment: dict[str, str] | None = None
) -> GxoError:
    with pytest.raises((ModuleError, SecurityError)) as caught:
        connected(folder, params, environment)
    assert "-----" not in f"{caught.value} {caught.value.hint}"
    return caught.value


def test_a_key(sshd: SshServer, tmp_path: Path) -> None:
    summary = connected(tmp_path, login(sshd))
    assert summary["connection_id"].startswith("ssh-")
    assert (summary["host"], summary["user"]) == (sshd.host, sshd.user)


@pytest.mark.parametrize("kind", ["ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_key_that_is_not_let_in(kind: str, sshd: SshServer, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key(kind, **({"key_size": 2048} if kind == "ssh-rsa" else {}))
    error = refused(tmp_path, {**login(sshd), "private_key": key.export_private_key().decode()})
    assert error.message == f"127.0.0.1:{sshd.port} does not let {sshd.user!r} in"
    assert error.hint == f"its authorized_keys must list the key {key.get_fingerprint()}"


def test_an_encrypted_key(sshd: SshServer, tmp_path: Path) -> None:
    key = asyncssh.import_private_key(sshd.private_key)
    locked = key.export_private_key(
        passphrase="open sesame", rounds=1, ignore_few_rounds=True
    ).decode()
    params = {**login(sshd), "private_key": locked}
    connected(tmp_path, {**params, "passphrase": "open sesame"})
    for wrong, message in (
        ({}, "`private_key` is encrypted"),
        ({"passphrase": "open"}, "`private_key` is encrypted, and the passphrase does not open it"),
    ):
        with pytest.raises(Exception, match=f"^{message}$"):
            connected(tmp_path, {**params, **wrong})


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """The socket of a real ssh-agent that holds no key yet."""
    path = tmp_path / "agent.sock"
    told = subprocess.run(
        ["ssh-agent", "-s", "-a", path], capture_output=True, text=True, check=True
    )
    pid = int(told.stdout.split("SSH_AGENT_PID=")[1].split(";")[0])
    yield str(path)
    os.kill(pid, signal.SIGTERM)


def test_an_agent(sshd: SshServer, tmp_path: Path, agent: str) -> None:
    params = {**login(sshd), "private_key": None, "agent": True}
    environment = {"SSH_AUTH_SOCK": agent}
    assert refused(tmp_path, params, environment).message == "the ssh-agent holds no key"
    add(OTHER, agent)
    assert refused(tmp_path, params, environment).hint == (
        "its authorized_keys must list a key of `ssh-add -l`"
    )
    add(asyncssh.import_private_key(sshd.private_key), agent)
    connected(tmp_path, params, environment)


def add(key: asyncssh.SSHKey, agent: str) -> None:
    subprocess.run(
        ["ssh-add", "-q", "-"],
        input=key.export_private_key(),
        env={**os.environ, "SSH_AUTH_SOCK": agent},
        check=True,
    )


@pytest.mark.parametrize(("options", "works"), [({}, True), ({"password_auth": False}, True)])
def test_a_password(options: dict[str, Any], works: bool, tmp_path: Path) -> None:
    """Also where the server asks for it in its own words."""

    async def play() -> None:
        async with serving(**options) as server, job(tmp_path) as call:
            assert await call.connect(server.login)
            with pytest.raises(ModuleError) as caught:
                await call.connect(server.login, password="wrong horse")
        assert caught.value.message == f"127.0.0.1:{server.port} does not let 'deploy' in"
        assert "horse" not in str(caught.value) + str(caught.value.hint)

    run(play())
    assert PASSWORD


KNOWN = [
    "[127.0.0.1]:{port} {key}",
    "127.0.0.1 {key}",
    "*,!other {key}",
    "# said\n\n[127.0.0.1]:* {key}",
]


@pytest.mark.parametrize("entry", KNOWN)
def test_a_known_host(entry: str, sshd: SshServer, tmp_path: Path) -> None:
    text = entry.format(port=sshd.port, key=host_key(sshd))
    (tmp_path / "known").write_text(text)
    params = {**login(sshd), "known_hosts": None}
    connected(tmp_path, {**params, "known_hosts_path": "known"})
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(text)
    connected(tmp_path, params, {"HOME": str(home)})


def test_a_hashed_entry(sshd: SshServer, tmp_path: Path) -> None:
    (tmp_path / "known").write_text(sshd.known_hosts)
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", tmp_path / "known"], capture_output=True, check=True
    )
    text = (tmp_path / "known").read_text()
    assert "127.0.0.1" not in text
    connected(tmp_path, {**login(sshd), "known_hosts": text})


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("", "is not known: it shows the key {shown}, and `known_hosts` lists none for it"),
        (
            "web-1 {key}",
            "is not known: it shows the key {shown}, and `known_hosts` lists none for it",
        ),
        (
            "[127.0.0.1]:{port} {other}",
            "has another key than before: it shows {shown}, and `known_hosts` lists {listed}",
        ),
        ("@revoked [127.0.0.1]:{port} {key}", "shows a key that `known_hosts` marks as revoked"),
        (
            "@revoked [127.0.0.1]:{port} {key}\n127.0.0.1 {key}",
            "shows a key that `known_hosts` marks as revoked",
        ),
        (
            "@revoked 127.0.0.1 {key}\n@revoked [127.0.0.1]:{port} {other}\n[127.0.0.1]:{port} {key}",
            "shows a key that `known_hosts` marks as revoked",
        ),
        (
            "@cert-authority [127.0.0.1]:{port} {other}",
            "has another key than before: it shows {shown}, and `known_hosts` lists {listed}",
        ),
    ],
)
def test_a_host_that_is_not_believed(
    entry: str, says: str, sshd: SshServer, tmp_path: Path
) -> None:
    key = asyncssh.import_public_key(host_key(sshd))
    words = {"port": sshd.port, "key": host_key(sshd), "other": OTHER_HOST}
    error = refused(tmp_path, {**login(sshd), "known_hosts": entry.format(**words)})
    assert isinstance(error, ModuleError if "not known" in says else SecurityError)
    shown, listed = f"{key.get_fingerprint()} (ssh-ed25519)", OTHER.get_fingerprint()
    assert error.message.startswith(
        f"127.0.0.1:{sshd.port} {says.format(shown=shown, listed=listed)}"
    )


def test_another_kind_of_key_than_before(sshd: SshServer, tmp_path: Path) -> None:
    """The host is asked for its other keys too: it is told apart from one that is not known."""
    rsa = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    error = refused(tmp_path, {**login(sshd), "known_hosts": f"[127.0.0.1]:{sshd.port} {rsa}"})
    assert "has another key than before" in error.message


def test_the_users_list(sshd: SshServer, tmp_path: Path) -> None:
    params = {**login(sshd), "known_hosts": None}
    error = refused(tmp_path, params, {"HOME": str(tmp_path)})
    assert "~/.ssh/known_hosts lists none for it" in error.message
    (tmp_path / ".ssh" / "known_hosts").mkdir(parents=True)
    error = refused(tmp_path, params, {"HOME": str(tmp_path)})
    assert error.message == "cannot read ~/.ssh/known_hosts: is a directory"


def test_insecure(sshd: SshServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    connected(tmp_path, {**login(sshd), "known_hosts": None, "insecure": True})
    assert "warning" in (told := capfd.readouterr().err)
    assert f"security: the key of 127.0.0.1:{sshd.port} is not verified" in told


def test_the_users_settings_are_not_read(
    sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither his ssh_config, nor his keys, nor his agent."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host *\n  ProxyCommand false\n")
    (tmp_path / ".ssh" / "id_ed25519").write_text(sshd.private_key)
    (tmp_path / ".ssh" / "id_ed25519").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    connected(tmp_path, login(sshd))
    other = OTHER.export_private_key().decode()
    error = refused(tmp_path, {**login(sshd), "private_key": other})
    assert "does not let" in error.message


def test_who_runs_the_job_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is run with any number for a user."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)

    async def play() -> None:
        async with job(tmp_path) as call, serving() as server:
            with pytest.raises(ModuleError, match=r"who runs the job, .* has no name") as caught:
                await call.connect(server.login)
            assert "LOGNAME" in (caught.value.hint or "")
            monkeypatch.setenv("LOGNAME", "anybody")
            await call.connect(server.login)

    run(play())


@pytest.mark.parametrize("hops", [1, 2])
def test_a_jump(hops: int, sshd: SshServer, tmp_path: Path) -> None:
    jump = ",".join([f"{sshd.user}@127.0.0.1:{sshd.port}"] * hops)
    connected(tmp_path, {**login(sshd), "proxy_jump": jump})


def test_what_is_wrong_behind_a_jump(sshd: SshServer, tmp_path: Path) -> None:
    jump = {**login(sshd), "proxy_jump": f"127.0.0.1:{sshd.port}"}
    error = refused(tmp_path, {**jump, "port": 1})
    assert error.message == "cannot connect to 127.0.0.1:1: connection refused"
    assert error.hint is None
    known = f"[127.0.0.1]:{sshd.port} {OTHER_HOST}"
    assert (
        "has another key than before" in refused(tmp_path, {**jump, "known_hosts": known}).message
    )


def test_time_runs_out(tmp_path: Path) -> None:
    """Whether it says nothing at all, or nothing any more."""

    called = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    async def play() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        params = {
            "host": "127.0.0.1",
            "port": port,
            "user": "a",
            "password": "b",
            "known_hosts": "",
        }
        async with server, job(tmp_path) as call:
            with pytest.raises(
                ModuleError, match=r"^cannot connect to 127\.0\.0\.1:\d+ within 0\.1 s$"
            ):
                await call.connect(params, timeout=0.1)
            called.clear()
            opening = asyncio.ensure_future(call.connect(params))
            await called.wait()
            opening.cancel()
            await asyncio.wait([opening])
            assert opening.cancelled()

    run(play())


def test_handles_of_another_kind(sshd: SshServer, tmp_path: Path) -> None:
    """Each kind of connection says by what it is used."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def play() -> None:
        async with job(tmp_path) as call, peer(silent) as address:
            handle = await call.connect(login(sshd))
            for module, params in (("read", {}), ("write", {"data": "x"})):
                with pytest.raises(ModuleError, match="speaks SSH, which has no bytes to read"):
                    await call(f"connection:{module}", connection_id=handle, **params)
            tcp = await call("connection:open", network="tcp", address=address)
            with pytest.raises(ModuleError, match=r"^'tcp-.*' is no connection by SSH$"):
                await call("ssh:command", connection_id=tcp["connection_id"], command="true")

    run(play())
