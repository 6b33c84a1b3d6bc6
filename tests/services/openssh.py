"""OpenSSH's server, with a host key and a user's key of its own. It lets in who runs the tests."""

import contextlib
import getpass
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import Server, find, free_port, running

_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserRC no
PrintMotd no
MaxStartups 100
LogLevel VERBOSE
SetEnv HOME={folder}/home TMPDIR={folder}/tmp
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class SshServer:
    """private_key: the content of the user's; known_hosts: the line that says which key is the host's.

    process: what runs, with its output. temporary: where its users' temporary files are. Their home
    is empty, so that no shell of theirs reads what it should do first.
    """

    port: int
    user: str
    private_key: str
    known_hosts: str
    process: Server
    temporary: Path
    host: str = "127.0.0.1"

    def let_in(self, other: "SshServer") -> None:
        """Let the user of another server in as well."""
        own, its = (one.temporary.with_name("user.pub") for one in (self, other))
        key = its.read_text(encoding="ascii")
        if key not in own.read_text(encoding="ascii"):
            with own.open("a", encoding="ascii") as file:
                file.write(key)


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run sshd; the folder is its own."""
    program = find("sshd")
    port = free_port()
    for name in ("host", "user"):
        _make_key(folder / name)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(
            mode=0o755, exist_ok=True
        )  # where it locks the unprivileged part in
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    config = folder / "sshd.conf"
    config.write_text(_CONFIG.format(port=port, folder=folder), encoding="utf-8")
    command = [program, "-D", "-e", "-f", str(config)]
    with running(command, folder / "sshd.log", ready=f"port {port}.") as process:
        yield SshServer(
            port,
            getpass.getuser(),
            (folder / "user").read_text(encoding="ascii"),
            f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text(encoding='ascii')}",
            process,
            folder / "tmp",
        )


def _make_key(path: Path) -> None:
    command = [find("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "gxo tests", "-f", path]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


Several = Callable[[int], list[SshServer]]


@contextlib.contextmanager
def several_ssh_servers(make_folder: Callable[[], Path]) -> Iterator[Several]:
    """As many as are asked for; those that run already are given again."""
    servers: list[SshServer] = []
    with contextlib.ExitStack() as stack:

        def give(count: int) -> list[SshServer]:
            while len(servers) < count:
                servers.append(stack.enter_context(ssh_server(make_folder())))
            return servers[:count]

        yield give
