"""What the modules ask of a provider: one bucket of one account.

    store = await open_store(ctx, provider="s3", bucket="logs", ...)        _providers.py
    there = await store.head("a.txt")                                       None: no such object
    written = await store.put("a.txt", body, writing)                       small, or
    upload = await store.begin("a.txt", writing)                            large: in parts
    await upload.part(1, body); ...; written = await upload.complete()      or `upload.abort()`

A provider raises ModuleError (`_wire.refusal`) with the bucket, the key and what to do, and none of
what was sent. Only what a caller can act upon has a class of its own.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record


class Body(Protocol):
    """Bytes to send, that can be sent again. size: of them. sha256, md5: in hexadecimal."""

    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    def pieces(self) -> AsyncIterator[bytes]:
        """The bytes from the first one on, each time it is called."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is there.

    etag: without quotes. version: empty where the bucket keeps none. sha256, md5: of the content in
    hexadecimal, empty where the provider knows none. Two sources of `sha256`: the checksum that the
    provider keeps, and the metadata that `put_object` writes (`SHA256`); it is not in `metadata`.
    """

    size: int
    etag: str
    version: str = ""
    sha256: str = ""
    md5: str = ""
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


SHA256 = "sha256"
"""The name of the metadata that holds the content's checksum; each provider adds its prefix."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How an object is to be written.

    sha256: of the whole content, kept as metadata. create_only: fail where an object is (raise
    Conflict). if_match: fail where it is no longer the one with this etag (raise Conflict).
    """

    size: int
    sha256: str
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    create_only: bool = False
    if_match: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    etag: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer whose bytes arrive. pieces: from `start` on; a drop ends them with `Dropped`."""

    found: Found
    pieces: AsyncIterator[bytes]


class Dropped(ModuleError):  # noqa: N818 - what happened
    """The connection was lost in the middle of an object; who reads can go on from there."""


class Denied(ModuleError):  # noqa: N818 - as above
    """The provider does not tell us: keys that may write need not be allowed to look."""


class Conflict(ModuleError):  # noqa: N818 - as above
    """`create_only` or `if_match` does not hold, or the object was replaced while it was read."""


class Upload(Protocol):
    """A large object that is sent in parts and appears as a whole, or not at all."""

    async def part(self, number: int, body: Body) -> None:
        """Send one, beside others where `Store.in_flight` says so. number: from 1, its place."""
        ...

    async def complete(self) -> Written:
        """All parts are there: make the object of them."""
        ...

    async def abort(self) -> None:
        """Forget the parts; the provider keeps none. Of one that is complete or gone: nothing."""
        ...


class Store(Protocol):
    """One bucket.

    bucket: its name. origin: the server's address, for messages. in_flight: how many parts may be
    sent at a time. least_part: bytes that each part but the last one has at least; each is a
    multiple of part_unit. most_parts: of one object.
    """

    bucket: str
    origin: str
    in_flight: int
    least_part: int
    part_unit: int
    most_parts: int

    async def head(self, key: str, version: str = "") -> Found | None:
        """What is known of an object; None when there is none, or no bucket. May raise Denied."""
        ...

    async def exists(self) -> bool:
        """Whether there is such a bucket; True also where the provider does not tell us."""
        ...

    def read(
        self, key: str, *, version: str = "", start: int = 0, if_match: str = ""
    ) -> AbstractAsyncContextManager[Reading]:
        """An object's bytes from `start` on; ModuleError when there is none.

        if_match: only as long as the object is the one with this etag, else Conflict.
        """
        ...

    async def put(self, key: str, body: Body, writing: Writing) -> Written:
        """Write an object by one request."""
        ...

    async def begin(self, key: str, writing: Writing) -> Upload:
        """Begin to write an object in parts."""
        ...

    def pages(self, prefix: str, delimiter: str) -> AsyncGenerator[list[Record], None]:
        """The objects whose keys begin with the prefix, sorted by key, a page at a time.

        A record is {key, size, etag, last_modified (RFC 3339), storage_class}; with a delimiter,
        what has it behind the prefix is one record {prefix} instead.
        """
        ...

    async def delete(self, key: str, version: str = "") -> None:
        """Delete an object; also one that is not there."""
        ...
