"""How files and parameters stand for each other: content as text, permissions in octal."""

from base64 import b64decode, b64encode
from typing import Literal

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._sizes import shown_text

Encoding = Literal["utf-8", "base64"]


def check_encoding(encoding: str) -> None:
    """ParameterError when it is none of `Encoding`."""
    if encoding not in ("utf-8", "base64"):
        raise ParameterError(f"`encoding` is {shown_text(encoding)}: it is utf-8 or base64")


def to_text(data: bytes, encoding: Encoding, path: str) -> str:
    """A file's bytes as text; ModuleError when they are no UTF-8 and have to be."""
    if encoding == "base64":
        return b64encode(data).decode("ascii")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"{path!r} is no UTF-8 text: byte {error.start} is {data[error.start]:#04x}"
        raise ModuleError(message, hint="set `encoding: base64` for other files") from None


NOT_BASE64 = "leave out `encoding` to write text"


def to_bytes(
    content: str, encoding: Encoding, name: str = "content", hint: str = NOT_BASE64
) -> bytes:
    """What a file gets for a text; ParameterError when it is no base64 and has to be.

    name: the parameter's. hint: what to do then.
    """
    try:
        if encoding == "base64":
            return b64decode("".join(content.split()), validate=True)
        return content.encode()
    except UnicodeEncodeError as error:
        message = f"`{name}` holds a lone surrogate (character {error.start}), which is no text"
        raise ParameterError(message) from None
    except ValueError as error:
        message = f"`{name}` is no base64: {error}"
        raise ParameterError(message, hint=hint) from None


def mode_bits(mode: str) -> int:
    """Permission bits of a FileMode such as "0644"; ParameterError for anything else."""
    if mode.isascii() and mode.isdigit() and len(mode) <= 5 and not set(mode) & {"8", "9"}:
        bits = int(mode, 8)
        if bits <= 0o7777:
            return bits
    raise ParameterError(f"`mode` is {shown_text(mode)}", hint='write permissions in octal: "0644"')


def check_path(name: str, path: str) -> None:
    """ParameterError for a text that no path can be."""
    if not path or "\0" in path:
        what = "is empty" if not path else "holds a NUL character"
        raise ParameterError(f"`{name}` {what}", hint="give a path inside the workspace")
