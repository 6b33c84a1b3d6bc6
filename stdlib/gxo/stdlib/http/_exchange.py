"""One request and its answer: redirects, repeats, limits."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib._spool import Spool
from gxo.stdlib.http._client import foreign_errors, shown
from gxo.stdlib.http._fields import Fields

if TYPE_CHECKING:
    import httpx

    from gxo.stdlib.http._auth import Tokens
    from gxo.stdlib.http._bodies import Streamed

MAX_REDIRECTS = 20
MAX_WAIT = 300.0
"""Seconds: a server that asks for a longer pause is not asked again."""
SAFE_TO_REPEAT = frozenset(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
"""Methods that do the same when they are done twice (RFC 9110, section 9.2.2)."""
_HARMLESS = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "host",
        "range",
        "transfer-encoding",
        "user-agent",
    ]
)
"""Headers that may go to another host than the playbook names; any other could be a credential."""
_DRAIN = 64 * 1024
_MAX_COOKIES = 3000
_UNAUTHORIZED = 401
_PHASES = {
    "connect_tcp": ": it did not take the connection",
    "start_tls": ": it did not end the TLS handshake",
    "send_request_headers": ": it did not take the request",
    "send_request_body": ": it did not take the body",
    "receive_response_headers": ": it did not begin to answer",
    "receive_response_body": ": the answer did not end",
}
"""By what httpx traces, why a request is late."""


class Call:
    """What is asked of a server, and within which limits.

    max_body: bytes of an answer's body. may_repeat: whether twice does the same as once. spool:
    takes the body of a good answer; None for memory.
    stranger: the client for other servers, which must not know who asks. tokens: give the header
    that says it. cookies: those that answers have set, and that requests get.
    """

    __slots__ = (
        "attempts",
        "client",
        "content",
        "cookies",
        "follow_redirects",
        "headers",
        "max_body",
        "may_repeat",
        "method",
        "retry_status",
        "spool",
        "stranger",
        "timeout",
        "tokens",
        "url",
    )

    def __init__(
        self,
        client: "httpx.AsyncClient",
        method: str,
        url: "httpx.URL",
        headers: Fields,
        content: "bytes | Streamed | None",
        *,
        timeout: float,
        follow_redirects: bool,
        max_body: int | None,
        retry_status: frozenset[int],
        attempts: int,
    ) -> None:
        self.client = client
        self.method = method
        self.url = url
        self.headers = headers
        self.content = content
        self.timeout = timeout
        self.follow_redirects = follow_redirects
        self.max_body = max_body
        self.retry_status = retry_status
        self.attempts = attempts
        self.may_repeat = method in SAFE_TO_REPEAT
        self.spool: Spool | None = None
        self.stranger = client
        self.tokens: Tokens | None = None
        self.cookies: httpx.Cookies | None = None


class Answer:
    """A server's answer, read to its end. latency: seconds until its headers were there."""

    __slots__ = ("body", "charset", "headers", "latency", "saved", "status", "url")

    def __init__(self, response: "httpx.Response", latency: float, body: bytes | None) -> None:
        self.status = response.status_code
        self.headers = dict(response.headers.items())
        self.url = response.url
        self.charset = response.charset_encoding
        self.latency = latency
        self.saved = body is None
        self.body = body or b""

    def text(self) -> str:
        """The body as text; what its character set does not know is replaced."""
        try:
            text = self.body.decode(self.charset or "utf-8", errors="replace")
        except (LookupError, ValueError):  # none that Python knows, or that is for texts like this
            text = self.body.decode(errors="replace")
        return text.removeprefix("\ufeff")


async def exchange(ctx: Context, call: Call, url: "httpx.URL") -> Answer:
    """Send the call to an address of its server, again while the answer says to try later."""
    repeats = call.attempts if call.may_repeat else 1
    for attempt in range(1, repeats + 1):
        answer = await _known(ctx, call, url)
        if answer.status not in call.retry_status or attempt == repeats:
            break
        delay = _delay(ctx, answer, attempt)
        if delay > MAX_WAIT:
            ctx.log("warning", f"{shown(url)} asks to wait {delay:.0f} s, which is too long")
            break
        ctx.log("info", f"{shown(url)} answered {answer.status}; next attempt in {delay:g} s")
        await ctx.clock.sleep(delay)
    return answer


async def _known(ctx: Context, call: Call, url: "httpx.URL") -> Answer:
    """Send the call with a token, if there are some; with a new one when it is not taken."""
    if call.tokens is None or not same_origin(url, call.url):
        return await _limited(ctx, call, url, [])
    for _ in range(2):
        token = await call.tokens.header(ctx, call)
        answer = await _limited(ctx, call, url, [token])
        if answer.status != _UNAUTHORIZED or not same_origin(answer.url, call.url):
            break
        call.tokens.refuse(token)
    return answer


