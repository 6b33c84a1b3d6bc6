"""A server's process: started on a free loopback port, waited for, ended.

    with running([find("named"), "-g", ...], log, ready=" running") as server:
        ...

It is no child of this process, because other tests look whether children are left. A keeper is its
parent, which ends it when this process says so, and also when this process is killed.
"""

import contextlib
import os
import random
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRED = "GXO_REQUIRE_SERVICES"
START, STOP = 10.0, 5.0
"""Seconds that a server has to get ready, if it says nothing else, and to end."""

_INSTALLED = Path(__file__).parents[2] / "build" / "services"
"""Where install.sh puts what PyPI and npm give."""

_FOLDERS = (
    _INSTALLED / "python" / "bin",
    _INSTALLED / "node" / "node_modules" / ".bin",
    os.environ.get("PATH", os.defpath),
    "/usr/sbin",
    "/sbin",
    "/usr/lib/postgresql/15/bin",
)

# The keeper's standard input is open as long as the server is wanted.
_KEEPER = """
exec 3<&0
{ "$@" 3<&- </dev/null >"$0" 2>&1 & echo $!; exec >&- 2>&-; read -r _ <&3; kill $!; wait; } &
"""


@dataclass(frozen=True)
class Server:
    """A server that is ready. log: where its output goes."""

    pid: int
    log: Path

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def find(program: str) -> str:
    """Where the program is; where it is not installed, the test is left out, or fails in CI."""
    found = shutil.which(program, path=os.pathsep.join(map(str, _FOLDERS)))
    if found is None:
        leave_out(f"needs {program}; tests/services/install.sh installs it")
    return found


def leave_out(reason: str) -> NoReturn:
    """Leave the test out, as this host lacks what it needs; in CI it fails."""
    (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)


def free_port() -> int:
    """A port that is free for TCP and UDP, on 127.0.0.1 and ::1.

    It lies below those that the kernel gives to connections and to who asks for any port, so that no
    other test can get it before the server has it.
    """
    for _ in range(1000):
        port = random.randrange(10_000, 32_000)
        if all(_is_free(port, *kind) for kind in _KINDS):
            return port
    raise OSError("no port is free")


_KINDS = (
    (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
    (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
    (socket.AF_INET6, socket.SOCK_STREAM, "::1"),
    (socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
)


def _is_free(port: int, family: int, kind: int, host: str) -> bool:
    with socket.socket(family, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, *, ready: str, start: float = START
) -> Iterator[Server]:
    """Run a server in the foreground; it is ready when its output holds the text.

    start: seconds that it has for that.
    """
    wanted, lifeline = os.pipe()
    try:
        keeper = ["sh", "-c", _KEEPER, str(log), *command]
        started = subprocess.run(keeper, stdin=wanted, stdout=subprocess.PIPE, check=True)
    finally:
        os.close(wanted)
    server = Server(int(started.stdout), log)
    try:
        ended = os.pidfd_open(server.pid)
    except ProcessLookupError:  # it is over, and its keeper has seen that
        os.close(lifeline)
        _not_ready(server)
    try:
        _wait_until_ready(server, ended, ready, start)
        yield server
    finally:
        os.close(lifeline)
        if not _is_over(ended, STOP):
            signal.pidfd_send_signal(ended, signal.SIGKILL)
        os.close(ended)


def _wait_until_ready(server: Server, ended: int, ready: str, start: float) -> None:
    for _ in range(round(start / 0.02)):
        if ready in server.output:
            return
        if _is_over(ended, 0.02):
            break
    _not_ready(server)


def _not_ready(server: Server) -> NoReturn:
    pytest.fail(f"a server did not get ready:\n{server.output}")


def _is_over(pidfd: int, seconds: float) -> bool:
    return bool(select.select([pidfd], [], [], seconds)[0])
