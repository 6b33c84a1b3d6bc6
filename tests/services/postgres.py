"""PostgreSQL, with a database for each test that asks for one."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import Authority
from tests.services.process import Server, find, free_port, running

USER, PASSWORD = "postgres", "p@ss/w:rd"

_ACCESS = """\
hostssl all secure 127.0.0.1/32 scram-sha-256
host all secure 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Postgres:
    """It lets `USER` in, and the user `secure` with the same password by TLS only.

    ca: the certificate, as PEM, that its own can be verified with.
    """

    port: int
    process: Server
    ca: str
    host: str = "127.0.0.1"


@contextlib.contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run PostgreSQL. As it refuses to run as root, it is then run by the user `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="gxo-postgres-"))
    try:
        with _running(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[Postgres]:
    port, data = free_port(), folder / "data"
    prefix = _as_postgres(folder)
    password = _file(folder / "password", PASSWORD)
    command = [find("initdb"), "-D", str(data), "-A", "scram-sha-256", "-U", USER, "-N"]
    command += ["--pwfile", str(password), "-E", "UTF8", "--locale=C"]
    subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")
    authority = Authority()
    certificate, key = authority.issue("localhost")
    (data / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "shared_buffers": "16MB",
        "deadlock_timeout": "50ms",
        "ssl": "on",
        "ssl_cert_file": _file(folder / "cert.pem", certificate),
        "ssl_key_file": _file(folder / "key.pem", key),
    }
    command = [find("postgres"), "-D", str(data)]
    command += [part for name in settings for part in ("-c", f"{name}={settings[name]}")]
    ready = "database system is ready to accept connections"
    with running([*prefix, *command], folder / "log", ready=ready) as process:
        yield Postgres(port, process, authority.cert)


def _as_postgres(folder: Path) -> list[str]:
    """What runs a command as somebody who may run PostgreSQL; the folder becomes theirs."""
    if os.geteuid() != 0:
        return []
    _give(folder)
    return [find("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _file(path: Path, content: str) -> Path:
    path.write_text(content, encoding="ascii")
    path.chmod(0o600)
    _give(path)
    return path
