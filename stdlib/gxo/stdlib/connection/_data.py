"""Bytes of a connection as text, and the other way round."""

import base64
from typing import Literal

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._sizes import shown_text

Encoding = Literal["string", "base64", "hex"]


def check_encoding(encoding: str) -> None:
    """ParameterError when it is none of `Encoding`."""
    if encoding not in ("string", "base64", "hex"):
        raise ParameterError(f"`encoding` is {shown_text(encoding)}: it is string, base64 or hex")


def to_text(data: bytes, encoding: Encoding) -> str:
    """ModuleError when the bytes are no UTF-8 and have to be."""
    if encoding == "hex":
        return data.hex()
    if encoding == "base64":
        return base64.b64encode(data).decode("ascii")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ModuleError(
            f"what was read is no UTF-8: byte {error.start} is {data[error.start]:#04x}",
            hint="`encoding: base64` reads anything",
        ) from None


_NO_HEX = "a byte is two digits of 0-9 and a-f"


def to_bytes(text: str, encoding: Encoding, parameter: str = "data") -> bytes:
    """ParameterError, of that parameter, when the text is not what the encoding asks for."""
    try:
        if encoding == "hex":
            return bytes.fromhex(text)
        if encoding == "base64":
            return base64.b64decode("".join(text.split()), validate=True)
        return text.encode()
    except UnicodeEncodeError as error:
        raise ParameterError(
            f"`{parameter}` is no text in UTF-8: character {error.start} is {text[error.start]!a}",
        ) from None
    except ValueError as error:  # binascii.Error is one
        why = _NO_HEX if encoding == "hex" else str(error).lower()
        raise ParameterError(f"`{parameter}` is no {encoding}: {why}") from None
