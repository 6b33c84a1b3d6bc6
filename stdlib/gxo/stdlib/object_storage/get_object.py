"""The module `object_storage:get_object`."""

import hashlib
import os
import stat
from typing import Literal, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Duration, Size, Url, WorkspacePath, module, stores, writes
from gxo.runtime.workspace.jail import REGULAR, Jail
from gxo.stdlib._spool import Spool
from gxo.stdlib.filesystem._content import Encoding, check_encoding, check_path, to_text
from gxo.stdlib.http._client import ENVIRONMENT
from gxo.stdlib.object_storage._checks import check_header, check_key, place
from gxo.stdlib.object_storage._content import PIECE, known_checksum
from gxo.stdlib.object_storage._providers import (
    CREDENTIALS,
    EXCLUDES,
    PLACES,
    REQUIRES,
    Credentials,
    Provider,
    open_store,
)
from gxo.stdlib.object_storage._store import Denied, Found, Store
from gxo.stdlib.object_storage._transfer import reading

MAX_CONTENT = 64 * 1024 * 1024


class Got(TypedDict):
    """etag, size, version, content_type, metadata: of the object. sha256: of its content.

    changed: whether the file at `destination` did. verified_by: the checksum of the object that its
    content was compared with. content: without `destination`. path: with it.
    """

    etag: str
    size: int
    version: str
    changed: bool
    sha256: str
    verified_by: Literal["sha256", "md5", "size"]
    content_type: str
    metadata: dict[str, str]
    content: NotRequired[str]
    path: NotRequired[str]


@module(
    "object_storage:get_object",
    changes="by_call",
    effects=[
        *PLACES,
        stores("bucket"),
        writes("destination"),
    ],
    needs=["httpx", "sniffio", "cryptography; provider == 'gcs'"],
    environment=ENVIRONMENT,
    options=["credentials", "provider", CREDENTIALS],
    at_most_one=EXCLUDES,
    requires=REQUIRES,
    idempotent=True,
    returns={"path": ["destination"]},
)
async def get_object(
    ctx: Context,
    *,
    provider: Provider = "s3",
    endpoint: Url | None = None,
    region: str | None = None,
    bucket: str,
    key: str,
    version: str | None = None,
    destination: WorkspacePath | None = None,
    encoding: Encoding = "utf-8",
    max_bytes: Size | None = None,
    credentials: Credentials | None = None,
    timeout: Duration = 60.0,
) -> Got:
    """Read an object of a bucket, into a file of the workspace or as text.

    The file is replaced as a whole when all bytes are there and their checksum is right, or not at
    all; of a large object only pieces are in memory. Nothing is read when it has that content
    already. After a lost connection the rest is read on, as long as the object is still the same.

    `verified_by` says with which checksum the content was compared: the SHA-256 that `put_object`
    or the provider keeps with the object, or the MD5 that its etag is, unless it came in parts or
    is encrypted with a key of the account's. Where there is none, only the `size` was compared.

    In a dry run an object is read that becomes text, and no file is written.

    Args:
        provider: Whose service it is.
        endpoint: The address of the service; by default the provider's own.
        region: Where the bucket is, for S3; by default us-east-1.
        bucket: The bucket's name; of Azure the container's.
        key: The object's name.
        version: Which one of its versions; by default the newest.
        destination: What the file is called, in the workspace; without it, the summary has
            `content`.
        encoding: How `content` shows bytes: as text, or as base64.
        max_bytes: How large the object may be; 64 MiB unless it becomes a file.
        credentials: Who asks; without, requests are not signed.
        timeout: How long the server may be silent.

    Returns:
        The object's `etag`, `size`, `version` (empty where the bucket keeps none), `content_type`
        and `metadata`, the `sha256` of its content, and what it was `verified_by`; `content`, or
        `path` of the file and whether it has `changed`.

    Raises:
        ParameterError: a key or credentials that can be none.
        ModuleError: there is no such bucket, object or version; the credentials are wrong or may
            not read; the object is too large, arrives damaged, or is no UTF-8 text; the disk is
            full; the server cannot be reached.

    Example:
        name: restore
        lifecycle: {policy: run_once}
        process:
          module: object_storage:get_object
          params:
            region: eu-west-1
            bucket: backups
            key: db/today.dump
            destination: today.dump
            credentials:
              access_key_id: '{{ secret "AWS_ACCESS_KEY_ID" }}'
              secret_access_key: '{{ secret "AWS_SECRET_ACCESS_KEY" }}'
    """
    check_key(key)
    check_encoding(encoding)
    if version is not None:
        check_header("version", version)
    store = await open_store(
        ctx,
        provider=provider,
        endpoint=endpoint,
        region=region,
        bucket=bucket,
        credentials=credentials,
        timeout=timeout,
    )
    if destination is None:
        ctx.changes_nothing()
        limit = MAX_CONTENT if max_bytes is None else max_bytes
        return await _as_text(ctx, store, key, version or "", encoding, limit)
    check_path("destination", destination)
    if ctx.dry_run:
        what = f"read {place(bucket, key)} into {destination}"
        foreseen: Got = ctx.would(what, {"path": destination}, writes=destination)
        return foreseen
    same = await _unchanged(ctx, store, key, version or "", destination)
    return same or await _as_file(ctx, store, key, version or "", destination, max_bytes)


