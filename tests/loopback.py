"""A guard: no test reaches further than loopback, whatever becomes of the error that it gets.

It sees what this process does itself, in any thread. A command that a test runs is not seen.
"""

import ipaddress
import socket
import sys
from typing import Any

_outside: list[str] = []


class ReachesOutside(Exception):
    """A test would have reached another host."""


def guard() -> None:
    """Refuse, from here on, each connection and datagram that leaves this host."""
    sys.addaudithook(_watch)


def reached_outside() -> list[str]:
    """What was refused since this was asked last."""
    found = _outside.copy()
    _outside.clear()
    return found


def _watch(event: str, args: tuple[Any, ...]) -> None:
    match event, args:
        case (("socket.connect" | "socket.sendto" | "socket.sendmsg"), (sock, address, *_)):
            if sock.family in (socket.AF_INET, socket.AF_INET6) and address is not None:
                _allow(event, address[0], _is_loopback(address[0]))
        case (("socket.getaddrinfo" | "socket.gethostbyname"), (host, *_)):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            nobody = not name or name == "localhost" or _is_address(name) or _is_only_parsed()
            _allow(event, name, nobody)


def _is_only_parsed() -> bool:
    """Whether `socket.getaddrinfo`, which calls the hook, was told to ask no name server."""
    flags: int = sys._getframe(2).f_locals.get("flags", 0)
    return bool(flags & socket.AI_NUMERICHOST)


def _allow(event: str, target: str, is_inside: bool) -> None:
    if not is_inside:
        _outside.append(f"{event} {target}")
        raise ReachesOutside(f"{event} {target}")


def _is_loopback(host: str) -> bool:
    """Whether packets to it stay here; a name does not, as a name server is asked for it."""
    if host in ("", "localhost"):
        return True
    if not _is_address(host):
        return False
    address = ipaddress.ip_address(host)
    return address.is_loopback or address.is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
