"""The module `object_storage:put_object`."""

from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, Size, Url, WorkspacePath, module, reads, stores
from gxo.stdlib._sizes import shown_size
from gxo.stdlib.filesystem._content import Encoding, check_encoding, check_path, to_bytes
from gxo.stdlib.http._client import ENVIRONMENT
from gxo.stdlib.object_storage._checks import check_header, check_key, check_metadata, place
from gxo.stdlib.object_storage._content import (
    Content,
    file_content,
    known_checksum,
    open_file,
    text_content,
)
from gxo.stdlib.object_storage._providers import (
    CREDENTIALS,
    EXCLUDES,
    PLACES,
    REQUIRES,
    Credentials,
    Provider,
    open_store,
)
from gxo.stdlib.object_storage._store import Conflict, Denied, Found, Store, Writing, Written
from gxo.stdlib.object_storage._transfer import send_parts


class Put(TypedDict):
    """etag, version: those of the object. size, sha256: of its content."""

    etag: str
    size: int
    version: str
    changed: bool
    sha256: str


@module(
    "object_storage:put_object",
    changes="by_call",
    effects=[*PLACES, stores("bucket"), reads("source")],
    needs=["httpx", "sniffio", "cryptography; provider == 'gcs'"],
    environment=ENVIRONMENT,
    options=["credentials", "provider", CREDENTIALS],
    at_most_one=EXCLUDES,
    requires=REQUIRES,
    one_of=["source", "content"],
    idempotent=True,
)
async def put_object(
    ctx: Context,
    *,
    provider: Provider = "s3",
    endpoint: Url | None = None,
    region: str | None = None,
    bucket: str,
    key: str,
    source: WorkspacePath | None = None,
    content: str | None = None,
    encoding: Encoding = "utf-8",
    content_type: str | None = None,
    metadata: Mapping[str, str] | None = None,
    create_only: bool = False,
    if_match: str | None = None,
    part_size: Size = 8 * 1024 * 1024,
    credentials: Credentials | None = None,
    timeout: Duration = 60.0,
) -> Put:
    """Write an object into a bucket: a file of the workspace, or a text.

    Nothing is sent when the object has that content already, and the type and metadata asked for.
    The checksum that tells is SHA-256, kept with the object as metadata `sha256`; of an object that
    somebody else has written, the provider's own SHA-256 or MD5 if there is one. Credentials that
    may not read objects write each time.

    A file is read twice, first for its checksums, and never held in memory. What is larger than
    `part_size` goes in parts, 4 at a time, and the object appears when all of them are there; if
    that fails or is cancelled the parts are deleted. Each request carries the checksum of its
    bytes, by which the server refuses what arrives damaged. One that fails by a lost connection or
    a status like 503 is sent again, 5 times at most; of a large object only that part.

    With a condition, `create_only` or `if_match`, the server decides: of several jobs that write at
    the same time, one succeeds. Such a write is not sent again when its answer was lost.

    In a dry run nothing is asked and nothing is sent.

    Args:
        provider: Whose service it is.
        endpoint: The address of the service; by default the provider's own.
        region: Where the bucket is, for S3; by default us-east-1.
        bucket: The bucket's name; of Azure the container's.
        key: The object's name.
        source: A file of the workspace. One of `source` and `content`.
        content: The content as text.
        encoding: `base64` when `content` is bytes in base64.
        content_type: What the content is, such as `text/csv`.
        metadata: Names and values that are kept with the object.
        create_only: Fail when there is such an object, whatever is in it.
        if_match: Fail unless the object is still the one with this etag.
        part_size: How large the parts of a large object are, at least 5 MiB; they grow where it
            would have too many.
        credentials: Who asks; without, requests are not signed.
        timeout: How long the server may be silent.

    Returns:
        The object's `etag`, `size` and `version` (empty where the bucket keeps none), the `sha256`
        of its content, and whether it has `changed`.

    Raises:
        ParameterError: a key, metadata or credentials that can be none.
        ModuleError: there is no such bucket or file; the credentials are wrong or may not write;
            the condition does not hold; the server cannot be reached.

    Example:
        name: backup
        lifecycle: {policy: run_once}
        process:
          module: object_storage:put_object
          params:
            region: eu-west-1
            bucket: backups
            key: db/today.dump
            source: today.dump
            credentials:
              access_key_id: '{{ secret "AWS_ACCESS_KEY_ID" }}'
              secret_access_key: '{{ secret "AWS_SECRET_ACCESS_KEY" }}'
    """
    check_key(key)
    check_encoding(encoding)
    check_metadata(metadata or {})
    for name, value in (("content_type", content_type), ("if_match", if_match)):
        if value is not None:
            check_header(name, value)
    if create_only and if_match is not None:
        raise ParameterError("`create_only` and `if_match` exclude each other")
    store = await open_store(
        ctx,
        provider=provider,
        endpoint=endpoint,
        region=region,
        bucket=bucket,
        credentials=credentials,
        timeout=timeout,
    )
    if part_size < store.least_part:
        raise ParameterError(f"`part_size` is {part_size}: it is at least {store.least_part} bytes")
    if ctx.dry_run:
        return await _foresee(ctx, bucket, key, source, content, encoding)
    wanted = _Wanted(key, content_type or "", metadata or {}, create_only, if_match or "")
    if source is None:
        data = await ctx.offload(len(content or ""), to_bytes, content or "", encoding)
        return await _put(ctx, store, wanted, await ctx.offload(len(data), text_content, data))
    check_path("source", source)
    async with open_file(ctx, source) as (descriptor, size):
        parts = _fitting(store, size, part_size)
        file = await ctx.thread(file_content, ctx, source, descriptor, size, parts)
        return await _put(ctx, store, wanted, file)


