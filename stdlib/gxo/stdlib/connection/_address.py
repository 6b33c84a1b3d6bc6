"""Where to connect to and where to listen: `host:port`, or a socket's path in the workspace."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gxo.runtime.errors import ParameterError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_text

NETWORKS = ("tcp", "udp", "unix")

UNIX = "network == 'unix'"
"""With which an address is a path of the workspace."""


def check_network(network: str) -> None:
    """ParameterError when it is none."""
    if network not in NETWORKS:
        raise ParameterError(f"`network` is {shown_text(network)}: it is tcp, udp or unix")


def host_and_port(address: str, *, any_host: bool = False) -> tuple[str, int]:
    """Of `host:port` or `[::1]:port`; `:port` is every address of this host if `any_host`.

    ParameterError for anything else.
    """
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise no_address(address, "write an IPv6 address in brackets: [::1]:8080")
    if not colon or not (port.isascii() and port.isdigit()) or int(port[:6]) > 65535:
        raise no_address(address, "it is a host and a port: 127.0.0.1:8080")
    if not host and not any_host:
        raise no_address(address, "it names no host: 127.0.0.1:8080")
    if "\0" in host or len(host) > 255:
        raise no_address(address)
    return host, int(port)


def no_address(address: str, hint: str = "the host's name is not possible") -> ParameterError:
    """The error for a text that is no address."""
    return ParameterError(f"`address` is {shown_text(address)}", hint=hint)


def written(address: Any) -> str:
    """A socket's address as people write it; the path, or nothing, for a Unix socket."""
    if not isinstance(address, tuple):
        return address if isinstance(address, str) else ""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def socket_path(files: Jail, path: str) -> Iterator[str]:
    """A path that the system takes for a Unix socket in the workspace, however long it is there.

    ModuleError when its folder is not there, SecurityError when it is outside.
    """
    with files.doing("use the socket", path), files.entry(path) as (folder, name):
        yield os.path.join(f"/proc/self/fd/{folder}", name)


async def resolved(host: str, port: int, kind: int) -> list[tuple[int, Any]]:
    """The addresses of a host, as (family, address). OSError when there are none."""
    import asyncio

    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=kind, flags=socket.AI_PASSIVE if not host else 0
    )
    return [(family, address) for family, _, _, _, address in found]
