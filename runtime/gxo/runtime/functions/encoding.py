"""Sprig's encodings and checksums. Text that does not decode gives Go's message as the result."""

import base64
import binascii
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
    data = to_bytes(text).replace(b"\n", b"").replace(b"\r", b"")
    body = data.rstrip(b"=")
    padding = len(data) - len(body)
    if set(body) <= _BASE64 and len(data) % 4 == 0 and padding <= 2:
        return from_bytes(base64.b64decode(data))
    return f"illegal base64 data at input byte {_first_fault(to_bytes(text), _BASE64, 4)}"


@function("b32enc")
def b32enc(text: str) -> str:
    """Return the text in base32."""
    return base64.b32encode(to_bytes(text)).decode()


@function("b32dec")
def b32dec(text: str) -> str:
    """Return the text that is given in base32; what is not base32 gives a text that says so."""
    data = to_bytes(text).replace(b"\n", b"").replace(b"\r", b"")
    try:
        return from_bytes(base64.b32decode(data))
    except binascii.Error:
        return f"illegal base32 data at input byte {_first_fault(to_bytes(text), _BASE32, 8)}"


def _first_fault(data: bytes, alphabet: frozenset[int], group: int) -> int:
    """Return the position that Go names: of a stray byte, of bad padding, or the end."""
    count = 0
    for position, byte in enumerate(data):
        if byte in b"\r\n":
            continue
        if byte not in alphabet:
            return position if byte != ord("=") or count % group < 2 else _padding(data, position)
        count += 1
    return len(data) - count % group if count % group else len(data)


def _padding(data: bytes, position: int) -> int:
    rest = data[position:].replace(b"\n", b"").replace(b"\r", b"")
    return position + len(rest) - len(rest.lstrip(b"="))


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
