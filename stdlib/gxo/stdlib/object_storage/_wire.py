"""One request to a provider: sent again after a drop, its answer read, its errors ours.

httpx is imported inside the functions: a job pays for it when it sends its first request.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.http._client import HOST_TRUST, foreign_errors, shared_client
from gxo.stdlib.object_storage._content import EMPTY
from gxo.stdlib.object_storage._store import Body, Dropped

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 5
"""How often a request is sent at most, with pauses of 0.2, 0.4, 0.8 and 1.6 seconds."""

CONNECT = 10.0
"""Seconds that connecting may take at most."""

AGAIN = frozenset([429, 500, 502, 503, 504])
"""The statuses after which a request is sent again."""

DISTRUSTED = "check `endpoint` and the certificate authorities of this host"

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that is no object: a page of a list has a few megabytes at most."""


@dataclass(frozen=True, slots=True)
class Request:
    """target: path and query as they are sent, percent-encoded. headers: by lower-case name.

    once: whether to send it twice could do harm; it is then repeated only where the server has not
    got it, or has said that it did nothing.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = EMPTY
    once: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """headers: by lower-case name. body: all of it, but of `Wire.stream` only that of an error."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


Sign = Callable[[Request, str], Awaitable[Mapping[str, str]]]
"""Gives all headers of a request, for its host; it is asked before each attempt."""


class Wire:
    """The way to one server. origin: `https://host` or `https://host:port`.

    timeout: seconds that the server may be silent, or take nothing.
    """

    def __init__(self, ctx: Context, origin: str, sign: Sign, timeout: float) -> None:
        self._ctx = ctx
        self.origin = origin
        self._sign = sign
        self._timeout = timeout

    async def send(self, request: Request) -> Answer:
        """Send a request until there is an answer to it, and read that. ModuleError without one."""
        response, answer = await self._answered(request, wait_for_body=True)
        await response.aclose()
        return answer

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """Do the same, and read a good answer piece by piece: Dropped when it ends too early."""
        response, answer = await self._answered(request, wait_for_body=False)
        try:
            async with aclosing(self._pieces(response)) as pieces:
                yield answer, pieces
        finally:
            await response.aclose()

    async def _answered(
        self, request: Request, *, wait_for_body: bool
    ) -> "tuple[httpx.Response, Answer]":
        # httpx is loaded with the client, in a thread: the errors are known only afterwards.
        await shared_client(self._ctx, HOST_TRUST)
        import httpx

        with foreign_errors(self.origin, DISTRUSTED):
            try:
                return await self._repeated(request, wait_for_body)
            except httpx.TimeoutException as error:
                connecting = isinstance(error, httpx.ConnectTimeout)
                waited = min(self._timeout, CONNECT) if connecting else self._timeout
                is_ours = waited == self._timeout
                hint = "raise `timeout`" if is_ours else "check `endpoint`, and what is on the way"
                message = f"{self.origin} was silent for {waited:g} s"
                raise ModuleError(message, hint=hint) from error

    async def _repeated(
        self, request: Request, wait_for_body: bool
    ) -> "tuple[httpx.Response, Answer]":
        for attempt in range(1, ATTEMPTS):
            try:
                response, answer = await self._once(request, wait_for_body)
            except Exception as error:
                if not _is_worth_repeating(error, once=request.once):
                    raise
                why = "lost the connection"
                # The first time at once: mostly the server had closed one that was idle.
                delay = 0.1 * 2**attempt if attempt > 1 else 0.0
            else:
                if answer.status not in AGAIN or (request.once and answer.status != 503):
                    return response, answer
                await response.aclose()
                why = f"answered {answer.status}"
                delay = 0.1 * 2**attempt
            self._ctx.log("info", f"{self.origin} {why}; next attempt in {delay:g} s")
            await self._ctx.clock.sleep(delay)
        return await self._once(request, wait_for_body)

    async def _once(self, request: Request, wait_for_body: bool) -> "tuple[httpx.Response, Answer]":
        client = await shared_client(self._ctx, HOST_TRUST)
        import httpx

        from gxo.stdlib.object_storage._address import Exact  # with httpx

        host = self.origin.partition("://")[2]
        headers = {"accept-encoding": "identity", "user-agent": "gxo"}
        headers |= await self._sign(request, host)
        if request.body.size or request.method in ("PUT", "POST"):
            headers["content-length"] = str(request.body.size)
        made = client.build_request(
            request.method,
            self.origin,
            headers=headers,
            content=request.body.pieces() if request.body.size else None,
            timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, CONNECT), pool=None),
        )
        made.url = Exact(self.origin, request.target)
        response = await client.send(made, stream=True, follow_redirects=False)
        try:
            whole = wait_for_body or not response.is_success
            body = await self._read(response) if whole else b""
        except BaseException:
            await response.aclose()
            raise
        return response, Answer(response.status_code, dict(response.headers.items()), body)

    async def _read(self, response: "httpx.Response") -> bytes:
        body = bytearray()
        async with _closing(response) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise ModuleError(f"{self.origin} sends an answer of more than 16 MiB")
        return bytes(body)

    async def _pieces(self, response: "httpx.Response") -> AsyncGenerator[bytes, None]:
        import httpx

        try:
            async with _closing(response) as chunks:
                async for chunk in chunks:
                    yield chunk
        except httpx.TransportError as error:
            raise Dropped(f"the connection to {self.origin} broke") from error


class Speaker(ABC):
    """Who speaks with a provider about a bucket, and knows what its refusals mean."""

    _wire: Wire

    @abstractmethod
    def refusal(self, doing: str, answer: Answer, key: str = "") -> ModuleError:
        """Why the provider has not done it."""

    async def ask(self, request: Request) -> Answer:
        """The answer, whatever it is."""
        return await self._wire.send(request)

    async def do(self, doing: str, request: Request, key: str = "") -> Answer:
        """The answer, which is a good one; ModuleError says why it is not."""
        answer = await self._wire.send(request)
        if not 200 <= answer.status < 300:
            raise self.refusal(doing, answer, key)
        return answer

    @asynccontextmanager
    async def stream(
        self, request: Request, key: str
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """A good answer and an object's bytes, as they arrive."""
        async with self._wire.stream(request) as (answer, pieces):
            if answer.status != (206 if "range" in request.headers else 200):
                raise self.refusal("read", answer, key)
            yield answer, pieces


def _closing(response: "httpx.Response") -> "aclosing[Any]":
    """End httpx's generator with its reader, instead of in a task when it is collected."""
    return aclosing(cast("Any", response.aiter_raw()))


def _is_worth_repeating(error: Exception, *, once: bool) -> bool:
    import httpx

    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    return isinstance(error, httpx.TransportError) and not once
