"""The services themselves: they answer, they end, they are missed where they are wanted."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests import loopback
from tests.services.azurite import Azurite
from tests.services.bind import NameServer
from tests.services.gcs import Gcs
from tests.services.moto import Moto
from tests.services.openssh import Several, SshServer
from tests.services.process import REQUIRED, find, free_port, running
from tests.services.swift import Swift
from tests.stdlib.harness import has_children


def test_bind_answers_by_udp_and_tcp_on_both_loopbacks(bind: NameServer) -> None:
    for options in ["@127.0.0.1", "+notcp"], ["@127.0.0.1", "+tcp"], ["@::1", "+notcp"]:
        command = [find("dig"), *options, "-p", str(bind.port), "+short", "one.example.test"]
        assert subprocess.check_output(command, text=True) == "192.0.2.1\n"


def test_each_sshd_lets_the_key_in_and_is_known_by_its_own(sshds: Several, tmp_path: Path) -> None:
    servers = sshds(3)
    assert sshds(2) == servers[:2]
    assert len({server.port for server in servers}) == 3
    for server in servers:
        assert log_in(server, server.known_hosts, tmp_path) == (0, "hello\n")
    status, _ = log_in(servers[0], servers[1].known_hosts, tmp_path)
    assert status == 255


def test_moto_lets_in_whom_it_knows(moto: Moto) -> None:
    assert all(keys["secret_access_key"] for keys in moto.keys.values())
    bucket = moto.make_bucket("services")
    assert moto.ask("PUT", f"/{bucket}/a", b"hello")[0] == 200
    assert moto.ask("GET", f"/{bucket}/a") == (200, b"hello")
    assert moto.uploads(bucket) == []
    with pytest.raises(urllib.error.HTTPError, match="403"):
        request = urllib.request.Request(f"{moto.endpoint}/{bucket}/a")
        request.add_header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/s3/aws4_request, Signature=c",
        )
        urllib.request.urlopen(request)


def log_in(server: SshServer, known_hosts: str, folder: Path) -> tuple[int, str]:
    key, known = folder / "key", folder / "known"
    key.write_text(server.private_key, encoding="ascii")
    key.chmod(0o600)
    known.write_text(known_hosts, encoding="ascii")
    options = ("BatchMode=yes", f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes")
    command = [find("ssh"), "-F", "none", "-i", key, "-p", str(server.port)]
    command += [f"-o{option}" for option in options]
    command += [f"{server.user}@{server.host}", "echo hello"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_each_object_storage_asks_who_is_there(swift: Swift, azurite: Azurite, gcs: Gcs) -> None:
    swift_bucket, container = f"{swift.endpoint}/none", f"{azurite.endpoint}/none?restype=container"
    bucket = f"{gcs.endpoint}/storage/v1/b/none"
    found = {}
    for name, address in {"swift": swift_bucket, "azurite": container, "gcs": bucket}.items():
        command = [find("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code}", address]
        if name == "swift":
            command += ["-H", "Authorization: AWS nobody:nothing", "-H", "Date: x"]
        found[name] = subprocess.check_output(command, text=True)
    assert found == {"swift": "403", "azurite": "403", "gcs": "401"}


def test_a_service_is_no_child_and_ends_with_its_block(tmp_path: Path) -> None:
    script = "echo up; exec sleep 1000"
    with running(["sh", "-c", script], tmp_path / "log", ready="up") as server:
        ended = os.pidfd_open(server.pid)
        assert not has_children()
        assert not is_over(ended)
    assert is_over(ended)
    os.close(ended)


def test_a_service_that_ignores_the_request_to_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.services.process.STOP", 0.1)
    script = "trap '' TERM; echo up; exec sleep 1000"
    with running(["sh", "-c", script], tmp_path / "log", ready="up") as server:
        ended = os.pidfd_open(server.pid)
    assert select.select([ended], [], [], 5)[0]
    os.close(ended)


def test_a_service_ends_with_the_process_that_wanted_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with running(["sh", "-c", "echo up; exec sleep 1000"], tmp_path / "log", ready="up") as one:
            os.write(writer, str(one.pid).encode())
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        ended = os.pidfd_open(int(os.read(reader, 100)))
        assert select.select([ended], [], [], 5)[0]
        os.close(ended)
    os.close(reader)
    os.close(writer)


def test_a_service_that_does_not_start_shows_what_it_said(tmp_path: Path) -> None:
    with (
        pytest.raises(pytest.fail.Exception, match="no such configuration"),
        running(["sh", "-c", "echo no such configuration >&2"], tmp_path / "log", ready="up"),
    ):
        pass


def is_over(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 0)[0])


def test_a_test_without_its_server_is_left_out_and_in_ci_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"needs no-such-server; .*install\.sh"):
        find("no-such-server")
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match=r"needs no-such-server; .*install\.sh"):
        find("no-such-server")


def test_a_free_port_is_none_that_the_kernel_gives_away() -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert {free_port() < low for _ in range(50)} == {True}


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "10.0.0.1"])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_no_test_reaches_another_host(host: str, kind: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as sock:
        with pytest.raises(loopback.ReachesOutside):
            sock.connect((host, 9))
        with pytest.raises(loopback.ReachesOutside):
            sock.sendto(b"x", (host, 9))
    assert loopback.reached_outside() == [f"socket.connect {host}", f"socket.sendto {host}"]


def test_no_test_asks_a_name_server_by_way_of_the_system() -> None:
    with pytest.raises(loopback.ReachesOutside):
        socket.getaddrinfo("example.test", 80)
    assert loopback.reached_outside() == ["socket.getaddrinfo example.test"]
    socket.getaddrinfo("localhost", 80)
    socket.getaddrinfo("192.0.2.1", 80)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("example.test", 80, flags=socket.AI_NUMERICHOST)
    assert not loopback.reached_outside()
