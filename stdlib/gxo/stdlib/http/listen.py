"""The module `http:listen`."""

from collections.abc import Coroutine
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, WorkloadError
from gxo.runtime.host.tasks import run_all
from gxo.runtime.spec import Duration, Record, Size, listens, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.connection._address import written
from gxo.stdlib.connection._data import Encoding, check_encoding, to_text
from gxo.stdlib.connection._links import StreamLink
from gxo.stdlib.connection._registry import Connections, connections
from gxo.stdlib.connection._server import Places, StreamServer, bound
from gxo.stdlib.connection._tls import ServerTls, server_context
from gxo.stdlib.http._exchanges import exchanges

if TYPE_CHECKING:
    from gxo.stdlib.http._server import Server


class Listening(TypedDict):
    """Where it listens: with port 0 the system has chosen one; empty without `address`."""

    local_addr: str


@module(
    "http:listen",
    changes=True,
    effects=[listens("address")],
    lifecycles=["supervise", "event_driven"],
    background=True,
    needs=["h11"],
)
async def listen(
    ctx: Context,
    records: Records | None = None,
    out: Out | None = None,
    *,
    address: str | None = None,
    tls: ServerTls | None = None,
    max_connections: int = 1024,
    max_body: Size = 10 * 1024 * 1024,
    encoding: Encoding = "string",
    read_timeout: Duration = 60.0,
    timeout: Duration = 30.0,
) -> Listening:
    """Serve HTTP/1.1: send a record for each request, which `http:respond` answers.

    It listens at an `address`, or serves the connections that a `connection:listen` in
    `stream_inputs` announces, which are its own from then on.

    A record has `request_id`, by which it is answered; `method`; `path`, without the query and
    decoded; `headers`, by lower-case name, those that come several times joined by commas (cookies
    by semicolons); `body`; `query_params`, texts by name, or the list of them where a name comes
    several times; `remote_addr`, the client's address and port.

    A client's requests are taken one after the other, and wait while consumers take no more. So
    in memory are, besides the answers, at most the bodies of as many requests as the streams have
    room for (`channel_policy`), of 16 more, and 1 MiB for each connection that sends.

    What is no HTTP, or could be read in two ways, is answered 400: lines that end without CR,
    folded header fields, control characters, two lengths, fields behind a chunked body. A body that
    is too large is answered 413, one that `encoding` cannot take 415, a head of more than 64 KiB or
    200 fields 431, a request that is not complete in time 408. The connection is then closed, as is
    one without a request for 60 s. With nobody to read the stream, all is answered 503.

    When it ends it takes no more requests; those that were taken can still be answered.

    Args:
        address: `host:port`, or `:port` for all addresses of the host; port 0 is one that is free
        tls: the server's `cert` and `key`, and `client_ca` for clients that must have a certificate
        max_connections: how many may be open at a time at `address`; others wait to be accepted
        max_body: how large the body of a request may be
        encoding: `string` for bodies that are UTF-8, or `base64` or `hex` for anything
        read_timeout: how long a request may take to arrive, and a client not to take its answer
        timeout: how long a request may wait for its answer; then the client is told so (504)

    Returns:
        `local_addr`: where it listens; empty without `address`.

    Raises:
        ModuleError: the address is taken, or not one of this host.
        ParameterError: an address that is none; neither an address nor a stream, or both.

    Example:
        name: requests
        lifecycle: {policy: supervise}
        process:
          module: http:listen
          params:
            address: 127.0.0.1:8080
            max_body: 1MiB
    """
    check_encoding(encoding)
    if (address is None) == (records is None):
        raise ParameterError(
            "give either `address` or `stream_inputs`",
            hint="without an address it serves the connections of a `connection:listen`",
        )
    if records is not None and tls is not None:
        raise ParameterError("tls: it is for `address`; `connection:listen` has its own")
    for name, value in [
        ("max_connections", max_connections),
        ("timeout", timeout),
        ("read_timeout", read_timeout),
    ]:
        if value <= 0:
            raise ParameterError(f"`{name}` is {value}: it is above 0")
    if max_body < 0:
        raise ParameterError(f"`max_body` is {max_body}: it is at least 0")
    from gxo.stdlib.http._server import Limits, Server  # start-up: with h11

    limits = Limits(max_body, timeout=timeout, read_timeout=read_timeout)
    text = partial(to_text, encoding=encoding)
    server = Server(ctx, out, await exchanges(ctx), limits, text)
    if records is not None:
        return await _take_over(ctx, records, server)
    assert address is not None
    context = server_context(tls)
    with await bound(ctx, "tcp", address) as listener:
        local = written(listener.getsockname())
        accepting = StreamServer(ctx, listener, context, Places(max_connections), local)
        return await _serve(ctx, server, accepting.serve(server.welcome), local)


async def _serve(
    ctx: Context, server: "Server", connecting: Coroutine[Any, Any, None], local: str
) -> Listening:
    """Be in service as long as clients connect."""
    listening: Listening = {"local_addr": local}
    ctx.ready(listening)
    with closing(server):
        await run_all(connecting, server.broken())
    return listening


async def _take_over(ctx: Context, records: Records, server: "Server") -> Listening:
    """Serve the connections of a stream, until there are no more."""
    registry = await connections(ctx)

    async def take_each() -> None:
        async for batch in records:
            for record in batch:
                try:
                    server.welcome(_link_of(record, registry))
                except WorkloadError as error:
                    await ctx.record_failed(record, error)
        await server.finish()

    return await _serve(ctx, server, take_each(), "")


def _link_of(record: Record, registry: Connections) -> StreamLink:
    handle = record.get("connection_id")
    if not isinstance(handle, str):
        raise ModuleError("the record has no `connection_id`")
    link = registry.find(handle)
    if not isinstance(link, StreamLink):
        raise ModuleError(f"HTTP needs a stream of bytes, which '{handle}' is not")
    registry.take(handle)
    return link