async def _foresee(
    ctx: Context, bucket: str, key: str, source: str | None, content: str | None, encoding: Encoding
) -> Put:
    if source is None:
        size = len(to_bytes(content or "", encoding))
        what = shown_size(size)
    else:
        check_path("source", source)
        size = (await ctx.thread(ctx.workspace.stat, source)).st_size
        what = f"{source} ({shown_size(size)})"
    foreseen: Put = ctx.would(f"write {what} to {place(bucket, key)}", {"size": size})
    return foreseen


class _Wanted(NamedTuple):
    """What the object is to be besides its content, and under which condition it is written."""

    key: str
    content_type: str
    metadata: Mapping[str, str]
    create_only: bool
    if_match: str

    def is_like(self, found: Found) -> bool:
        """Whether an object has the type and metadata that are asked for, if any are."""
        metadata = {name.lower(): value for name, value in self.metadata.items()}
        return found.content_type == (self.content_type or found.content_type) and all(
            found.metadata.get(name) == value for name, value in metadata.items()
        )


async def _put(ctx: Context, store: Store, wanted: _Wanted, content: Content) -> Put:
    key, content_type, metadata, create_only, if_match = wanted
    if not create_only and not if_match:
        there = await _known(store, key)
        if there is not None and wanted.is_like(there) and await _is_same(ctx, there, content):
            return _summary(there.etag, there.version, content, changed=False)
    writing = Writing(content.size, content.sha256, content_type, metadata, create_only, if_match)
    try:
        written = await _written(ctx, store, key, content, writing)
    except Conflict:
        raise _condition_failed(store.bucket, wanted) from None
    return _summary(written.etag, written.version, content, changed=True)


async def _written(
    ctx: Context, store: Store, key: str, content: Content, writing: Writing
) -> Written:
    if len(content.parts) == 1:
        return await store.put(key, content.parts[0], writing)
    return await send_parts(ctx, store, key, content.parts, writing)


def _condition_failed(bucket: str, wanted: _Wanted) -> ModuleError:
    if wanted.create_only:
        return ModuleError(
            f"there is {place(bucket, wanted.key)} already",
            hint="without `create_only` it is replaced",
        )
    return ModuleError(
        f"{place(bucket, wanted.key)} is no longer the one with the etag {wanted.if_match!r}",
        hint="somebody else has written it: read it again before you replace it",
    )


async def _known(store: Store, key: str) -> Found | None:
    """The object, if there is one that we may see."""
    try:
        return await store.head(key)
    except Denied:
        return None


async def _is_same(ctx: Context, there: Found, content: Content) -> bool:
    algorithm, its = known_checksum(there)
    if there.size != content.size or not algorithm:
        return False
    if algorithm == "sha256":
        return its == content.sha256
    return its == await ctx.thread(content.checksum, algorithm)


def _summary(etag: str, version: str, content: Content, *, changed: bool) -> Put:
    return {
        "etag": etag,
        "size": content.size,
        "version": version,
        "changed": changed,
        "sha256": content.sha256,
    }


def _fitting(store: Store, size: int, part_size: int) -> int:
    """How large parts are, so that there are not too many of them."""
    needed = max(part_size, -(-size // store.most_parts))
    return -(-needed // store.part_unit) * store.part_unit