def _delay(ctx: Context, answer: Answer, attempt: int) -> float:
    """Seconds to wait: what `Retry-After` says, as seconds or as a date, else 1, 2, 4..."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    if asked:
        from email.utils import parsedate_to_datetime  # start-up: only for such an answer

        try:
            date = parsedate_to_datetime(asked)
            return max(0.0, (date - ctx.clock.now()).total_seconds())
        except (ValueError, TypeError):
            pass
    return float(2 ** (attempt - 1))


async def _limited(ctx: Context, call: Call, url: "httpx.URL", token: Fields) -> Answer:
    phase = _Phase(url)
    try:
        async with asyncio.timeout(call.timeout):
            with foreign_errors(url):
                return await _follow(ctx, call, url, token, phase)
    except TimeoutError:
        message = f"no complete answer from {shown(phase.url)} within {call.timeout:g} s{phase.why}"
        raise ModuleError(message, hint="raise `timeout`") from None


class _Phase:
    """What httpx does with a request: `why` says what has not come to its end, `url` where."""

    __slots__ = ("_stream", "url", "why")

    def __init__(self, url: "httpx.URL") -> None:
        self.url = url
        self.why = ": all connections are in use"
        self._stream: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """`connection.connect_tcp.started`, and the like (httpx: the extension `trace`)."""
        _, step, stage = event.split(".")
        self.why = _PHASES.get(step, self.why)
        if step == "connect_tcp" and stage == "complete":
            self._stream = info["return_value"]
        elif step == "start_tls" and stage == "failed" and self._stream is not None:
            # httpcore 1.0 leaves the connection open when the handshake is cancelled.
            await self._stream.aclose()


async def _follow(
    ctx: Context, call: Call, url: "httpx.URL", token: Fields, phase: _Phase
) -> Answer:
    client, request = _first(call, url, token, phase)
    for _ in range(MAX_REDIRECTS + 1):
        phase.url = request.url
        with foreign_errors(request.url):
            if call.cookies is not None:
                call.cookies.set_cookie_header(request)
            started = ctx.clock.monotonic()
            response = await client.send(request, stream=True, follow_redirects=False)
            latency = ctx.clock.monotonic() - started
            try:
                _keep_cookies(call, response)
                if not call.follow_redirects or response.next_request is None:
                    return Answer(response, latency, await _read(call, response))
                await _drain(response)
                following = response.next_request
            finally:
                await response.aclose()
        if same_origin(following.url, request.url):
            following.headers.update([one for one in call.headers if one[0].lower() == b"cookie"])
        else:
            if call.content and following.method == request.method:
                raise ModuleError(
                    f"{shown(url)} redirects a request with a body to another server",
                    hint="send it there by its own address, or set `follow_redirects: false`",
                )
            drop_credentials(following)
            client = call.stranger
        request = following
    raise ModuleError(f"{shown(url)} was redirected more than {MAX_REDIRECTS} times")


def _first(
    call: Call, url: "httpx.URL", token: Fields, phase: _Phase
) -> "tuple[httpx.AsyncClient, httpx.Request]":
    """The first request, and the client that sends it."""
    request = call.client.build_request(
        call.method,
        url,
        headers=call.headers + token,
        content=call.content,
        extensions={"trace": phase},
    )
    if same_origin(url, call.url):
        return call.client, request
    drop_credentials(request)
    return call.stranger, request


def _keep_cookies(call: Call, response: "httpx.Response") -> None:
    if call.cookies is not None and "set-cookie" in response.headers:
        call.cookies.extract_cookies(response)
        if len(call.cookies.jar) > _MAX_COOKIES:
            raise ModuleError(f"servers have set more than {_MAX_COOKIES} cookies")


def same_origin(one: "httpx.URL", other: "httpx.URL") -> bool:
    """Whether two addresses belong to one server; the step up from http to https stays there."""
    if one.host != other.host:
        return False
    ports = {"http": 80, "https": 443}
    mine = (one.scheme, one.port or ports.get(one.scheme))
    theirs = (other.scheme, other.port or ports.get(other.scheme))
    return mine == theirs or (mine, theirs) == (("https", 443), ("http", 80))


def drop_credentials(request: "httpx.Request") -> None:
    """Leave only headers that another host may see."""
    for name in list(request.headers):
        if name.lower() not in _HARMLESS:
            del request.headers[name]
    request.headers["host"] = request.url.netloc.decode("ascii")


async def _drain(response: "httpx.Response") -> None:
    """Read a short body, so that the connection can be used again."""
    size = 0
    async with _closing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > _DRAIN:
                return


def _closing(chunks: AsyncIterator[bytes]) -> "aclosing[AsyncGenerator[bytes, None]]":
    """End httpx's generator with its reader, instead of in a task when it is collected."""
    return aclosing(cast("AsyncGenerator[bytes, None]", chunks))


async def _read(call: Call, response: "httpx.Response") -> bytes | None:
    """The body, or None when the spool has it: only a good answer goes there."""
    spool = call.spool if response.status_code < 400 else None
    body = bytearray()
    size = 0
    chunks = response.aiter_raw()
    if encodings := response.headers.get_list("content-encoding", split_commas=True):
        if len(encodings) > 1:  # each multiplies what the one before has made of a piece
            message = f"the body from {shown(response.url)} is compressed several times"
            raise ModuleError(message)
        from gxo.stdlib.http._unpacked import unpacked, unpacks  # with httpx

        if unpacks(encoding := encodings[0].strip().lower()):
            chunks = unpacked(cast("AsyncGenerator[bytes, None]", chunks), encoding)
    async with _closing(chunks) as pieces:
        async for chunk in pieces:
            size += len(chunk)
            if call.max_body is not None and size > call.max_body:
                raise ModuleError(
                    f"the body from {shown(response.url)} has more than {call.max_body} bytes",
                    hint="raise `max_body`" + (", or use `download_to`" if spool is None else ""),
                )
            if spool is None:
                body += chunk
            else:
                await spool.add(chunk)
    return bytes(body) if spool is None else None
