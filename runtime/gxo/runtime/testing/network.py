"""What Python itself may reach in a test: this host, and what `allow.network` names.

    connect 127.0.0.1:8080            passes: loopback
    look up db.example.com            refused: the test may not reach db.example.com:5432
    allow: {network: ["db.example.com:5432"]}
    look up db.example.com            passes, and so does port 5432 of the addresses that it gives

The process's audit hook (hook.py) asks before anything leaves it. It sees the sockets of whatever
library, but not those of commands (confine.py).
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from gxo.runtime.errors import SecurityError, UsageError

LOCAL_NAMES = frozenset(("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"))

KERNEL = {getattr(socket, name, None) for name in ("AF_NETLINK", "AF_ALG", "AF_SYSTEM")}
"""Families of sockets by which a process speaks with its own kernel."""

Refuse = Callable[[str, str], SecurityError]
"""Makes the error for what a test may not do, of a message and a hint, and keeps in mind that it
was tried."""


class Network:
    """What one test may reach: a part of its session."""

    def __init__(
        self, allowed: Iterable[str], workspace: Callable[[], str], refuse: Refuse
    ) -> None:
        """allowed: `host:port`, an IPv6 address in brackets. UsageError for anything else.

        workspace: gives the folder whose sockets may be used.
        """
        self._allowed = {split_address(text) for text in allowed}
        self._workspace = workspace
        self._refuse = refuse
        self._found: set[tuple[str, int]] = set()

    @property
    def allows_any(self) -> bool:
        """Whether it may reach another host at all, and so has names to look up."""
        return bool(self._allowed)

    def check_connect(self, family: int, address: Any) -> None:
        """SecurityError when a connection or datagram to the address would leave this host."""
        if family == socket.AF_UNIX:
            self._check_path(address)
        elif family in (socket.AF_INET, socket.AF_INET6):
            host, port = _bare(address[0]), address[1]
            if not (is_local(host) or self._may_reach(host, port)):
                raise self._refused(host, port)
        elif family not in KERNEL:
            kind = getattr(family, "name", family)
            raise self._refuse(f"the test may not reach {address!r} ({kind})", _HOW_TO_MOCK)

    def check_bind(self, kind: int, family: int, address: Any) -> None:
        """SecurityError when others than this host could reach what is bound to the address."""
        if family not in (socket.AF_INET, socket.AF_INET6):
            return
        host, port = _bare(address[0]), address[1]
        if kind == socket.SOCK_DGRAM and port == 0:
            return  # of a client: where it sends to is what counts
        if not is_loopback(host):
            raise self._refuse(
                f"the test may not take connections at {shown(host or '*', port)}, where others"
                " than this host could reach it",
                f"in a test, listen on the loopback address: {shown('127.0.0.1', port)}",
            )

    def check_name(self, name: str | bytes, port: object) -> None:
        """SecurityError when a name server would be asked for the name."""
        host = _bare(name)
        if host in LOCAL_NAMES or not host or _address(host) is not None:
            return
        if not any(host == allowed for allowed, _port in self._allowed):
            raise self._refused(host, port)

    def check_address(self, host: str | bytes) -> None:
        """SecurityError when a name server would be asked whose address or name it is."""
        bare = _bare(host)
        if _address(bare) is None:
            self.check_name(bare, None)
        elif not is_local(bare) and not any(bare == one for one, _ in self._allowed | self._found):
            raise self._refused(bare, None)

    def found(self, name: str | bytes, addresses: Iterable[str]) -> None:
        """A name has been looked up: where it is allowed, so are the addresses that it has."""
        host = _bare(name)
        ports = [port for allowed, port in self._allowed if allowed == host]
        own = {str(_address(address) or address) for address in addresses}
        self._found.update((address, port) for address in own for port in ports)

    def _may_reach(self, host: str, port: int) -> bool:
        address = str(_address(host) or host)
        return (address, port) in self._allowed or (address, port) in self._found

    def _check_path(self, address: Any) -> None:
        path = os.fsdecode(address)
        folder = os.path.realpath(self._workspace())
        if path.startswith("\0") or not os.path.realpath(path).startswith(f"{folder}/"):
            raise self._refuse(
                f"the test may not reach the socket {path!r}, which is not in its workspace",
                _HOW_TO_MOCK,
            )

    def _refused(self, host: str, port: object) -> SecurityError:
        where = shown(host, port) if port not in (None, "", 0) else host
        others = sorted(f"{name}:{number}" for name, number in self._allowed if name == host)
        hint = _HOW_TO_MOCK
        if others:
            hint = f"the test's `allow` names {', '.join(others)}, and not {where}"
        elif ":" in where:
            hint += f', or let the test reach it: `allow: {{network: ["{where}"]}}`'
        return self._refuse(f"the test may not reach {where}: it reaches this host only", hint)


_HOW_TO_MOCK = "let a test:mock_http_server answer, or put a test:mock_module in the module's place"


def split_address(text: str) -> tuple[str, int]:
    """The host, in lower case, and the port of `host:port`. UsageError for anything else."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(
            f"`allow.network` holds {text!r}, which is not `host:port`",
            hint="an IPv6 address stands in brackets: `[fd00::1]:443`",
        )
    return str(_address(bare) or _bare(bare)), int(port)


def shown(host: str, port: object) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_local(host: str) -> bool:
    """Whether what is sent there stays on this host: loopback, and no address at all."""
    address = _address(host)
    return is_loopback(host) or (address is not None and address.is_unspecified)


def is_loopback(host: str) -> bool:
    """Whether it is a loopback address, or a name of one."""
    address = _address(host)
    return host in LOCAL_NAMES or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _bare(host: str | bytes) -> str:
    text = host if isinstance(host, str) else host.decode("ascii", "replace")
    return text.rstrip(".").lower()
