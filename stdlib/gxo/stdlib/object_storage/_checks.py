"""Parameters that can be none: a key, metadata."""

from collections.abc import Mapping

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.object_storage._store import SHA256

LONGEST_KEY = 1024
"""Bytes of a key, of any provider."""

MAX_METADATA = 2048
"""Bytes of all names and values of an object's metadata: what S3 takes, the others take more."""


def check_key(key: str, name: str = "key") -> None:
    """ParameterError for a text that no object can be called."""
    if not key:
        raise ParameterError(f"`{name}` is empty")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ParameterError(f"`{name}` holds a lone surrogate, which is no text") from None
    if "\0" in key or size > LONGEST_KEY:
        what = "holds a NUL character" if "\0" in key else f"has {size} bytes"
        raise ParameterError(f"`{name}` {what}: a key has at most {LONGEST_KEY} bytes, and no NUL")


def check_metadata(metadata: Mapping[str, str]) -> None:
    """ParameterError for what cannot be sent in headers."""
    for name, value in metadata.items():
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise ParameterError(
                f"metadata: {shown_text(name)} can be no name",
                hint="it consists of letters, digits, `-` and `_`",
            )
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            raise ParameterError(
                f"metadata: the value of `{name}` cannot be sent in a header",
                hint="it is printable ASCII without blanks at its ends; base64 carries anything",
            )
        if name.lower() == SHA256:
            raise ParameterError(f"metadata: `{SHA256}` is where the content's checksum is kept")
    if sum(len(name) + len(value) for name, value in metadata.items()) > MAX_METADATA:
        raise ParameterError(f"metadata: it is longer than {MAX_METADATA} bytes")


def check_header(name: str, value: str) -> None:
    """ParameterError for a text that no header can carry."""
    if not (value and value.isascii() and value.isprintable()) or value != value.strip():
        raise ParameterError(f"`{name}` is {shown_text(value)}: it is printable ASCII")


def place(bucket: str, key: str) -> str:
    """An object as messages call it."""
    return f"object {shown_text(key)} in bucket '{bucket}'"


def missing_bucket(bucket: str, origin: str) -> ModuleError:
    """There is none of that name."""
    return ModuleError(
        f"there is no bucket '{bucket}' at {origin}",
        hint="check `bucket`, `endpoint` and `region`; object_storage:manage_bucket makes one",
    )
