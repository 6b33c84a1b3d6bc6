"""`http:request` sends and fetches 1 GB in the memory of a few pieces.

A server in a process of its own counts what it gets and makes up what it sends; the memory is the
process's peak beyond what it had after a small transfer.
"""

import asyncio
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gxo.stdlib.http.request import request
from tests.proof.figure import Figure
from tests.stdlib.harness import Bench, FakeClock, run

GB = 1_000_000_000
PIECE = b"0123456789abcdef" * 4096
MOST = 32
"""MiB."""


def prove(scale: float) -> Iterator[Figure]:
    command = [sys.executable, "-m", "tests.proof.transfers"]
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,  # /tmp may be memory
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            for what, grown, wrong in run(_transfers(Path(folder), url, round(GB * scale))):
                yield Figure(f"MiB more at the peak, 1 GB {what}", grown, MOST)
                yield Figure(f"of it lost or changed, 1 GB {what}", wrong, 0)
        finally:
            server.kill()


async def _transfers(folder: Path, url: str, size: int) -> list[tuple[str, float, int]]:
    asyncio.get_running_loop().set_debug(False)
    workbench = Bench(folder, FakeClock())
    try:
        return [await _measured(workbench, url, what, size) for what in CALLS]
    finally:
        await workbench.run.shared.close()
        await workbench.close()


CALLS: dict[str, dict[str, Any]] = {
    "sent": {"method": "PUT", "body_from": "large"},
    "sent in a form": {"method": "POST", "files": [{"field": "f", "path": "large"}]},
    "fetched": {"download_to": "copy"},
    "fetched, and compressed": {"download_to": "copy"},
}


async def _measured(workbench: Bench, url: str, what: str, size: int) -> tuple[str, float, int]:
    await _transfer(workbench, url, what, 1_000_000)
    before = forget_peak()
    wrong = await _transfer(workbench, url, what, size)
    return what, peak() - before, wrong


async def _transfer(workbench: Bench, url: str, what: str, size: int) -> int:
    """How many bytes came not as they left: 0, or all of them."""
    folder = Path(workbench.context.workspace.path)
    with (folder / "large").open("wb") as file:
        for at in range(0, size, len(PIECE)):
            file.write(PIECE[: size - at])
    path = f"{size}/gzip" if "compressed" in what else str(size)
    answer = await request(workbench.context, url=f"{url}/{path}", timeout=600.0, **CALLS[what])
    with (folder / "large").open("rb") as file:
        sent = hashlib.file_digest(file, "sha256").hexdigest()
    if "fetched" in what:
        with (folder / "copy").open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        got = answer["body"]
    return 0 if got == sent else size


def forget_peak() -> float:
    """Begin anew to look for the peak; returns what is in memory now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> float:
    """MiB that were in memory at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


# The server


def serve() -> None:
    """Answer with the digest of the file that was sent, or with as many bytes as asked for."""
    import zlib
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            size, _, kind = self.path[1:].partition("/")
            packer = zlib.compressobj(wbits=31) if kind else None
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            if packer is not None:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            for at in range(0, int(size), len(PIECE)):
                piece = PIECE[: int(size) - at]
                self.chunk(piece if packer is None else packer.compress(piece))
            if packer is not None:
                self.chunk(packer.flush())
            self.wfile.write(b"0\r\n\r\n")

        def chunk(self, piece: bytes) -> None:
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

        def do_PUT(self) -> None:
            self.answer(self.digest(int(self.headers["Content-Length"])))

        def do_POST(self) -> None:
            left = int(self.headers["Content-Length"])
            while (line := self.rfile.readline()) != b"\r\n":  # the head of the form's only part
                left -= len(line)
            size = int(self.path[1:])
            digest = self.digest(size)
            self.rfile.read(left - 2 - size)
            self.answer(digest)

        def digest(self, size: int) -> str:
            digest = hashlib.sha256()
            while size:
                piece = self.rfile.read(min(size, 1 << 20))
                digest.update(piece)
                size -= len(piece)
            return digest.hexdigest()

        def answer(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Only the address is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    serve()
