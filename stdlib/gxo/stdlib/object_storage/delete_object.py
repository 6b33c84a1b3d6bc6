"""The module `object_storage:delete_object`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Duration, Url, module, stores
from gxo.stdlib.http._client import ENVIRONMENT
from gxo.stdlib.object_storage._checks import check_header, check_key, missing_bucket, place
from gxo.stdlib.object_storage._providers import (
    CREDENTIALS,
    EXCLUDES,
    PLACES,
    REQUIRES,
    Credentials,
    Provider,
    open_store,
)
from gxo.stdlib.object_storage._store import Denied, Found


class Deleted(TypedDict):
    """What was deleted: etag, size, version; empty where there was nothing, or we may not look."""

    etag: str
    size: int
    version: str
    changed: bool


@module(
    "object_storage:delete_object",
    changes="by_call",
    effects=[*PLACES, stores("bucket")],
    needs=["httpx", "sniffio", "cryptography; provider == 'gcs'"],
    environment=ENVIRONMENT,
    options=["credentials", "provider", CREDENTIALS],
    at_most_one=EXCLUDES,
    requires=REQUIRES,
    idempotent=True,
)
async def delete_object(
    ctx: Context,
    *,
    provider: Provider = "s3",
    endpoint: Url | None = None,
    region: str | None = None,
    bucket: str,
    key: str,
    version: str | None = None,
    credentials: Credentials | None = None,
    timeout: Duration = 60.0,
) -> Deleted:
    """Delete an object of a bucket; one that is not there is no error.

    In a bucket that keeps versions the object is only hidden, and its versions stay; with `version`
    that one is deleted, for good.

    In a dry run nothing is asked and nothing is deleted.

    Args:
        provider: Whose service it is.
        endpoint: The address of the service; by default the provider's own.
        region: Where the bucket is, for S3; by default us-east-1.
        bucket: The bucket's name; of Azure the container's.
        key: The object's name.
        version: Delete this one of its versions.
        credentials: Who asks; without, requests are not signed.
        timeout: How long the server may be silent.

    Returns:
        `changed`: whether there was such an object; its `etag`, `size` and `version`. Credentials
        that may delete and not read do not tell, which counts as a change.

    Raises:
        ParameterError: a key or credentials that can be none.
        ModuleError: there is no such bucket; the credentials are wrong or may not delete; the
            server cannot be reached.

    Example:
        name: tidy
        lifecycle: {policy: run_once}
        process:
          module: object_storage:delete_object
          params:
            region: eu-west-1
            bucket: backups
            key: db/yesterday.dump
            credentials:
              access_key_id: '{{ secret "AWS_ACCESS_KEY_ID" }}'
              secret_access_key: '{{ secret "AWS_SECRET_ACCESS_KEY" }}'
    """
    check_key(key)
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
    if ctx.dry_run:
        foreseen: Deleted = ctx.would(f"delete {place(bucket, key)}")
        return foreseen
    found: Found | None = Found(size=0, etag="")
    try:
        found = await store.head(key, version or "")
    except Denied:
        pass  # it may be there
    if found is not None:
        await store.delete(key, version or "")
    elif not await store.exists():
        raise missing_bucket(bucket, store.origin)
    there = found or Found(size=0, etag="")
    return {
        "etag": there.etag,
        "size": there.size,
        "version": there.version,
        "changed": found is not None,
    }
