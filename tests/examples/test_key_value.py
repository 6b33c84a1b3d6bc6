"""The key-value server of the examples, from its artifact: it tests itself, and serves others."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gxo.cli.main import main
from tests.reports import read_report
from tests.services.process import find, free_port

EXAMPLE = Path(__file__).parents[2] / "docs/examples/key-value/key-value.test.gxo.yaml"
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("key-value") / "job.pyz"
    assert main(["compile", str(EXAMPLE), "-o", str(target)]) == 0
    return target


@contextlib.contextmanager
def serving(artifact: Path, folder: Path, port: int) -> Iterator[Path]:
    """The server, once its own test has passed; gives its report, which is there afterwards."""
    report = folder / "report.json"
    options = ["-e", f"address={HOST}:{port}", "-e", "seconds=60", "--report", str(report)]
    with subprocess.Popen(
        [sys.executable, str(artifact), *options],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "GXO_WORKSPACES": str(folder / "w")},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            assert any("check: completed" in line for line in process.stderr)
            yield report
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def ask(port: int, *packets: bytes) -> bytes:
    """Send each as a packet of its own; gives all until the server closes."""
    with socket.create_connection((HOST, port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for packet in packets:
            sock.sendall(packet)
        return b"".join(iter(lambda: sock.recv(4096), b""))


def test_it_tests_itself(artifact: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--workspace", str(tmp_path), "--report", str(report)]
    done = subprocess.run([sys.executable, artifact, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = read_report(report)["workload_results"]
    assert {name: one["status"] for name, one in results.items()} == dict.fromkeys(
        ("clients", "lines", "hang-up", "answers", "connect", "ask", "listen", "check"), "Completed"
    ) | {"linger": "Skipped"}
    assert (tmp_path / "store/color").read_text() == "dark green"


def test_others_ask_it(artifact: Path, tmp_path: Path) -> None:
    port = free_port()
    request = b"SET city Z\xc3\xbcrich\nGET city\nPING\n\n"
    expected = "OK\nZürich\nPONG\n".encode()
    with serving(artifact, tmp_path, port) as report:
        assert ask(port, request) == expected
        assert ask(port, *(bytes([byte]) for byte in request)) == expected
        assert ask(port, request[:5], request[5:24], request[24:]) == expected
        nc = subprocess.run(
            [find("nc"), HOST, str(port)], input=request, capture_output=True, timeout=10
        )
        assert nc.stdout == expected
        assert ask(port, b"GET city\nget city\nGET CITY\nSET a\nSET ../x y\n\n").splitlines() == [
            "Zürich".encode(),
            *[b"ERROR unknown command"] * 4,
        ]
        with ThreadPoolExecutor(20) as pool:
            answers = pool.map(
                lambda n: ask(port, b"SET k%d %d\nGET k%d\n\n" % (n, n, n)), range(40)
            )
            assert list(answers) == [b"OK\n%d\n" % n for n in range(40)]
        assert ask(port, b"\xff\n\n") == b""
        assert ask(port, b"PI") == b"", "who is too slow is hung up on"
        assert ask(port, b"PING\n\n") == b"PONG\n"
    results = json.loads(report.read_text())["workload_results"]
    assert (results["lines"]["records_in"], results["lines"]["record_errors"]) == (49, 2)
    assert results["hang-up"]["records_in"] == 2
    assert [*(tmp_path / "w").iterdir()] == []
