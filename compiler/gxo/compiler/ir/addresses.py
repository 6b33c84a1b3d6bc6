"""Where an address leads, as the manifest shows it, and nothing that lets anybody in.

    before:  postgresql://app:{{ .password }}@db-1/orders?sslrootcert=ca.pem
    after:   hosts: dynamic postgresql://db-1/orders     a password can have what ends it
             reads: ca.pem

    before:  https://API.example.com./orders/{{ .id }}
    after:   hosts: api.example.com (https://API.example.com./orders/{{ .id }})
             ports: api.example.com:443

A host is told only where nothing else could be meant: where something in the address is unusual, or
computed in the part that names the host, all of it counts as dynamic. A password with a `/` that is
not written `%2F` makes an address that cannot be read; of such a one only the scheme is shown.
"""

import ipaddress
import re
import socket
from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote

from gxo.compiler.ir.texts import Text, is_known, joined

PORTS = {
    "http": 80,
    "https": 443,
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mssql": 1433,
    "oracle": 1521,
    "ssh": 22,
    "dns": 53,
}
"""Where a service is, by the scheme, unless its address says otherwise."""

_PARTS = re.compile(
    r"""(?:(?P<scheme>[^/?#:]+)://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<rest>.*)""", re.DOTALL
)
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::[\d\ue000-\uf8ff]*)?")
_PLAIN_USER = re.compile(r"[^\s\\@\[\]]*")
"""Who logs in, where all readers of addresses agree what that is."""
_PLAIN_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)(?:%\w+)?\]|([\w.-]+))(?::(\d{1,5}))?")
_IPV4 = re.compile(r"[0-9][0-9a-fA-FxX.]*")
_USER_INSIDE = re.compile(r"://[^\s/?#@\"'`]*@")
_QUERY_INSIDE = re.compile(r"(://[^\s?#\"'`]*)[?#][^\"'`]*")
_FIRST, _LAST = 0xE000, 0xF8FF
"""Characters of nobody, which stand for actions while the address around them is taken apart."""

_FILES = frozenset(["sqlite"])
"""The schemes of databases that are files of the workspace."""


class Place(NamedTuple):
    """What an address leads to; `what` of a dynamic one is the expression."""

    kind: Literal["hosts", "ports", "reads", "writes"]
    what: str
    dynamic: bool = False
    detail: str = ""


def places(address: Text) -> Iterator[Place]:
    """What a connection to an address touches: a host and its port, or a database's file."""
    masked, actions = _masked(address)
    parts = _PARTS.fullmatch(masked)
    assert parts is not None
    scheme, authority, path = (parts[name] or "" for name in ("scheme", "authority", "path"))
    if scheme.lower() in _FILES:
        yield from _files(path, parts["rest"], actions)
        return
    user, _, host = authority.rpartition("@")
    if not scheme:
        shown = path
    elif _HOST.fullmatch(host) is None:
        shown = f"{scheme}://..."
    else:
        shown = f"{scheme}://{host}{path}"
    shown = _with_actions(shown, actions)
    named = _PLAIN_HOST.fullmatch(host if scheme else path)
    unusual = _PLAIN_USER.fullmatch(user) is None or _has_action(scheme + authority)
    if named is None or unusual or (not scheme and actions):
        yield Place("hosts", shown, dynamic=True)
    else:
        yield from _host(named, PORTS.get(scheme.lower()), shown if scheme else "")
    certificate = parse_qs(parts["rest"].removeprefix("?")).get("sslrootcert", [])
    for file in certificate if scheme.lower() in PORTS else ():
        yield Place("reads", _with_actions(file, actions), _has_action(file))


def place(scheme: str, host: Text, port: Text | None) -> Iterator[Place]:
    """What a connection touches of which the host and the port are known apart."""
    named = _PLAIN_HOST.fullmatch(_bracketed(joined(host))) if is_known(host) else None
    if named is None or (named[3] and port):
        yield Place("hosts", joined(host), dynamic=True)
    elif port is None or (is_known(port) and joined(port).isdecimal()):
        number = int(joined(port)) if port else PORTS.get(scheme)
        yield from _host(named, number, "")
    else:
        name = normal_host(named[1] or named[2])
        yield Place("hosts", name)
        yield Place("ports", f"{name}:{joined(port)}", dynamic=True)


def normal_host(host: str) -> str:
    """The host in the one form that means it: lower case, no dot at its end, IP addresses short."""
    name = host.lower().removesuffix(".")
    try:
        if _IPV4.fullmatch(name):  # also 127.1 and 0x7f000001, which the system takes
            return socket.inet_ntoa(socket.inet_aton(name))
        found = ipaddress.ip_address(name)
    except (OSError, ValueError):
        return name
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _host(named: re.Match[str], port: int | None, detail: str) -> Iterator[Place]:
    host = normal_host(named[1] or named[2])
    number = int(named[3]) if named[3] else port
    yield Place("hosts", host, detail=detail)
    if number is not None:
        yield Place("ports", f"[{host}]:{number}" if ":" in host else f"{host}:{number}")


def _files(path: str, rest: str, actions: list[str]) -> Iterator[Place]:
    file = unquote(path.removeprefix("/"))
    if file not in ("", ":memory:"):
        what, dynamic = _with_actions(file, actions), _has_action(file)
        yield Place("reads", what, dynamic)
        if parse_qs(rest.removeprefix("?")).get("mode") != ["ro"]:
            yield Place("writes", what, dynamic)


def _bracketed(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def _masked(address: Text) -> tuple[str, list[str]]:
    """The address with a character for each action, and the actions without what lets in."""
    actions: list[str] = []

    def mask(action: str) -> str:
        actions.append(_QUERY_INSIDE.sub(r"\1", _USER_INSIDE.sub("://", action)))
        return chr(min(_FIRST + len(actions) - 1, _LAST))

    masked = (part.text if part.known else mask(part.text) for part in address)
    return "".join(masked), actions


def _has_action(text: str) -> bool:
    return any(_FIRST <= ord(character) <= _LAST for character in text)


def _with_actions(text: str, actions: list[str]) -> str:
    def action(found: re.Match[str]) -> str:
        number = ord(found[0]) - _FIRST
        return actions[number] if number < len(actions) else found[0]

    return re.sub(f"[{chr(_FIRST)}-{chr(_LAST)}]", action, text)
