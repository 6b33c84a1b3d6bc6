"""The audit hook by which a test sees what the process is about to do, whichever library does it.

Python has no way to remove one, so there is one a process, and it does nothing while no test runs.
"""

import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gxo.runtime.testing.session import Session

STARTS = frozenset(("os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"))
"""Events of a program that is started."""

PYTHONS_OWN = frozenset(("ctypes.util", "platform", "uuid"))
"""Modules of Python that ask programs of the host about the host."""

_active: list["Session"] = []
_lock = threading.Lock()
_state = {"installed": False}
_getaddrinfo: Callable[..., list[Any]] = socket.getaddrinfo


def watch(session: "Session") -> None:
    """From now on the process keeps to what the session allows."""
    with _lock:
        if not _state["installed"]:
            sys.addaudithook(_hook)
            _state["installed"] = True
        _active.append(session)
        if session.network.allows_any:
            socket.getaddrinfo = _look_up


def unwatch(session: "Session") -> None:
    """The session is over. Harmless when repeated."""
    with _lock:
        if session in _active:
            _active.remove(session)
        if not _active:
            socket.getaddrinfo = _getaddrinfo


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _active:
        return
    if event.startswith("socket."):
        for session in tuple(_active):
            _check_socket(session, event, args)
    elif event in STARTS and not _is_pythons_own():
        for session in tuple(_active):
            session.commands.check_started(args[0])


def _check_socket(session: "Session", event: str, args: tuple[Any, ...]) -> None:
    network = session.network
    match event, args:
        case (("socket.connect" | "socket.sendto"), (sock, address)):
            network.check_connect(sock.family, address)
        case "socket.sendmsg", (sock, address) if address is not None:
            network.check_connect(sock.family, address)
        case "socket.bind", (sock, address):
            network.check_bind(sock.type, sock.family, address)
        case "socket.getaddrinfo", (host, port, *_) if host and not _is_only_parsed():
            network.check_name(host, port)
        case "socket.gethostbyname", (host, *_):
            network.check_name(host, None)
        case "socket.gethostbyaddr", (host, *_):
            network.check_address(host)
        case "socket.getnameinfo", ((host, *_), *_):
            network.check_address(host)


def _is_pythons_own() -> bool:
    frame = sys._getframe(2)
    while (caller := frame.f_back) is not None:
        frame = caller
        if frame.f_globals.get("__name__") in PYTHONS_OWN:
            return True
    return False


def _is_only_parsed() -> bool:
    """Whether `socket.getaddrinfo`, which calls the hook, was told to ask no name server."""
    caller = sys._getframe(3).f_locals
    return bool(caller.get("flags", 0) & socket.AI_NUMERICHOST)


def _look_up(host: Any, port: Any, *args: Any, **kinds: Any) -> list[Any]:
    """`socket.getaddrinfo`, which lets a test reach the addresses of the names that it allows."""
    found = _getaddrinfo(host, port, *args, **kinds)
    if host:
        for session in tuple(_active):
            session.network.found(host, [address[0] for *_, address in found])
    return found
