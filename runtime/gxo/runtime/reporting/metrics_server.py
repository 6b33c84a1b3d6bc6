"""`--metrics-listen`: metrics of the running job over HTTP, for Prometheus to scrape.

    GET /metrics HTTP/1.1       the only page; one answer a connection

It has a thread and an event loop of its own: so a scrape neither waits for the job's loop nor holds
it up, and what listens there is no sign that the job makes progress. It ends with the job.
"""

import asyncio
import threading
from typing import TYPE_CHECKING

from gxo.runtime.errors import UsageError
from gxo.runtime.reporting.metrics import CONTENT_TYPE, metrics

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

LARGEST_REQUEST = 8 << 10
"""Bytes of a request's head."""

LONGEST = 5.0
"""Seconds that a request may take to arrive, and its answer to be taken."""

MOST_AT_ONCE = 16
"""Connections that are served; more are closed at once."""

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
}


class MetricsServer:
    """Serves until it is closed. url: where."""

    def __init__(self, run: "Run", host: str, port: int) -> None:
        """port: 0 for any that is free. UsageError when nothing can listen there."""
        self._run = run
        self._connections = 0
        self._closed = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        listening = asyncio.start_server(self._serve, host, port, limit=LARGEST_REQUEST)
        try:
            self._server = self._loop.run_until_complete(listening)
        except OSError as error:
            self._loop.close()
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot serve metrics on {host}:{port}: {reason}") from error
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self._thread = threading.Thread(target=self._work, name="gxo-metrics", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the metrics are."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """Serve no more; connections that are open are cut."""
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()

    def _work(self) -> None:
        """The thread."""
        self._loop.run_until_complete(self._until_closed())
        self._loop.close()

    async def _until_closed(self) -> None:
        await self._closed.wait()
        self._server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # lets the connections close

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= MOST_AT_ONCE:
                async with asyncio.timeout(LONGEST):
                    writer.write(await self._answer(reader))
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the other side is gone, or too slow
        finally:
            self._connections -= 1
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _response(431)
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/1."):
            return _response(400)
        if path.partition("?")[0] != "/metrics":
            return _response(404)
        if method not in ("GET", "HEAD"):
            return _response(405)
        return _response(200, metrics(self._run), with_body=method == "GET")


def _response(status: int, text: str | None = None, with_body: bool = True) -> bytes:
    body = (f"{REASONS[status]}\n" if text is None else text).encode()
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\n"
        f"Content-Type: {CONTENT_TYPE if status == 200 else 'text/plain'}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n"
        f"{'Allow: GET, HEAD' + chr(13) + chr(10) if status == 405 else ''}"
        "\r\n"
    )
    return head.encode() + (body if with_body else b"")
