"""The head of a request, read strictly: what two servers could read in two ways is refused.

    GET /users?id=7 HTTP/1.1    ─>    Head: method GET, path /users, query {id: "7"},
    Host: example.org                       headers {host: "example.org"}, length 0

h11 reads it. Before and after that is refused what h11 lets pass and somebody on the way could
understand otherwise (RFC 9112, sections 2.2, 5.2, 6.1 and 11.2): lines that end without CR,
folded lines, control characters, more than one length.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import h11

MOST_BYTES = 64 * 1024
"""Bytes of a request line and its header fields."""

MOST_FIELDS = 200

MOST_PARAMETERS = 1000

_FORBIDDEN = re.compile(rb"(?<!\r)\n|\r[^\n]|\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([^\r]*)", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]+")
_JOINED_BY = {"cookie": "; "}


class Refused(Exception):  # noqa: N818 - it is the client's
    """A request that is answered at once, and is the last one of its connection."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Head:
    """What a request is before its body.

    path: decoded. query: a parameter that comes several times is a list. headers: by lower-case
    name; those of one name are joined by commas, cookies by semicolons. length: bytes of the body;
    None when it comes in chunks. is_last: its connection ends with it.
    """

    __slots__ = ("headers", "is_last", "length", "method", "path", "query")

    def __init__(self, request: h11.Request, length: int | None) -> None:
        self.method = request.method.decode("ascii")
        self.path, self.query = _address(self.method, request.target.decode("ascii"))
        self.headers = _joined(request)
        self.length = length
        options = self.headers.get("connection", "").lower().split(",")
        self.is_last = request.http_version == b"1.0" or "close" in map(str.strip, options)


def end_of_head(received: bytearray, searched: int) -> int | None:
    """How many bytes the head has, if all of it was received.

    searched: how many bytes were looked through already. Refused as soon as it cannot become one.
    """
    found = received.find(b"\r\n\r\n", max(searched - 3, 0))
    end = found + 4 if found >= 0 else len(received)
    if end > MOST_BYTES:
        raise Refused(431, f"the head has more than {MOST_BYTES} bytes")
    if forbidden := _FORBIDDEN.search(received, max(searched - 2, 0), end):
        raise Refused(400, f"byte {forbidden.start()} of the head has no place there")
    return end if found >= 0 else None


def read_head(text: bytes) -> tuple[Head, h11.Connection]:
    """All of a head, and what reads the body behind it. Refused when it is none."""
    if text.count(b"\n") > MOST_FIELDS + 2:
        raise Refused(431, f"there are more than {MOST_FIELDS} header fields")
    reader = h11.Connection(h11.SERVER, MOST_BYTES)
    reader.receive_data(text)
    request = next_event(reader)
    assert isinstance(request, h11.Request), "it is the first of a connection, and complete"
    if request.http_version not in (b"1.0", b"1.1"):
        raise Refused(505, "it is HTTP 1.0 or 1.1")
    if request.method == b"CONNECT":
        raise Refused(501, "this is no proxy")
    return Head(request, _length(request, text)), reader


def next_event(reader: h11.Connection) -> Any:
    """What h11 makes of what it was given. Refused when that breaks the rules of HTTP."""
    try:
        return reader.next_event()
    except h11.RemoteProtocolError as error:
        why = str(error).partition(": b")[0]  # behind that it quotes the client
        raise Refused(error.error_status_hint, why) from None


def check_end_of_chunks(end: h11.EndOfMessage, text: bytes) -> None:
    """Refuse what could end elsewhere for others: fields behind the chunks, a line without CR.

    text: the last that was read of it.
    """
    if end.headers:
        raise Refused(400, "fields behind a body are not taken")
    if not text.endswith(b"\r\n\r\n"):
        raise Refused(400, "the chunks do not end with an empty line")


def _length(request: h11.Request, text: bytes) -> int | None:
    """How many bytes the body has; None when it comes in chunks."""
    lengths = _LENGTH.findall(text)
    chunked = any(name == b"transfer-encoding" for name, _ in request.headers)
    if len(lengths) + chunked > 1:
        raise Refused(400, "it has more than one length")
    if chunked and request.http_version == b"1.0":
        raise Refused(400, "HTTP 1.0 has no chunks")
    if not lengths:
        return None if chunked else 0
    length: bytes = lengths[0].rstrip()
    if not length.isdigit():
        raise Refused(400, "its length is no number")
    return int(length)


def _address(method: str, target: str) -> tuple[str, dict[str, str | list[str]]]:
    """The path and the query of a request's target."""
    if target == "*" and method == "OPTIONS":
        return target, {}
    if not target.startswith("/"):
        origin = _ORIGIN.match(target)
        if origin is None:
            raise Refused(400, "its target is neither a path nor an address")
        target = target[origin.end() :]
    if "#" in target or _BAD_ESCAPE.search(target):
        raise Refused(400, "its target is not well formed")
    path, _, query = target.partition("?")
    try:
        text = unquote_to_bytes(path).decode() if "%" in path else path
        return text or "/", _parameters(query) if query else {}
    except UnicodeDecodeError:
        raise Refused(400, "its target is no UTF-8") from None


def _parameters(query: str) -> dict[str, str | list[str]]:
    if query.count("&") >= MOST_PARAMETERS:
        raise Refused(400, f"there are more than {MOST_PARAMETERS} query parameters")
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="strict"):
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _joined(request: h11.Request) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii"), _text(raw_value)
        if name in headers:
            value = f"{headers[name]}{_JOINED_BY.get(name, ', ')}{value}"
        headers[name] = value
    return headers


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:  # older clients send Latin-1 (RFC 9110, section 5.5)
        return value.decode("latin-1")
