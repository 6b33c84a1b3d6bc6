"""OpenStack Swift with its API of S3: a second implementation, which shares nothing with moto.

All of it is real: the rings, the three storage servers, memcached, the proxy with s3api and tempauth.
"""

import contextlib
import getpass
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import find, free_port, running

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
"""Debian's: its packages are Swift."""

START = 60.0
"""Seconds until five processes are up, which takes 2 of a processor: a busy machine has none."""

_SERVERS = ("account", "container", "object")

_SHARED = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
disable_fallocate = true
log_address = {folder}/no-log
"""

_STORAGE = """\
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

_PROXY = """\
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""


@dataclass(frozen=True)
class Swift:
    """Where it answers to S3, and who is let in."""

    port: int
    access_key_id: str = "test:tester"
    secret_access_key: str = "testing"
    region: str = "us-east-1"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def swift_server(folder: Path) -> Iterator[Swift]:
    """Run all of Swift; the folder is its own."""
    for program in ("swift-proxy-server", "memcached"):
        find(program)
    ports: list[int] = []
    while len(ports) < 5:
        port = free_port()
        if port not in ports:
            ports.append(port)
    *storage, memcached, proxy = ports
    _write_configuration(folder, dict(zip(_SERVERS, storage, strict=True)), memcached, proxy)
    command = [PYTHON, "-I", str(HERE / "launch.py"), str(folder), *map(str, ports)]
    with running(command, folder / "swift.log", ready="all of Swift is up", start=START):
        yield Swift(proxy)


def _write_configuration(folder: Path, storage: dict[str, int], memcached: int, proxy: int) -> None:
    (folder / "devices" / "disk").mkdir(parents=True)
    text = "[swift-hash]\nswift_hash_path_suffix = gxo\n"
    (folder / "swift.conf").write_text(text, encoding="ascii")
    user = getpass.getuser()
    for kind, port in storage.items():
        shared = _SHARED.format(port=port, user=user, folder=folder)
        content = shared + _STORAGE.format(kind=kind)
        (folder / f"{kind}.conf").write_text(content, encoding="utf-8")
    content = _SHARED.format(port=proxy, user=user, folder=folder)
    content += _PROXY.format(memcached=memcached)
    (folder / "proxy.conf").write_text(content, encoding="utf-8")
