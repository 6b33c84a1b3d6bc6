"""Sprig's encodings and checksums. Text that does not decode gives Go's message as the result."""

import base64
import zlib
from hashlib import sha1, sha256

from gxo.runtime.functions import function
from gxo.runtime.functions.strings import from_bytes, to_bytes

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BASE32 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@function("b64enc")
def b64enc(text: str) -> str:
    """Return the text in base64."""
    return base64.b64encode(to_bytes(text)).decode()


@function("b64dec")
def b64dec(text: str) -> str:
    """Return the text that is given in base64; what is not base64 gives a text that says so."""
    data = base64_bytes(text)
    if data is None:
        return f"illegal base64 data at input byte {_base64_fault(to_bytes(text))}"
    return from_bytes(data)


def base64_bytes(text: str) -> bytes | None:
    """Return what is given in base64, which lines may break; None when it is not base64."""
    data = to_bytes(text).replace(b"\n", b"").replace(b"\r", b"")
    body = data.rstrip(b"=")
    padding = len(data) - len(body)
    if set(body) <= _BASE64 and len(data) % 4 == 0 and padding <= 2:
        return base64.b64decode(data)
    return None


@function("b32enc")
def b32enc(text: str) -> str:
    """Return the text in base32."""
    return base64.b32encode(to_bytes(text)).decode()


@function("b32dec")
def b32dec(text: str) -> str:
    """Return the text that is given in base32; what is not base32 gives a text that says so."""
    data = to_bytes(text).replace(b"\n", b"").replace(b"\r", b"")
    try:
        end = _base32_end(data)
    except _StrayByteError as error:
        return f"illegal base32 data at input byte {error.position}"
    return from_bytes(base64.b32decode(data[:end].ljust(-(-end // 8) * 8, b"=")))


class _StrayByteError(Exception):
    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def _base32_end(data: bytes) -> int:
    """Return where padding begins, after which Go looks no further than it must.

    Raises: _StrayByteError
    """
    for at, byte in enumerate(data):
        filled, left = at % 8, len(data) - at - 1
        if byte == ord("=") and filled >= 2 and left < 8:
            if left + filled < 7:
                raise _StrayByteError(len(data))
            for other in range(at + 1, at + 8 - filled):
                if data[other] != ord("="):
                    raise _StrayByteError(other - 1)
            if filled in (3, 6):
                raise _StrayByteError(at)
            return at
        if byte not in _BASE32:
            raise _StrayByteError(at)
    if len(data) % 8:
        raise _StrayByteError(len(data) - len(data) % 8)
    return len(data)


def _base64_fault(data: bytes) -> int:
    """Return the position that Go names in what is not base64."""
    count = 0
    for position, byte in enumerate(data):
        if byte in _BASE64:
            count += 1
        elif byte == ord("=") and count % 4 >= 2:
            return _base64_padding(data, position, count % 4)
        elif byte not in b"\r\n":
            return position
    return len(data) - count % 4


def _base64_padding(data: bytes, position: int, filled: int) -> int:
    """Return where padding is wrong that starts at `position`, after `filled` of 4 characters."""
    rest = [at for at in range(position + 1, len(data)) if data[at] not in b"\r\n"]
    if filled == 2:
        if not rest:
            return len(data)
        second = rest.pop(0)
        if data[second] != ord("="):
            return second - 1
    return rest[0]


@function("sha1sum")
def sha1sum(text: str) -> str:
    """Return the SHA-1 sum of the text in hexadecimal."""
    return sha1(to_bytes(text), usedforsecurity=False).hexdigest()


@function("sha256sum")
def sha256sum(text: str) -> str:
    """Return the SHA-256 sum of the text in hexadecimal."""
    return sha256(to_bytes(text)).hexdigest()


@function("adler32sum")
def adler32sum(text: str) -> str:
    """Return the Adler-32 sum of the text as a decimal number."""
    return str(zlib.adler32(to_bytes(text)))
