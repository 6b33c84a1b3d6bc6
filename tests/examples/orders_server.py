"""The shop's API of the orders example: a real HTTP server on loopback, with 50,000 orders in pages.

It wants a bearer token, and answers one page and the first request for the customers with a 503.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ORDERS = 50_000
CUSTOMERS = 200
TOKEN = "orders-token-for-tests"
STATUSES = ("paid", "open", "paid", "cancelled", "paid")


def order(number: int) -> dict[str, object]:
    """One order; amounts are quarters, so that their sums are exact in any order."""
    return {
        "id": number,
        "customer_id": number * 7919 % (CUSTOMERS + 5),
        "status": STATUSES[number % len(STATUSES)],
        "amount": (number % 400) / 4,
        "created": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T08:00:00Z",
    }


def customers_csv() -> str:
    rows = [f'{number},"Customer, {number}"' for number in range(CUSTOMERS)]
    return "\n".join(["id,name", *rows]) + "\n"


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    failed: set[str]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, "text/plain", "who are you?")
        elif address.path == "/customers.csv":
            if self._first_time("customers"):
                self._answer(503, "text/plain", "come back")
            else:
                self._answer(200, "text/csv", customers_csv())
        elif address.path == "/orders":
            self._orders(parse_qs(address.query))
        else:
            self._answer(404, "text/plain", "not here")

    def _orders(self, query: dict[str, list[str]]) -> None:
        page, size = int(query["page"][0]), int(query["size"][0])
        if page == 3 and self._first_time("page 3"):
            self._answer(503, "text/plain", "come back")
            return
        first = (page - 1) * size
        items = [order(number) for number in range(first, min(first + size, ORDERS))]
        self._answer(200, "application/json", json.dumps({"orders": items}))

    def _first_time(self, what: str) -> bool:
        if what in self.failed:
            return False
        self.failed.add(what)
        return True

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def shop() -> Iterator[tuple[str, set[str]]]:
    """The server's address, and what it has answered with a 503 so far."""
    failed: set[str] = set()
    handler = type("TestShop", (Shop,), {"failed": failed})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", failed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
