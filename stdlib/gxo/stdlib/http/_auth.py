"""How a request proves who asks: a password, a token, or a token that is asked for first.

auth: {basic: {user: ann, pass: ...}}     Authorization: Basic YW5uOi4uLg==
auth: {bearer: ...}                       Authorization: Bearer ...
auth: {oauth2: {token_url: ..., client_id: ..., client_secret: ...}}
                                          the same, with what the token server gives
"""

import asyncio
import base64
import math
import re
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Secret, Url
from gxo.stdlib.data._json import decode
from gxo.stdlib.http._client import shown
from gxo.stdlib.http._exchange import Answer, Call, exchange
from gxo.stdlib.http._fields import check_text, has_break, to_bytes

if TYPE_CHECKING:
    import httpx

_MARGIN = 30.0
"""Seconds before a token's end in which it is not used any more, at most a tenth of its time."""
_MAX_ANSWER = 1024 * 1024
_ERROR = re.compile(r"[a-z_]{1,60}")

BasicAuth = TypedDict("BasicAuth", {"user": str, "pass": Secret})


class OAuth2(TypedDict):
    """The client credentials grant (RFC 6749, section 4.4).

    token_url: where the token server gives tokens. client_id, client_secret: who asks. scopes: what
    for, by default what the server thinks fit.
    """

    token_url: Url
    client_id: str
    client_secret: Secret
    scopes: NotRequired[list[str]]


class Auth(TypedDict, total=False):
    """How the request proves who asks: one of `basic`, `bearer` and `oauth2`."""

    basic: BasicAuth
    bearer: Secret
    oauth2: OAuth2


def authorization(auth: Auth) -> bytes | None:
    """The value of the header Authorization; None where a token must be asked for first."""
    if len(auth) != 1:
        raise ParameterError("auth: give one of `basic`, `bearer` and `oauth2`")
    if "bearer" in auth:
        if has_break(auth["bearer"]):
            raise ParameterError("auth.bearer has a line break or NUL in it")
        return b"Bearer " + to_bytes("auth.bearer", auth["bearer"])
    if "basic" in auth:
        if ":" in auth["basic"]["user"]:
            raise ParameterError("auth.basic.user has a colon in it, which cannot be sent")
        return _basic("auth.basic", auth["basic"]["user"], auth["basic"]["pass"])
    return None


def _basic(param: str, user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(to_bytes(param, f"{user}:{password}"))


async def tokens_of(ctx: Context, given: OAuth2, address: "httpx.URL") -> "Tokens":
    """The tokens that the job gets with these credentials. address: the token server's."""

    async def open_() -> Tokens:
        return Tokens(given, address)

    async def close(tokens: Tokens) -> None:
        """There is no session to end."""

    scopes = " ".join(given.get("scopes", []))
    key = (given["token_url"], given["client_id"], given["client_secret"], scopes)
    return await ctx.shared(("http:request token", key), open_, close)


class Tokens:
    """The access token of a client, asked for when it is needed, and used until it expires."""

    def __init__(self, given: OAuth2, address: "httpx.URL") -> None:
        self._given = given
        self._address = address
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def header(self, ctx: Context, call: Call) -> tuple[bytes, bytes]:
        """The header for a request. call: that one, whose client and limits serve here too."""
        async with self._lock:
            if not self._token or ctx.clock.monotonic() >= self._until:
                self._token = ""
                await self._ask(ctx, call)
            return b"Authorization", b"Bearer " + ctx.private(self._token).encode()

    def refuse(self, header: tuple[bytes, bytes]) -> None:
        """Use the token of that header no more: the server has not taken it."""
        if header[1] == b"Bearer " + self._token.encode():
            self._token = ""

    async def _ask(self, ctx: Context, call: Call) -> None:
        answer, said = await self._post(ctx, call, in_header=True)
        if answer.status in (400, 401) and said.get("error") == "invalid_client":
            # Servers must know the header (section 2.3.1), and some know the body alone.
            answer, said = await self._post(ctx, call, in_header=False)
        token = said.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token:
            raise self._failure(answer, said)
        ctx.private(token)
        if has_break(token) or not token.isascii():
            raise ModuleError(f"the token of {shown(self._address)} cannot be sent in a header")
        kind = said.get("token_type", "bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise ModuleError(f"the token of {shown(self._address)} is no bearer token")
        seconds = _seconds(said.get("expires_in"))
        self._until = ctx.clock.monotonic() - answer.latency + seconds - min(_MARGIN, seconds / 10)
        self._token = token

    async def _post(
        self, ctx: Context, call: Call, *, in_header: bool
    ) -> tuple[Answer, dict[str, Any]]:
        import httpx

        user, password = self._given["client_id"], self._given["client_secret"]
        scopes = " ".join(self._given.get("scopes", []))
        check_text("auth.oauth2", f"{user}{password}{scopes}")
        form = {"grant_type": "client_credentials"}
        if "scopes" in self._given:
            form["scope"] = scopes
        fields = [(b"Accept", b"application/json")]
        if in_header:
            from urllib.parse import quote_plus

            fields.append((b"Authorization", _basic("", quote_plus(user), quote_plus(password))))
        else:
            form |= {"client_id": user, "client_secret": password}
        fields.append((b"Content-Type", b"application/x-www-form-urlencoded"))
        content = str(httpx.QueryParams(form)).encode()
        asking = Call(
            call.client,
            "POST",
            self._address,
            fields,
            content,
            timeout=call.timeout,
            follow_redirects=False,
            max_body=_MAX_ANSWER,
            retry_status=call.retry_status,
            attempts=call.attempts,
        )
        asking.may_repeat = True  # whatever its method, a token more changes nothing
        answer = await exchange(ctx, asking, self._address)
        try:
            said = decode(answer.text())
        except ValueError:
            said = None
        return answer, said if isinstance(said, dict) else {}

    def _failure(self, answer: Answer, said: dict[str, Any]) -> ModuleError:
        """What else the server says could quote what it was sent."""
        error = said.get("error")
        told = isinstance(error, str) and _ERROR.fullmatch(error)
        why = f" ({error})" if told else ""
        return ModuleError(
            f"{shown(self._address)} gave no token: it answered {answer.status}{why}",
            hint="check auth.oauth2: its token_url, client_id, client_secret and scopes",
        )


def _seconds(given: Any) -> float:
    """How long a token is good for; for ever where its server does not say."""
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        return math.inf
    return seconds if seconds >= 0 else math.inf
