"""Checksums for providers that do not take SHA-256: MD5, made of the very bytes that are sent."""

import asyncio
import base64
import hashlib
import re

from gxo.runtime.errors import ModuleError
from gxo.stdlib.object_storage._store import SHA256, Body

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class Md5:
    """The MD5 of what was added. It finds damage; nobody's honesty depends on it."""

    def __init__(self) -> None:
        self._made = hashlib.md5(usedforsecurity=False)

    @property
    def base64(self) -> str:
        """As headers have it."""
        return base64.b64encode(self._made.digest()).decode()

    async def add(self, body: Body) -> None:
        """Add a body's bytes. ModuleError when they are not those its SHA-256 was made of."""
        sha256 = hashlib.sha256()
        async for piece in body.pieces():
            self._made.update(piece)
            sha256.update(piece)
            await asyncio.sleep(0)  # what is in memory comes without a pause
        if sha256.hexdigest() != body.sha256:
            raise ModuleError(
                "the content changed while it was sent, and no object was made of it",
                hint="send a file that nobody writes to",
            )


async def md5_of(body: Body) -> str:
    """In base64."""
    made = Md5()
    await made.add(body)
    return made.base64


def take_noted(metadata: dict[str, str]) -> str:
    """The SHA-256 that `put_object` has noted, which is no longer in the metadata then; or none.

    Others note one under that name as well, in base64 or of something else: that is metadata.
    """
    if not _SHA256.fullmatch(metadata.get(SHA256, "")):
        return ""
    return metadata.pop(SHA256).lower()


def hexadecimal(checksum: str) -> str:
    """A checksum in base64 as others write it; empty for what is none."""
    try:
        return base64.b64decode(checksum, validate=True).hex()
    except ValueError:
        return ""
