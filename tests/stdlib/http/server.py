"""A real HTTP server on loopback that does what a case scripts, and remembers what it was asked.

/path: {status: 200, headers: {...}, body: text, json: ..., gzip: true, deflate: true}
/path: [first answer, second answer, the last one again and again]
/path: {raw: "bytes instead of an answer"}   {reset: true}   {stall: "half a bo"}
"""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PEM = Path(__file__).parent / "localhost.pem"


class Server(ThreadingHTTPServer):
    """Routes by path; requests as they came, `asked` once there is one; connections counts them."""

    daemon_threads = False

    def __init__(self, routes: dict[str, Any], host: str = "127.0.0.1") -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Handler)
        self.set_routes(routes)
        self.requests: list[dict[str, Any]] = []
        self.asked = threading.Event()
        self.connections = 0
        self.stopping = threading.Event()

    def set_routes(self, routes: dict[str, Any]) -> None:
        self.routes = {
            path: answers if isinstance(answers, list) else [answers]
            for path, answers in routes.items()
        }

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what some cases are about."""

    def next_answer(self, path: str) -> dict[str, Any]:
        answers = self.routes.get(path, [{"status": 404, "body": "no such route"}])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.requests.append(
            {
                "method": self.command,
                "path": self.path,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": self.rfile.read(length).decode(),
                "client": self.client_name(),
            }
        )
        self.server.asked.set()
        found = self.path if self.path in self.server.routes else self.path.partition("?")[0]
        self.play(self.server.next_answer(found))

    def client_name(self) -> str | None:
        """The name in the certificate that the client has shown."""
        shown = isinstance(self.connection, ssl.SSLSocket) and self.connection.getpeercert()
        return dict(pair for [pair] in shown["subject"])["commonName"] if shown else None  # type: ignore[misc, index]

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def play(self, script: dict[str, Any]) -> None:
        if "raw" in script:
            self.wfile.write(script["raw"].encode())
            self.close_connection = True
        elif "reset" in script:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif "stall" in script:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(script["stall"].encode())
            self.server.stopping.wait(10)
            self.close_connection = True
        else:
            self.send(script)

    def send(self, script: dict[str, Any]) -> None:
        body = json.dumps(script["json"]) if "json" in script else script.get("body", "")
        data = body if isinstance(body, bytes) else body.encode()
        headers = dict(script.get("headers", {}))
        if "json" in script:
            headers.setdefault("Content-Type", "application/json")
        if script.get("gzip"):
            data = gzip.compress(data)
            headers["Content-Encoding"] = "gzip"
        if script.get("deflate"):
            data = zlib.compress(data)
            headers["Content-Encoding"] = "deflate"
        self.send_response(script.get("status", 200))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Tests print nothing."""


@contextlib.contextmanager
def serving(
    routes: dict[str, Any],
    *,
    tls: bool = False,
    context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Server]:
    """The server in a thread; its client has to be closed before this ends.

    tls: with the certificate of `localhost.pem`. context: with one of the test's own.
    """
    server = Server(routes, host)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_thread(server):
        try:
            yield server
        finally:
            server.stopping.set()


@contextlib.contextmanager
def in_thread(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serve until the end, then wait for the threads that answer."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
