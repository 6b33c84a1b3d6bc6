"""A proxy on loopback for tests: it forwards requests, and tunnels by CONNECT.

seen: what it was asked, such as `CONNECT localhost:443`. password: what it insists on, if anything.
"""

import contextlib
import select
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.stdlib.http.server import in_thread


class Proxy(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, authorization: str | None) -> None:
        super().__init__(("127.0.0.1", 0), Forwarding)
        self.authorization = authorization
        self.seen: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away."""


class Forwarding(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def admits(self) -> bool:
        self.server.seen.append(f"{self.command} {self.path}")
        if self.server.authorization in (None, self.headers.get("Proxy-Authorization")):
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_CONNECT(self) -> None:
        if not self.admits():
            return
        host, _, port = self.path.rpartition(":")
        try:
            there = socket.create_connection((host, int(port)))
        except OSError:
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        with there:
            pump(self.connection, there)
        self.close_connection = True

    def do_GET(self) -> None:
        if not self.admits():
            return
        url = urlsplit(self.path)
        there = HTTPConnection(url.hostname or "", url.port)
        there.request("GET", url.path, headers={"Host": self.headers["Host"]})
        answer = there.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        there.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tests print nothing."""


def pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    while True:
        readable, _, _ = select.select([one, other], [], [])
        for source, sink in ((one, other), (other, one)):
            if source in readable:
                piece = source.recv(65536)
                if not piece:
                    return
                sink.sendall(piece)


@contextlib.contextmanager
def proxying(authorization: str | None = None) -> Iterator[Proxy]:
    proxy = Proxy(authorization)
    with in_thread(proxy):
        yield proxy
