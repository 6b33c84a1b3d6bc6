"""Sprig's `urlParse` and `urlJoin`, with the rules of Go's `net/url`."""

from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import describe
from gxo.runtime.functions import function
from gxo.runtime.functions.strings import from_bytes, to_bytes
from gxo.runtime.golang.kinds import go_kind, quote

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_PATH = _PLAIN | frozenset("$&+,/:;=@")
_USER = _PLAIN | frozenset("$&+,;=")
_HOST = _PLAIN | frozenset("!$&'()*+,;=:[]<>\"")
_FRAGMENT = _PLAIN | frozenset("$&+,/:;=?@!()*")
_USERINFO = _PLAIN | frozenset("!$&'()*+,;=:%@")
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


@function("urlParse")
def url_parse(text: str) -> dict[str, Any]:
    """Return a URL's parts: scheme, userinfo, host, hostname, path, query, opaque, fragment."""
    try:
        return _parse(text)
    except ValueError as error:
        raise ExpressionError(f"urlParse: {describe(text)} is no URL: {error}") from None


@function("urlJoin")
def url_join(parts: dict[str, Any]) -> str:
    """Return the URL that is made of the parts that `urlParse` names."""
    scheme, host, opaque, path = (_part(parts, name) for name in _JOINED)
    start = f"{scheme}:" if scheme else ""
    user = _join_user(_part(parts, "userinfo"))
    if opaque:
        start += opaque
    else:
        if host or user or (scheme and path):
            start += "//"
        start += user + _escape(host, _HOST)
        path = path if path == "*" else _escape(path, _PATH)
        if path and not path.startswith("/") and host:
            start += "/"
        if not start and ":" in path.partition("/")[0]:
            start = "./"
        start += path
    query, fragment = _part(parts, "query"), _part(parts, "fragment")
    end = f"?{query}" if query else ""
    return start + end + (f"#{_escape(fragment, _FRAGMENT)}" if fragment else "")


_JOINED = ("scheme", "host", "opaque", "path")


def _part(parts: dict[str, Any], name: str) -> str:
    value = parts.get(name, "")
    if not isinstance(value, str):
        raise ExpressionError(
            f"urlJoin: {name} is a text, not {describe(value)} ({go_kind(value)})"
        )
    return value


def _join_user(text: str) -> str:
    if not text:
        return ""
    try:
        user = _authority(f"{text}@host")[0]
    except ValueError as error:
        raise ExpressionError(f"urlJoin: {describe(text)} is no userinfo: {error}") from None
    return f"{user}@"


def _parse(text: str) -> dict[str, Any]:
    address, _, fragment = text.partition("#")
    if any(char < " " or char == "\x7f" for char in address):
        raise ValueError("invalid control character in URL")
    scheme, rest = _scheme(address) if address != "*" else ("", address)
    if rest.endswith("?") and rest.count("?") == 1:
        rest = rest[:-1]
    rest, _, query = rest.partition("?")
    user = host = opaque = ""
    if not rest.startswith("/"):
        if scheme:
            opaque, rest = rest, ""
        elif ":" in rest.partition("/")[0]:
            raise ValueError("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, host = _authority(authority)
    return {
        "scheme": scheme.lower(),
        "host": host,
        "hostname": _hostname(host),
        "path": _unescape(rest),
        "query": query,
        "opaque": opaque,
        "fragment": _unescape(fragment),
        "userinfo": user,
    }


def _scheme(text: str) -> tuple[str, str]:
    for position, char in enumerate(text):
        if char.isascii() and char.isalpha():
            continue
        if position == 0 and char == ":":
            raise ValueError("missing protocol scheme")
        if char == ":":
            return text[:position], text[position + 1 :]
        if position == 0 or char not in "0123456789+-.":
            break
    return "", text


def _authority(text: str) -> tuple[str, str]:
    """Return the userinfo, escaped as Go prints it, and the host of `user:password@host:port`."""
    userinfo, at, host = text.rpartition("@")
    host = _host(host)
    if not at:
        return "", host
    if not _USERINFO.issuperset(userinfo):
        raise ValueError("net/url: invalid userinfo")
    user, colon, password = userinfo.partition(":")
    user, password = _escape(_unescape(user), _USER), _escape(_unescape(password), _USER)
    return user + colon + password, host


def _host(text: str) -> str:
    if text.startswith("["):
        name, bracket, port = text.rpartition("]")
        if not bracket:
            raise ValueError("missing ']' in host")
        _check_port(port)
        before, zone, after = name.partition("%25")
        if zone:
            return _unescape_host(before) + "%" + _unescape(after) + "]" + port
    elif ":" in text:
        _check_port(text[text.rindex(":") :])
    return _unescape_host(text)


def _check_port(text: str) -> None:
    digits = text[1:]
    if text and not (text[0] == ":" and (not digits or (digits.isascii() and digits.isdecimal()))):
        raise ValueError(f"invalid port {quote(text)} after host")


def _hostname(host: str) -> str:
    name, colon, port = host.rpartition(":")
    if colon and (not port or (port.isascii() and port.isdecimal())):
        host = name
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _unescape_host(text: str) -> str:
    """Undo the escapes of a host: only of bytes above ASCII; ASCII must be what a host may have."""
    position = text.find("%")
    while position >= 0:
        if text[position + 1 : position + 2] < "8" and text[position : position + 3] != "%25":
            raise ValueError(f"invalid URL escape {quote(text[position : position + 3])}")
        position = text.find("%", position + 1)
    for char in text:
        if char.isascii() and char != "%" and char not in _HOST:
            raise ValueError(f"invalid character {quote(char)} in host name")
    return _unescape(text)


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    first, *rest = text.split("%")
    result = to_bytes(first)
    for part in rest:
        if len(part) < 2 or not _HEXADECIMAL.issuperset(part[:2]):
            raise ValueError(f"invalid URL escape {quote('%' + part[:2])}")
        result += bytes((int(part[:2], 16),)) + to_bytes(part[2:])
    return from_bytes(result)


def _escape(text: str, allowed: frozenset[str]) -> str:
    if allowed.issuperset(text):
        return text
    chars = to_bytes(text).decode("latin-1")
    return "".join(char if char in allowed else f"%{ord(char):02X}" for char in chars)
