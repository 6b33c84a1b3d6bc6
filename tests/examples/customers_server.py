"""The API of the nightly-sync example: a real HTTP server on loopback, with customers in pages.

A stand-in for a shop's CRM. It gives tokens for client credentials (RFC 6749, section 4.4), takes
back the first one while page 2 is asked for, and answers the first request for page 3 with a 503.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET = "nightly-sync", "crm-secret-for-tests"
PAGE = 100
COUNT = 250


class Crm:
    """What the server knows. customers: by id. tokens: those that hold; asked: paths, in order."""

    def __init__(self) -> None:
        self.customers = {number: customer(number) for number in range(1, COUNT + 1)}
        self.tokens: list[str] = []
        self.given = 0
        self.asked: list[str] = []
        self.address = ""


def customer(number: int) -> dict[str, object]:
    return {
        "id": number,
        "name": f"Zoë {number}, Ltd." if number % 2 else f'"{number}"; DROP TABLE customers',
        "email": f"{number}@example.com",
        "credit": f"{number}.50",
        "changed": f"2026-11-{number % 28 + 1:02}T08:00:00Z",
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    crm: Crm

    def do_POST(self) -> None:
        crm = self.crm
        crm.asked.append(self.path)
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            self._answer(401, {"error": "invalid_client"})
        elif (
            form.get("grant_type") != ["client_credentials"]
            or "customers.read" not in form["scope"]
        ):
            self._answer(400, {"error": "invalid_request"})
        else:
            crm.given += 1
            token = f"token-for-tests-{crm.given}"
            crm.tokens = [token]
            self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def do_GET(self) -> None:
        crm = self.crm
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        first_time = self.path not in crm.asked
        crm.asked.append(self.path)
        if page == 2 and crm.given == 1:
            crm.tokens.clear()
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in crm.tokens:
            self._answer(401, {"error": "invalid_token"})
        elif page == 3 and first_time:
            self._answer(503, {"error": "come back"})
        else:
            self._page(page)

    def _page(self, page: int) -> None:
        numbers = sorted(self.crm.customers)[(page - 1) * PAGE : page * PAGE]
        body: dict[str, object] = {"customers": [self.crm.customers[one] for one in numbers]}
        if page * PAGE < len(self.crm.customers):
            body["next"] = f"{self.crm.address}/customers?page={page + 1}"
        self._answer(200, body)

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def crm() -> Iterator[Crm]:
    """The server while it runs."""
    known = Crm()
    handler = type("TestCrm", (_Handler,), {"crm": known})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    known.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
