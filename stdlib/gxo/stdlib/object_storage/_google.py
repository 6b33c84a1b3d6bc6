"""An access token of Google's for a service account: a signed assertion, exchanged (RFC 7523).

before:  {"client_email": ..., "private_key": "-----BEGIN...", "token_uri": ...}
after:   ya29.c.b0Aaek..., good for an hour, for all workloads of the job
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.object_storage._content import Bytes
from gxo.stdlib.object_storage._providers import address
from gxo.stdlib.object_storage._wire import Answer, Request, Wire

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"
"""What a token is for; what the account may do is decided by its roles."""

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
LIFE = 3600
"""Seconds that an assertion, and so its token, is good for."""

EARLY = 300.0
"""Seconds before its end that a token is replaced."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What a key file says. project: empty where it names none. private_key: in PEM."""

    email: str
    project: str
    key_id: str
    token_uri: str
    private_key: str = field(repr=False)


def read_key_file(content: str, *, may_be_plain: bool) -> ServiceAccount:
    """ParameterError, which shows nothing of the content, when it is no key file.

    may_be_plain: whether the token may come by http, as the endpoint is asked so as well.
    """
    try:
        given = json.loads(content)
        texts = {name: str(value) for name, value in given.items()}
    except (ValueError, AttributeError, RecursionError):
        raise ParameterError(
            "credentials: `service_account` is no JSON: it is the content of a key file"
        ) from None
    for name in ("client_email", "private_key"):
        if not texts.get(name):
            raise ParameterError(f"credentials: `service_account` has no `{name}` in it")
    token_uri = texts.get("token_uri", TOKEN_URI)
    place = address(token_uri)
    if place is None or (place.scheme == "http" and not may_be_plain):
        raise ParameterError("credentials: `token_uri` of `service_account` is no https address")
    email, project = texts["client_email"], texts.get("project_id", "")
    key_id = texts.get("private_key_id", "")
    return ServiceAccount(email, project, key_id, token_uri, texts["private_key"])


class Tokens:
    """The token of one account, for the whole job: replaced before it ends."""

    def __init__(self) -> None:
        self._token = ""
        self._until = 0.0
        self._one = asyncio.Lock()

    async def get(self, ctx: Context, account: ServiceAccount, timeout: float) -> str:
        """The token. ModuleError when Google gives none."""
        async with self._one:
            if not self._token or ctx.clock.monotonic() >= self._until:
                asked = ctx.clock.monotonic()
                self._token, life = await _exchanged(ctx, account, timeout)
                self._until = asked + max(life - EARLY, 0.0)
            return self._token


async def shared_tokens(ctx: Context, account: ServiceAccount) -> Tokens:
    """The job's tokens for an account."""

    async def make() -> Tokens:
        return Tokens()

    async def forget(_: Tokens) -> None:
        pass

    return await ctx.shared(account, make, forget)


async def _exchanged(ctx: Context, account: ServiceAccount, timeout: float) -> tuple[str, float]:
    """A new token, and for how many seconds it is good."""
    assertion = await ctx.thread(signed_assertion, account, ctx.clock.outside())
    place = urlsplit(account.token_uri)
    wire = Wire(ctx, f"{place.scheme}://{place.netloc}", _unsigned, timeout)
    body = Bytes(urlencode({"grant_type": GRANT, "assertion": assertion}).encode())
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await wire.send(Request("POST", place.path or "/", headers, body))
    said = _said(answer)
    token, life = said.get("access_token"), said.get("expires_in", LIFE)
    if answer.status == 200 and isinstance(token, str) and isinstance(life, int):
        return token, float(life)
    told = " ".join(str(said[name]) for name in ("error", "error_description") if name in said)
    why = str(ctx.redact(told))[:300] or "what it answered is no token"
    raise ModuleError(
        f"{wire.origin} gives the service account no token: {answer.status} {why}",
        hint="check `service_account`: its key may have been deleted",
    )


def _said(answer: Answer) -> Mapping[str, object]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


async def _unsigned(request: Request, host: str) -> Mapping[str, str]:
    return {**request.headers, "host": host}


def signed_assertion(account: ServiceAccount, now: datetime) -> str:
    """A JWT that says who asks. Blocks: start-up, 50 ms of the processor for cryptography."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(account.private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ParameterError("credentials: `private_key` of `service_account` is no RSA key in PEM")
    made = int(now.timestamp())
    head = {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": account.token_uri,
        "iat": made,
        "exp": made + LIFE,
    }
    content = f"{_part(head)}.{_part(claims)}"
    return f"{content}.{_encoded(key.sign(content.encode(), padding.PKCS1v15(), SHA256()))}"


def _part(content: Mapping[str, object]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
