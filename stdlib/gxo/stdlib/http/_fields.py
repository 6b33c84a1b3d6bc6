"""Header fields, and JSON as a body: what requests and answers have in common."""

import json
import re
from typing import Any

from gxo.runtime.errors import ParameterError

Fields = list[tuple[bytes, bytes]]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAK = re.compile(r"[\r\n\v\f\0]")


def field(name: str, value: str) -> tuple[bytes, bytes]:
    """A header field. ParameterError when its value would end it and begin another one."""
    if not _TOKEN.fullmatch(name):
        raise ParameterError(f"headers: {name!r} is no name of a header")
    if has_break(value):
        raise ParameterError(f"headers: the value of '{name}' has a line break or NUL in it")
    try:
        return name.encode("ascii"), value.strip().encode()
    except UnicodeEncodeError:
        raise ParameterError(f"headers: the value of '{name}' is no valid text") from None


def to_bytes(param: str, text: str) -> bytes:
    """The text as UTF-8; bytes that were none before they became text are as they were."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise ParameterError(f"{param}: it holds a lone surrogate, which is no text") from None


def check_text(param: str, text: str) -> None:
    """ParameterError when it cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParameterError(f"{param}: it holds a lone surrogate, which is no text") from None


def has_break(value: str) -> bool:
    """Whether the text cannot be a header's value."""
    return _BREAK.search(value) is not None


def as_json(value: Any) -> bytes:
    """ParameterError when the value cannot be written as JSON."""
    try:
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise ParameterError(f"json: it cannot be written as JSON: {error}") from None


def has(fields: Fields, name: str) -> bool:
    """Whether there is a field of that name."""
    wanted = name.lower().encode()
    return any(known.lower() == wanted for known, _ in fields)


def with_field(fields: Fields, name: str, value: bytes) -> Fields:
    """The fields, and this one unless there is one of that name."""
    return fields if has(fields, name) else [*fields, (name.encode(), value)]
