"""The mock servers of a test, and what the files that its loop waits for have to do with them.

    listens at a mock's address       nothing comes by itself
    a connection to such an address   its other end is in this process, too
    anything else                     the world outside, in which time is real

When nothing has arrived at any end of the connections, and nothing is on its way between two of
them, only a timer can bring the job on.
"""

import fcntl
import socket
import struct
import termios
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from selectors import EVENT_READ, SelectorKey

Address = tuple[str, int]
Way = tuple[Address, Address]
"""Where an end of a connection is, and where its other end is."""

CAN_TELL = hasattr(socket, "TCP_QUICKACK")
"""Whether the system tells what is on its way: Linux does."""


class Servers:
    """The addresses of the mocks, and whether a request is just coming in."""

    def __init__(self) -> None:
        self._mocks: dict[Address, Callable[[], bool]] = {}

    @contextmanager
    def serving(self, address: Address, busy: Callable[[], bool]) -> Iterator[None]:
        """A mock listens there. busy: whether it is about to get a request that begins to come."""
        self._mocks[address] = busy
        try:
            yield
        finally:
            del self._mocks[address]

    @property
    def busy(self) -> bool:
        """Whether a mock is about to get a request."""
        return any(busy() for busy in self._mocks.values())

    def connections(self, keys: Iterable[SelectorKey]) -> Mapping[Way, SelectorKey] | None:
        """The ends of mocks' connections among files; None when one file has to do with no mock."""
        found = {}
        for key in keys:
            local, remote = _addresses(key.fd)
            if local not in self._mocks and remote not in self._mocks:
                return None
            if local is not None and remote is not None:
                found[local, remote] = key
        return found


def in_flight(connections: Mapping[Way, SelectorKey]) -> bool:
    """Whether something is on its way to an end that waits for it."""
    return any(
        key.events & EVENT_READ
        and (other := connections.get((remote, local))) is not None
        # What was delivered is acknowledged late, unless that is asked for.
        and _unacknowledged(other.fd)
        and _acknowledge(key.fd)
        and _unacknowledged(other.fd)
        for (local, remote), key in connections.items()
    )


def _addresses(fd: int) -> tuple[Address | None, Address | None]:
    """Of a socket, and of what it is connected to; None for what is no such socket."""
    try:
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=fd)
    except OSError:  # it is a pipe, say
        return None, None
    try:
        return _address(one.getsockname), _address(one.getpeername)
    finally:
        one.detach()


def _address(ask: Callable[[], object]) -> Address | None:
    try:
        address = ask()
    except OSError:  # it is not connected
        return None
    return address[:2] if isinstance(address, tuple) else None


def _unacknowledged(fd: int) -> bool:
    """Whether the other end's system has not said yet that all which was sent has arrived."""
    count: int = struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)))[0]
    return count > 0


def _acknowledge(fd: int) -> bool:
    """Have the system say at once what has arrived. True."""
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=fd)
    try:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    finally:
        one.detach()
    return True
