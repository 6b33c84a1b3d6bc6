"""MariaDB, with a database for each test that asks for one."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import Authority
from tests.services.process import Server, find, free_port, running

USER, PASSWORD = "gxo", "p@ss/w:rd"

_USERS = f"""\
FLUSH PRIVILEGES;
CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO '{USER}'@'127.0.0.1' WITH GRANT OPTION;
CREATE USER 'secure'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
GRANT ALL ON *.* TO 'secure'@'127.0.0.1';
"""


@dataclass(frozen=True)
class MariaDb:
    """It lets `USER` in, and the user `secure` with the same password by TLS only.

    ca: the certificate, as PEM, that its own can be verified with.
    """

    port: int
    process: Server
    ca: str
    host: str = "127.0.0.1"


@contextlib.contextmanager
def mariadb_server(folder: Path) -> Iterator[MariaDb]:
    """Run MariaDB; the folder is its own."""
    port, data = free_port(), folder / "data"
    command = [find("mariadb-install-db"), "--no-defaults", "--user=root", f"--datadir={data}"]
    command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (folder / "tmp").mkdir()
    authority = Authority()
    certificate, key = authority.issue("localhost")
    settings = {
        "user": "root",
        "datadir": data,
        "tmpdir": folder / "tmp",  # a server that starts clears what it finds there
        "bind-address": "127.0.0.1",
        "port": port,
        "socket": folder / "sock",
        "pid-file": folder / "pid",
        "innodb-buffer-pool-size": "16M",
        "innodb-flush-log-at-trx-commit": 0,
        "innodb-lock-wait-timeout": 5,
        "init-file": _file(folder / "users.sql", _USERS),
        "ssl-cert": _file(folder / "cert.pem", certificate),
        "ssl-key": _file(folder / "key.pem", key),
    }
    command = [find("mariadbd"), "--no-defaults", "--skip-log-bin", "--skip-name-resolve"]
    command += ["--character-set-server=utf8mb4"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    with running(command, folder / "log", ready="ready for connections") as process:
        yield MariaDb(port, process, authority.cert)


def _file(path: Path, content: str) -> Path:
    path.write_text(content, encoding="ascii")
    return path
