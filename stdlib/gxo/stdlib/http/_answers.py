"""What a request is answered with."""

import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from gxo.runtime.errors import ParameterError
from gxo.stdlib.connection._data import Encoding, to_bytes
from gxo.stdlib.http._fields import as_json, field, with_field

Fields = list[tuple[bytes, bytes]]

HAVE_NO_BODY = frozenset([204, 304])
_OURS = frozenset(["connection", "content-length", "date", "transfer-encoding", "upgrade"])
"""Header fields that the server itself is responsible for."""


class Answer:
    """A status, header fields, a body. closes: it is the last one of its connection."""

    __slots__ = ("body", "closes", "fields", "status")

    def __init__(self, status: int, fields: Fields, body: bytes, *, closes: bool = False) -> None:
        self.status = status
        self.fields = fields
        self.body = body
        self.closes = closes

    def head(self, *, closes: bool) -> bytes:
        """What is sent before the body. closes: whether it says that the connection ends."""
        reason = _REASONS.get(self.status, b"")
        lines = [b"HTTP/1.1 %d %b\r\n" % (self.status, reason)]
        lines += [b"%b: %b\r\n" % each for each in self.fields]
        lines.append(_date(int(time.time())))
        if self.status not in HAVE_NO_BODY:
            lines.append(b"Content-Length: %d\r\n" % len(self.body))
        if closes or self.closes:
            lines.append(b"Connection: close\r\n")
        return b"".join([*lines, b"\r\n"])


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return b"Date: %b\r\n" % formatdate(second, usegmt=True).encode("ascii")


_REASONS = {one.value: one.phrase.encode("ascii") for one in HTTPStatus}


def plain(status: int, text: str) -> Answer:
    """What the server itself says before it closes the connection."""
    return Answer(status, [TEXT], f"{text}\n".encode(), closes=True)


TEXT = (b"Content-Type", b"text/plain; charset=utf-8")
_CONTENT_TYPES = {"string": b"text/plain; charset=utf-8"}


def make_answer(
    status: int,
    headers: Mapping[str, str | Sequence[str]] | None,
    body: str | None,
    json: Any,
    encoding: Encoding,
) -> Answer:
    """An answer as a playbook describes it. ParameterError when it cannot be sent."""
    if not 200 <= status <= 599:
        raise ParameterError(f"`status_code` is {status}: it is from 200 to 599")
    if body is not None and json is not None:
        raise ParameterError("give one of `body` and `json`")
    fields = list(_fields(headers or {}))
    if json is not None:
        content, content_type = as_json(json), b"application/json"
    else:
        content = to_bytes(body or "", encoding, "body")
        content_type = _CONTENT_TYPES.get(encoding, b"application/octet-stream")
    if not content:
        return Answer(status, fields, content)
    if status in HAVE_NO_BODY:
        raise ParameterError(f"an answer with the status {status} has no body")
    return Answer(status, with_field(fields, "Content-Type", content_type), content)


def _fields(headers: Mapping[str, str | Sequence[str]]) -> Iterator[tuple[bytes, bytes]]:
    for name, values in headers.items():
        if name.lower() in _OURS:
            raise ParameterError(f"headers: '{name}' is not for an answer to set")
        for value in [values] if isinstance(values, str) else values:
            yield field(name, value)
