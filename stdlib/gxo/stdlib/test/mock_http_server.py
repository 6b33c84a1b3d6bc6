"""The module `test:mock_http_server`: a server that answers as the test says."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, WorkloadError
from gxo.runtime.host.tasks import run_all
from gxo.runtime.spec import Duration, Record, UrlValue, module
from gxo.runtime.testing import session_of
from gxo.stdlib.connection._server import Places, StreamServer, bound
from gxo.stdlib.http._answers import TEXT, Answer
from gxo.stdlib.http._exchanges import Exchanges, NobodyWaitsError
from gxo.stdlib.test._handlers import Handlers, Response

HOST = "127.0.0.1"

MOST_CONNECTIONS = 1024

MAX_BODY = 64 * 1024 * 1024
"""Bytes that the body of a request may have; a larger one is answered 413."""


class MockedRequest(TypedDict, total=False):
    """What a request must have; one of which nothing is said is any request."""

    method: str
    path: str
    path_regex: str
    headers: Mapping[str, str]
    query: Mapping[str, UrlValue]
    body_contains: str


class MockedResponse(TypedDict, total=False):
    """What is answered, after `delay`."""

    status_code: int
    body: str
    json: Any
    headers: Mapping[str, str | Sequence[str]]
    delay: Duration


class MockHandler(TypedDict):
    """A request, the response to it, and for how many requests that is."""

    request: MockedRequest
    response: NotRequired[MockedResponse]
    times: NotRequired[int]


class Serving(TypedDict):
    """Where it listens: `http://127.0.0.1:PORT`, and the port alone."""

    server_url: str
    port: int


@module("test:mock_http_server", background=True, needs=["h11"], returns={"server_url": []})
async def mock_http_server(
    ctx: Context, *, handlers: Sequence[MockHandler], strict: bool = True
) -> Serving:
    """Serve HTTP/1.1 at a free port of loopback, and answer as the test says.

    It is in service before what reads its summary starts, and until all workloads have ended:
    `on_failure` and `finally` of the test itself run after that, not so those of the playbook that
    it includes.

    The first handler whose `request` fits answers. All that a request names must be there: its
    `method`; its `path`, or a `path_regex` that matches it, decoded, as a whole and without the
    query; `headers` by name, in any case; parameters of the `query`, a list for one that comes
    several times; a part of the body (`body_contains`). What it does not name may be anything.

    A response has a `status_code` (200); a `body`, a text, or a value as `json`; `headers`, with a
    list where one comes several times; a `delay`, which is virtual time: no test takes so long.

    A handler with `times` answers so many requests, and is then passed over. So a server that is
    busy twice is a handler with `times: 2` and `status_code: 503`, and one behind it for what comes
    then. With `times: 0` the request must not come.

    A request that no handler is for is answered 404 with what came, and what the nearest handler
    expects instead. When `strict`, that fails the test at once with the same text; so does, when
    the test ends, a handler that has had fewer requests than its `times`.

    Args:
        handlers: Tried in order. Each has a `request`, the `response` to it, by default 200 without
            a body, and perhaps how many `times` it answers. Templates in them are evaluated once,
            when the server starts.
        strict: whether a request that no handler is for, or one that does not come, fails the test

    Returns:
        `server_url`, without a slash at its end; `port`.

    Raises:
        SecurityError: a request that no handler is for, or too few of them. No `ignore_errors` and
            no `expect: Failed` makes up for that.
        ParameterError: a response that cannot be sent, a path with a query in it, two of `path` and
            `path_regex`, or of `body` and `json`.

    Example:
        name: api
        lifecycle: {policy: run_once}
        process:
          module: test:mock_http_server
          params:
            handlers:
              - request: {method: GET, path: /users/1, query: {full: true}}
                response: {json: {name: Alice}, delay: 2s}
              - request: {path_regex: '/users/\\d+'}
                response: {status_code: 503, headers: {Retry-After: "30"}}
        register: api
    """
    from gxo.stdlib.http._server import Limits, Server  # start-up: with h11

    exchanges = await _exchanges(ctx)
    mock = Mock(ctx, Handlers(ctx, handlers), exchanges, strict=strict)
    limits = Limits(MAX_BODY, timeout=math.inf, read_timeout=math.inf, idle=math.inf)
    server = Server(ctx, mock, exchanges, limits, _as_text)
    with (
        await bound(ctx, "tcp", f"{HOST}:0") as listener,
        closing(server),
        session_of(ctx).servers.serving(listener.getsockname(), lambda: server.is_receiving),
    ):
        port = listener.getsockname()[1]
        serving: Serving = {"server_url": f"http://{HOST}:{port}", "port": port}
        accepting = StreamServer(ctx, listener, None, Places(MOST_CONNECTIONS), f"{HOST}:{port}")
        ctx.ready(serving)
        try:
            await run_all(accepting.serve(server.welcome), server.broken(), mock.surprised())
        except asyncio.CancelledError:
            mock.check_times()
            raise
        except WorkloadError:
            mock.tell_surprises()
            raise
    return serving


async def _exchanges(ctx: Context) -> Exchanges:
    """Those of this server. What they still have to send is sent until the job ends."""

    async def begin() -> Exchanges:
        return Exchanges(ctx.clock)

    return await ctx.shared(("test:mock_http_server", ctx.workload), begin, Exchanges.close)


def _as_text(body: bytes) -> str:
    """What is no UTF-8 becomes lone surrogates."""
    return body.decode(errors="surrogateescape")


class Mock:
    """Takes the requests of the server, and answers them."""

    wanted = True

    def __init__(
        self, ctx: Context, handlers: Handlers, exchanges: Exchanges, *, strict: bool
    ) -> None:
        self._ctx = ctx
        self._session = session_of(ctx)
        self._handlers = handlers
        self._exchanges = exchanges
        self._strict = strict
        self._surprises: list[tuple[str, str]] = []
        self._surprised = asyncio.Event()

    async def send(self, batch: list[Record]) -> None:
        """Answer a request, now or after the response's delay."""
        for record in batch:
            handle = record["request_id"]
            try:
                response = await self._handlers.response_to(record)
            except ModuleError as error:
                self._be_surprised(handle, error.message)
                continue
            if response.delay > 0:
                self._exchanges.start(self._answer_later(handle, response))
            else:
                self._answer(handle, response.answer)

    async def surprised(self) -> None:
        """Wait until a request comes that fails the test, and raise that."""
        await self._surprised.wait()
        raise self._session.spoiled(self._ctx, self._surprises[0][1])

    def tell_surprises(self) -> None:
        """Answer the requests that fail the test. Who has sent them learns of it after the test."""
        for handle, text in self._surprises:
            self._answer(handle, _not_found(text))

    def check_times(self) -> None:
        """At the end of the test, raise when requests did not come that had to."""
        at_end = self._session.came_to_end(self._ctx.playbook)
        if at_end and self._strict and (text := self._handlers.missed()):
            raise self._session.spoiled(self._ctx, text)

    def _be_surprised(self, handle: str, text: str) -> None:
        if self._strict:
            self._surprises.append((handle, text))
            self._surprised.set()
        else:
            self._ctx.log("warning", text)
            self._answer(handle, _not_found(text))

    async def _answer_later(self, handle: str, response: Response) -> None:
        await self._ctx.clock.sleep(response.delay)
        self._answer(handle, response.answer)

    def _answer(self, handle: str, answer: Answer) -> None:
        with suppress(NobodyWaitsError):  # the client has gone
            self._exchanges.answer(handle, answer)


def _not_found(text: str) -> Answer:
    return Answer(404, [TEXT], f"{text}\n".encode())
