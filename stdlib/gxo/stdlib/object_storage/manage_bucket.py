"""The module `object_storage:manage_bucket`."""

from contextlib import aclosing
from typing import Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, Url, module, stores
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.http._client import ENVIRONMENT
from gxo.stdlib.object_storage._manage import Bucket, Properties, not_empty, open_bucket
from gxo.stdlib.object_storage._providers import (
    CREDENTIALS,
    EXCLUDES,
    PLACES,
    REQUIRES,
    Credentials,
    Provider,
    account_of,
    check_bucket,
    store_of,
)

State = Literal["present", "absent"]


class Change(TypedDict):
    """What was there, and what is now; null for nothing."""

    before: str | None
    after: str | None


class ManagedBucket(TypedDict):
    """The `bucket` and its `state`; whether something was `changed`; `diff`, what was.

    diff: by what differs: `state`, `versioning` (`on` or `off`).
    """

    bucket: str
    state: str
    changed: bool
    diff: dict[str, Change]


@module(
    "object_storage:manage_bucket",
    changes="by_call",
    effects=[*PLACES, stores("bucket")],
    needs=["httpx", "sniffio", "cryptography; provider == 'gcs'"],
    environment=ENVIRONMENT,
    options=["credentials", "provider", CREDENTIALS],
    at_most_one=EXCLUDES,
    requires=REQUIRES,
    idempotent=True,
    returns={"bucket": ["bucket"], "state": [], "diff": []},
)
async def manage_bucket(
    ctx: Context,
    *,
    provider: Provider = "s3",
    endpoint: Url | None = None,
    region: str | None = None,
    bucket: str,
    state: State,
    versioning: bool | None = None,
    credentials: Credentials | None = None,
    timeout: Duration = 60.0,
) -> ManagedBucket:
    """See to it that a bucket is there, or that it is not; of Azure a container.

    What is so already is left alone, so a second call changes nothing. A bucket that holds an
    object, or a version of one, is not deleted: that is an error, and so is one that is there in
    another region, as none can be moved. Names are unique among all users of S3, and of Google's
    storage: that somebody else has a bucket shows as one that the credentials may not look at.

    A new bucket has the provider's settings otherwise: nobody but its account sees it.

    In a dry run the provider is asked what is there, and nothing is changed.

    Args:
        provider: Whose service it is.
        endpoint: The address of the service; by default the provider's own.
        region: Where the bucket is. For S3 by default us-east-1; for GCS a location, by default US;
            a container of Azure is where its account is.
        bucket: The bucket's name.
        state: `present`, or `absent`.
        versioning: Whether the bucket keeps what its objects were before; by default that is left
            as it is. Not for Azure, where it is set for the account.
        credentials: Who asks; without, requests are not signed.
        timeout: How long the server may be silent.

    Returns:
        `bucket`, `state`, `changed`, and `diff`: what differed, before and after.

    Raises:
        ParameterError: a name, a region or credentials that can be none; a parameter that is for
            another state or provider.
        ModuleError: the bucket is not empty, or in another region; the credentials are wrong or may
            not do it; the server refuses the name, or cannot be reached.

    Example:
        name: backups
        lifecycle: {policy: run_once}
        process:
          module: object_storage:manage_bucket
          params:
            region: eu-west-1
            bucket: example-backups
            state: present
            versioning: true
            credentials:
              access_key_id: '{{ secret "AWS_ACCESS_KEY_ID" }}'
              secret_access_key: '{{ secret "AWS_SECRET_ACCESS_KEY" }}'
    """
    _check(provider, region, state, versioning)
    check_bucket(bucket)
    account = account_of(provider, endpoint, region, credentials)
    its = open_bucket(ctx, account, bucket, timeout)
    there = await its.find(with_versioning=versioning is not None and state == "present")
    diff = _difference(bucket, there, region, state, versioning)
    if "state" in diff and state == "absent":
        async with aclosing(store_of(ctx, account, bucket, timeout).pages("", "")) as pages:
            async for page in pages:
                if page:
                    raise not_empty(bucket)
    result: ManagedBucket = {
        "bucket": bucket,
        "state": state,
        "changed": bool(diff),
        "diff": diff,
    }
    if ctx.dry_run:
        return _foreseen(ctx, result)
    await _bring_about(its, diff, region, state, versioning)
    return result


def _check(provider: str, region: str | None, state: str, versioning: bool | None) -> None:
    if state not in ("present", "absent"):
        raise ParameterError(f"`state` is {shown_text(state)}: it is present or absent")
    if versioning is not None and state != "present":
        raise ParameterError("`versioning` is only for `state: present`, not for absent")
    if provider == "azure":
        for name, value in (("region", region), ("versioning", versioning)):
            if value is not None:
                raise ParameterError(
                    f"`{name}` is not for provider azure, where it is the storage account's"
                )


def _difference(
    bucket: str, there: Properties | None, region: str | None, state: str, versioning: bool | None
) -> dict[str, Change]:
    """What is to be changed; ModuleError for what cannot be."""
    diff: dict[str, Change] = {}
    before = "absent" if there is None else "present"
    if before != state:
        diff["state"] = {"before": before, "after": state}
    elif there is not None and region and there.region.lower() not in ("", region.lower()):
        raise ModuleError(
            f"bucket '{bucket}' is in region {there.region}, not in {region}",
            hint="a bucket cannot be moved: name its region, or make another one",
        )
    has_it = there is not None and there.versioning
    if versioning is not None and versioning != has_it:
        diff["versioning"] = {"before": _word(on=has_it), "after": _word(on=versioning)}
    return diff


def _word(*, on: bool) -> str:
    return "on" if on else "off"


async def _bring_about(
    its: Bucket, diff: dict[str, Change], region: str | None, state: str, versioning: bool | None
) -> None:
    if "state" in diff and state == "absent":
        await its.delete()
    elif "state" in diff:
        await its.create(region)
    if "versioning" in diff:
        await its.set_versioning(on=versioning is True)


def _foreseen(ctx: Context, result: ManagedBucket) -> ManagedBucket:
    bucket, diff = result["bucket"], result["diff"]
    settings = ", ".join(
        f"{name} {change['before']} -> {change['after']}"
        for name, change in diff.items()
        if name != "state"
    )
    if not diff:
        what = f"leave bucket '{bucket}' as it is"
    elif result["state"] == "absent":
        what = f"delete bucket '{bucket}'"
    elif "state" in diff:
        what = f"make bucket '{bucket}'{f': {settings}' if settings else ''}"
    else:
        what = f"change bucket '{bucket}': {settings}"
    summary: ManagedBucket = ctx.would(what, result, changes=bool(diff))
    return summary
