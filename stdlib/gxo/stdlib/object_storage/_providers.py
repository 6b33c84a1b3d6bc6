"""Which provider, where, and who asks: what every module's parameters say of that.

    before:  provider: s3, region: eu-west-1, credentials: {access_key_id: ..., ...}
    after:   S3Account(endpoint="https://s3.eu-west-1.amazonaws.com", region="eu-west-1", ...)

Nothing is guessed: no file of the user's, no environment variable and no metadata address of a
cloud is asked for credentials. Without any, requests are not signed: right for what is public.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict
from urllib.parse import SplitResult, urlsplit

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Duration, Secret, connects
from gxo.stdlib._sizes import shown_text

if TYPE_CHECKING:
    from gxo.stdlib.object_storage._store import Store

Provider = Literal["s3", "gcs", "azure"]


class Credentials(TypedDict, total=False):
    """Who asks, by `provider`.

    s3: `access_key_id` and `secret_access_key`, of temporary ones `session_token` besides. gcs:
    `service_account`, the content of a service account's key file (JSON). azure: `account`, the
    storage account's name, with its `account_key` or a `sas_token`.
    """

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret
    service_account: Secret
    account: str
    account_key: Secret
    sas_token: Secret


CREDENTIALS = {
    "s3": ["access_key_id", "secret_access_key", "session_token"],
    "gcs": ["service_account"],
    "azure": ["account", "account_key", "sas_token"],
}
"""The keys of `credentials` that apply to each provider."""

REQUIRES = {
    "credentials.access_key_id": ["credentials.secret_access_key"],
    "credentials.secret_access_key": ["credentials.access_key_id"],
    "credentials.session_token": ["credentials.access_key_id", "credentials.secret_access_key"],
    "credentials.account_key": ["credentials.account"],
}
"""What of them is of use only together."""

EXCLUDES = [["credentials.account_key", "credentials.sas_token"]]
"""What of them is not."""

PLACES = [
    connects("endpoint"),
    connects(
        "region",
        at="https://s3.{region=us-east-1}.amazonaws.com",
        only=["provider == 's3'"],
        unless=["endpoint", "region == 'cn-north-1'", "region == 'cn-northwest-1'"],
    ),
    connects(
        "region",
        at="https://s3.{region}.amazonaws.com.cn",
        only=["provider == 's3'", "region == 'cn-north-1'"],
        unless=["endpoint"],
    ),
    connects(
        "region",
        at="https://s3.{region}.amazonaws.com.cn",
        only=["provider == 's3'", "region == 'cn-northwest-1'"],
        unless=["endpoint"],
    ),
    connects(
        "provider",
        at="https://storage.googleapis.com",
        only=["provider == 'gcs'"],
        unless=["endpoint"],
    ),
    connects(
        "provider",
        at="https://the token_uri of credentials.service_account",
        only=["provider == 'gcs'", "credentials"],
    ),
    connects(
        "credentials.account",
        at="https://{credentials.account}.blob.core.windows.net",
        only=["provider == 'azure'"],
        unless=["endpoint"],
    ),
]
"""Where each provider is; with Google, a key file names the server that gives tokens."""

S3_REGION = "us-east-1"
"""Where S3 is without a `region`; servers that know no regions expect this one in signatures."""


TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class S3Account:
    """endpoint: without a slash at its end. access_key_id: empty for requests that are not signed.

    path_style: whether the bucket is in the path of an address, and not in its host.
    """

    endpoint: str
    region: str
    path_style: bool
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GcsAccount:
    """service_account: the JSON of a key file; empty for requests without a token."""

    endpoint: str
    service_account: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AzureAccount:
    """name: the storage account's. key: in base64; sas_token: without `?`; at most one of both."""

    endpoint: str
    name: str
    key: str = field(default="", repr=False)
    sas_token: str = field(default="", repr=False)


Account = S3Account | GcsAccount | AzureAccount

_BUCKET = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{2,254}")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_PLAIN = re.compile(r"[!-~]+")


async def open_store(
    ctx: Context,
    *,
    provider: Provider,
    bucket: str,
    endpoint: str | None = None,
    region: str | None = None,
    credentials: Credentials | None = None,
    timeout: Duration = TIMEOUT,
) -> "Store":
    """The bucket of whom the parameters name. Nothing is asked of the provider yet.

    timeout: seconds that the provider may be silent for, or take nothing.

    ParameterError: something is missing, is for another provider, or can be no part of an address.
    """
    check_bucket(bucket)
    return store_of(ctx, account_of(provider, endpoint, region, credentials), bucket, timeout)


