"""One request and its answer: redirects, repeats, limits."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib._spool import Spool
from gxo.stdlib.http._client import foreign_errors

if TYPE_CHECKING:
    import httpx

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


class Call:
    """What is asked of a server, and within which limits.

    max_body: bytes of an answer's body. spool: takes the body of a good answer; None for memory.
    """

    __slots__ = (
        "attempts",
        "client",
        "content",
        "follow_redirects",
        "headers",
        "max_body",
        "method",
        "retry_status",
        "spool",
        "timeout",
        "url",
    )

    def __init__(
        self,
        client: "httpx.AsyncClient",
        method: str,
        url: "httpx.URL",
        headers: list[tuple[bytes, bytes]],
        content: bytes | None,
        *,
        timeout: float,
        follow_redirects: bool,
        max_body: int | None,
        retry_status: frozenset[int],
        attempts: int,
        spool: Spool | None = None,
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
        self.spool = spool


class Answer:
    """A server's answer, read to its end. latency: seconds until its headers were there."""

    __slots__ = ("body", "charset", "headers", "latency", "next_link", "saved", "status", "url")

    def __init__(self, response: "httpx.Response", latency: float, body: bytes | None) -> None:
        self.status = response.status_code
        self.headers = dict(response.headers.items())
        self.url = response.url
        self.charset = response.charset_encoding
        self.next_link: str | None = response.links.get("next", {}).get("url")
        self.latency = latency
        self.saved = body is None
        self.body = body or b""

    def text(self) -> str:
        """The body as text; what its character set does not know is replaced."""
        try:
            text = self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:  # no character set that Python knows
            text = self.body.decode(errors="replace")
        return text.removeprefix("\ufeff")


def shown(url: "httpx.URL") -> str:
    """An address as messages show it: without what could be a credential."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


async def exchange(ctx: Context, call: Call, url: "httpx.URL") -> Answer:
    """Send the call to an address of its server, again while the answer says to try later."""
    repeats = call.attempts if call.method in SAFE_TO_REPEAT else 1
    for attempt in range(1, repeats + 1):
        answer = await _limited(ctx, call, url)
        if answer.status not in call.retry_status or attempt == repeats:
            break
        delay = _delay(ctx, answer, attempt)
        if delay > MAX_WAIT:
            ctx.log("warning", f"{shown(url)} asks to wait {delay:.0f} s, which is too long")
            break
        ctx.log("info", f"{shown(url)} answered {answer.status}; next attempt in {delay:g} s")
        await ctx.clock.sleep(delay)
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


async def _limited(ctx: Context, call: Call, url: "httpx.URL") -> Answer:
    try:
        async with asyncio.timeout(call.timeout):
            with foreign_errors(shown(url)):
                return await _follow(ctx, call, url)
    except TimeoutError:
        message = f"no complete answer from {shown(url)} within {call.timeout:g} s"
        raise ModuleError(message, hint="raise `timeout`") from None


async def _follow(ctx: Context, call: Call, url: "httpx.URL") -> Answer:
    request = call.client.build_request(
        call.method, url, headers=call.headers, content=call.content
    )
    if not same_origin(url, call.url):
        drop_credentials(request)
    for _ in range(MAX_REDIRECTS + 1):
        started = ctx.clock.monotonic()
        response = await call.client.send(request, stream=True, follow_redirects=False)
        latency = ctx.clock.monotonic() - started
        try:
            if not call.follow_redirects or response.next_request is None:
                return Answer(response, latency, await _read(call, response))
            await _drain(response)
            following = response.next_request
        finally:
            await response.aclose()
        if not same_origin(following.url, request.url):
            if call.content and following.method == request.method:
                raise ModuleError(
                    f"{shown(url)} redirects a request with a body to another server",
                    hint="send it there by its own address, or set `follow_redirects: false`",
                )
            drop_credentials(following)
        request = following
    raise ModuleError(f"{shown(url)} was redirected more than {MAX_REDIRECTS} times")


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
    if "content-encoding" in response.headers:
        from gxo.stdlib.http._pieces import Pieces  # with httpx, which is loaded by now

        response.stream = Pieces(cast("httpx.AsyncByteStream", response.stream))
    async with _closing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if call.max_body is not None and size > call.max_body:
                raise ModuleError(
                    f"the body from {shown(response.url)} has more than {call.max_body} bytes",
                    hint="raise `max_body`, or use `download_to`",
                )
            if spool is None:
                body += chunk
            else:
                await spool.add(chunk)
    return bytes(body) if spool is None else None
