"""The module `object_storage:list_objects`."""

from contextlib import aclosing
from typing import NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Duration, Record, Url, module, stores
from gxo.runtime.streams.ports import Out
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.http._client import ENVIRONMENT
from gxo.stdlib.object_storage._checks import check_key
from gxo.stdlib.object_storage._providers import (
    CREDENTIALS,
    EXCLUDES,
    PLACES,
    REQUIRES,
    Credentials,
    Provider,
    open_store,
)


class Listed(TypedDict):
    """objects: all of them, when nothing reads the stream."""

    count: int
    objects: NotRequired[list[Record]]


@module(
    "object_storage:list_objects",
    effects=[*PLACES, stores("bucket")],
    needs=["httpx", "sniffio", "cryptography; provider == 'gcs'"],
    environment=ENVIRONMENT,
    options=["credentials", "provider", CREDENTIALS],
    at_most_one=EXCLUDES,
    requires=REQUIRES,
    idempotent=True,
)
async def list_objects(
    ctx: Context,
    out: Out | None,
    *,
    provider: Provider = "s3",
    endpoint: Url | None = None,
    region: str | None = None,
    bucket: str,
    prefix: str | None = None,
    delimiter: str | None = None,
    credentials: Credentials | None = None,
    timeout: Duration = 60.0,
) -> Listed:
    """Send a record for each object of a bucket, sorted by key as bytes.

    A record has `key`, `size` in bytes, `etag`, `last_modified` (RFC 3339, UTC) and
    `storage_class`. One page of the list is in memory at a time, and the next one is asked for when
    the readers have taken it. What is written to the bucket meanwhile may be in the list, or not.

    With a `delimiter` such as `/`, what is behind the next one after the prefix is left out: each
    such "folder" is one record `{prefix}`, at the end of its page.

    Args:
        provider: Whose service it is.
        endpoint: The address of the service; by default the provider's own.
        region: Where the bucket is, for S3; by default us-east-1.
        bucket: The bucket's name; of Azure the container's.
        prefix: Only objects whose key begins so: any text, which need not end with a `/`.
        delimiter: Group keys by what stands before it.
        credentials: Who asks; without, requests are not signed.
        timeout: How long the server may be silent.

    Returns:
        `count` of the records; when nothing reads the stream, they are the list `objects`.

    Raises:
        ParameterError: a prefix, a delimiter or credentials that can be none.
        ModuleError: there is no such bucket; the credentials are wrong or may not list; the server
            cannot be reached.

    Example:
        name: backups
        lifecycle: {policy: run_once}
        process:
          module: object_storage:list_objects
          params:
            region: eu-west-1
            bucket: backups
            prefix: db/
            credentials:
              access_key_id: '{{ secret "AWS_ACCESS_KEY_ID" }}'
              secret_access_key: '{{ secret "AWS_SECRET_ACCESS_KEY" }}'
    """
    for name, text in (("prefix", prefix), ("delimiter", delimiter)):
        if text:
            check_key(text, name)
    store = await open_store(
        ctx,
        provider=provider,
        endpoint=endpoint,
        region=region,
        bucket=bucket,
        credentials=credentials,
        timeout=timeout,
    )
    objects: list[Record] = []
    count = 0
    async with aclosing(store.pages(prefix or "", delimiter or "")) as pages:
        async for page in pages:
            count += len(page)
            if out is None:
                objects += page
                continue
            for start in range(0, len(page), BATCH):
                await out.send(page[start : start + BATCH])
    return {"count": count} if out is not None else {"count": count, "objects": objects}