def store_of(ctx: Context, account: Account, bucket: str, timeout: float) -> "Store":
    """The bucket of an account."""
    match account:
        case S3Account():
            from gxo.stdlib.object_storage._s3 import S3Store

            return S3Store(ctx, account, bucket, timeout)
        case GcsAccount():
            from gxo.stdlib.object_storage._gcs import GcsStore

            return GcsStore(ctx, account, bucket, timeout)
        case AzureAccount():
            from gxo.stdlib.object_storage._azure import AzureStore

            return AzureStore(ctx, account, bucket, timeout)


def check_bucket(bucket: str) -> None:
    """Refuse what could be another part of an address than a bucket's name."""
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ParameterError(
            f"`bucket` is {shown_text(bucket)}: it is a name of 3 and more letters, digits, "
            "`-`, `.` and `_`"
        )


def account_of(
    provider: str,
    endpoint: str | None,
    region: str | None,
    credentials: Credentials | None,
) -> Account:
    """Who asks whom."""
    given = {name: str(value) for name, value in (credentials or {}).items()}
    if provider not in CREDENTIALS:
        raise ParameterError(f"`provider` is {shown_text(provider)}: it is s3, gcs or azure")
    _check_credentials(provider, given)
    if region is not None and not _REGION.fullmatch(region):
        raise ParameterError(
            f"`region` is {shown_text(region)}: it is a name of letters, digits and `-`"
        )
    place = None if endpoint is None else _checked_endpoint(endpoint)
    match provider:
        case "s3":
            return _s3(place, region or S3_REGION, given)
        case "gcs":
            return GcsAccount(place or "https://storage.googleapis.com", **given)
        case _:
            return _azure(place, given)


def _check_credentials(provider: str, given: Mapping[str, str]) -> None:
    """Only what belongs to the provider, each a text that a header can carry."""
    known = CREDENTIALS[provider]
    for name, value in given.items():
        if name not in known:
            names = ", ".join(f"`{one}`" for one in known)
            raise ParameterError(
                f"credentials: `{name}` is not for provider {provider}, which takes {names}"
            )
        if not value:
            raise ParameterError(f"credentials: `{name}` is empty")
        if name != "service_account" and not _PLAIN.fullmatch(value):
            raise ParameterError(
                f"credentials: `{name}` has a blank, a line break or another character in it "
                "that none has"
            )


def _checked_endpoint(endpoint: str) -> str:
    """An address without a slash at its end: others add their path to it."""
    parts = address(endpoint)
    if parts is None:
        raise ParameterError(
            f"`endpoint` is {shown_text(endpoint)}: it is an address such as https://host:9000"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ParameterError(
            "`endpoint` has more in it than a server and a path; who asks is said by `credentials`"
        )
    return endpoint.rstrip("/?#")


def address(text: str) -> SplitResult | None:
    """The parts of an address that can be asked by HTTP; None for what is none."""
    try:
        parts = urlsplit(text)
        is_server = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    plain = _PLAIN.fullmatch(text) is not None and "\\" not in text
    return parts if plain and is_server and parts.scheme in ("http", "https") else None


def _s3(endpoint: str | None, region: str, given: Mapping[str, str]) -> S3Account:
    for name, other in (
        ("access_key_id", "secret_access_key"),
        ("secret_access_key", "access_key_id"),
    ):
        if given and name not in given:
            needed = f"`{other}`" if other in given else "`session_token`"
            raise ParameterError(f"credentials: `{name}` is missing beside {needed}")
    if endpoint is not None:
        return S3Account(endpoint, region, path_style=True, **given)
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return S3Account(f"https://s3.{region}.{domain}", region, path_style=False, **given)


def _azure(endpoint: str | None, given: Mapping[str, str]) -> AzureAccount:
    account, key, token = (given.get(name, "") for name in CREDENTIALS["azure"])
    if key and token:
        raise ParameterError("credentials: `account_key` and `sas_token` exclude each other")
    if not account and (key or endpoint is None):
        raise ParameterError("credentials: `account` is missing: the storage account's name")
    if account and not _ACCOUNT.fullmatch(account):
        raise ParameterError(
            f"credentials: `account` is {shown_text(account)}: it is 3 to 24 lower-case letters "
            "and digits"
        )
    place = endpoint or f"https://{account}.blob.core.windows.net"
    return AzureAccount(place, account, key, token.removeprefix("?"))