async def _as_text(
    ctx: Context, store: Store, key: str, version: str, encoding: Encoding, limit: int
) -> Got:
    data = bytearray()
    async with reading(ctx, store, key, version) as (found, pieces):
        _check_size(store, key, found, limit)
        async for piece in pieces:
            data += piece
    sums = Sums(found)
    await ctx.offload(len(data), sums.add, data)
    got = _summary(store, key, found, sums, changed=False)
    got["content"] = await ctx.offload(len(data), to_text, bytes(data), encoding, key)
    return got


async def _as_file(
    ctx: Context, store: Store, key: str, version: str, path: str, max_bytes: int | None
) -> Got:
    with Spool(ctx, path) as spool:
        await spool.check()
        async with reading(ctx, store, key, version) as (found, pieces):
            _check_size(store, key, found, max_bytes)
            sums = Sums(found)
            async for piece in pieces:
                sums.add(piece)
                await spool.add(piece)
        got = _summary(store, key, found, sums, changed=True)
        got["path"] = path
        await spool.save()
    return got


async def _unchanged(ctx: Context, store: Store, key: str, version: str, path: str) -> Got | None:
    """The summary, if the file has the content of the object already."""
    if not await ctx.thread(ctx.workspace.exists, path):
        return None
    try:
        found = await store.head(key, version)
    except Denied:
        return None
    if found is None or not known_checksum(found)[0]:
        return None
    sums = await ctx.thread(_sums_of_file, ctx.workspace, path, found)
    if sums is None or not sums.are_right:
        return None
    got = _summary(store, key, found, sums, changed=False)
    got["path"] = path
    return got


class Sums:
    """The checksums of an object's content: SHA-256, and the one that its provider knows."""

    def __init__(self, found: Found) -> None:
        self.size = 0
        self._found = found
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._algorithm, self._known = known_checksum(found)

    def add(self, piece: bytes | bytearray) -> None:
        """The next bytes of it."""
        self.size += len(piece)
        self._sha256.update(piece)
        if self._algorithm == "md5":
            self._md5.update(piece)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def verified_by(self) -> Literal["sha256", "md5", "size"]:
        return self._algorithm or "size"

    @property
    def are_right(self) -> bool:
        """Whether all that is known of the content fits."""
        made = {"sha256": self._sha256, "md5": self._md5}.get(self._algorithm)
        fits = made is None or made.hexdigest() == self._known
        return fits and self.size == self._found.size


def _sums_of_file(files: Jail, path: str, found: Found) -> Sums | None:
    """Those of a file, if it is as large as the object. Blocks."""
    if not stat.S_ISREG((status := files.stat(path)).st_mode) or status.st_size != found.size:
        return None
    sums = Sums(found)
    with open(files.open(path, os.O_RDONLY | REGULAR), "rb") as file:
        while piece := file.read(PIECE):
            sums.add(piece)
    return sums


def _check_size(store: Store, key: str, found: Found, limit: int | None) -> None:
    if limit is not None and found.size > limit:
        raise ModuleError(
            f"{place(store.bucket, key)} has {found.size} bytes, more than {limit} (max_bytes)",
            hint="raise `max_bytes`, or give a `destination`",
        )


def _summary(store: Store, key: str, found: Found, sums: Sums, *, changed: bool) -> Got:
    if not sums.are_right:
        raise ModuleError(
            f"{place(store.bucket, key)} is damaged: its content is not that of its "
            f"{sums.verified_by}",
            hint="read it again; if that does not help, it was damaged where it is kept",
        )
    return {
        "etag": found.etag,
        "size": found.size,
        "version": found.version,
        "changed": changed,
        "sha256": sums.sha256,
        "verified_by": sums.verified_by,
        "content_type": found.content_type,
        "metadata": dict(found.metadata),
    }
