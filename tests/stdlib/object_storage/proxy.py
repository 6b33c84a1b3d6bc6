"""A server on the way to a service, which loses connections and holds up what goes through it.

with proxy(service.port) as way:
    way.cuts = [Cut("up", 3_000_000), Cut("down", 100)]    the first connections, each in turn
    way.hold = b"?uploads"                                 answers to requests that have this in them
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Way = Literal["up", "down"]


@dataclass(frozen=True)
class Cut:
    """What the first connection meets that has so many bytes to carry this way.

    It is dropped; with `stalls`, nothing more goes through it instead. then: called before.
    """

    way: Way
    after: int
    stalls: bool = False
    then: Callable[[], object] = lambda: None


class Proxy:
    """port: where it listens. asked: what clients have sent, of each connection the first 64 KiB.

    held: once a connection stalls, or an answer is held up; `release` lets all of them go on.
    """

    def __init__(self, target: int) -> None:
        self.cuts: list[Cut] = []
        self.cut_all: Cut | None = None
        self.hold: bytes | None = None
        self.held = threading.Event()
        self.released = threading.Event()
        self.asked: list[bytearray] = []
        self._target = target
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self._open: list[socket.socket] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in [self._listener, *self._open]:
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            self.asked.append(bytearray())
            held = threading.Event()
            for way, one, other in (("up", client, server), ("down", server, client)):
                arguments = (way, one, other, self.asked[-1], held)
                self._threads.append(threading.Thread(target=self._pump, args=arguments))
                self._threads[-1].start()

    def _pump(
        self,
        way: Way,
        one: socket.socket,
        other: socket.socket,
        asked: bytearray,
        held: threading.Event,
    ) -> None:
        """Carry what comes from one side to the other."""
        carried = 0
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if way == "up":
                    asked += data[: 65536 - len(asked)]
                    if self.hold is not None and self.hold in data:
                        held.set()
                elif held.is_set():
                    self.held.set()
                    self.released.wait()
                carried += len(data)
                cut = self._cut(way, carried)
                if cut is None:
                    other.sendall(data)
                    continue
                other.sendall(data[: cut.after - carried])
                cut.then()
                if cut.stalls:
                    self.held.set()
                    self.released.wait()
                drop(other)
                one.shutdown(socket.SHUT_WR)
                while one.recv(65536):  # or who still sends would wait, as nothing is reset
                    pass
                return
            other.shutdown(socket.SHUT_WR)

    def _cut(self, way: Way, carried: int) -> Cut | None:
        """What happens to a connection that has carried so much."""
        with self._lock:
            for cut in self.cuts:
                if cut.way == way and carried > cut.after:
                    self.cuts.remove(cut)
                    return cut
        always = self.cut_all
        happens = always is not None and always.way == way and carried > always.after
        return always if happens else None


def drop(*socks: socket.socket) -> None:
    """End both connections at once, in the middle of what they carry; the descriptors stay."""
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """One that leads to the service on this port."""
    one = Proxy(target)
    try:
        yield one
    finally:
        one.close()
