"""httpx as gxo uses it: one pooled client a job, its TLS, and its errors turned into ours.

httpx is imported inside the functions: a job pays for it when it makes its first request.
"""

import functools
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, WorkloadError

if TYPE_CHECKING:
    import httpx


async def shared_client(ctx: Context, *, verify: bool) -> "httpx.AsyncClient":
    """The job's client; requests that do not verify certificates have one of their own."""

    async def open_client() -> "httpx.AsyncClient":
        return _make_client(verify=verify)

    async def close_client(client: "httpx.AsyncClient") -> None:
        await client.aclose()

    return await ctx.shared(("http:request", verify), open_client, close_client)


def _make_client(*, verify: bool) -> "httpx.AsyncClient":
    from http.cookiejar import CookieJar, DefaultCookiePolicy  # start-up: costs milliseconds

    import httpx

    return httpx.AsyncClient(
        verify=tls_context(verify=verify),
        timeout=None,  # noqa: S113 - the module limits the exchange as a whole
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=100),
        # Each request stands for itself: what one answer sets must not go with the next request.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Trust what the host trusts; certifi's authorities only where the host has none."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not _host_has_authorities():
        import certifi

        # As data: the file may be inside a zip archive.
        context.load_verify_locations(cadata=certifi.contents())
    return context


def _host_has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    if paths.cafile or not paths.capath:
        return bool(paths.cafile)
    try:
        return bool(os.listdir(paths.capath))
    except OSError:
        return False


@contextmanager
def foreign_errors(target: str) -> Iterator[None]:
    """Raise httpx's errors as ours, naming the target; other errors pass."""
    try:
        yield
    except error_roots() as error:
        ours, message, hint = next(
            (ours, message, hint)
            for foreign, ours, message, hint in error_table()
            if isinstance(error, foreign)
        )
        reason = _reason(error)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            hint = "check the address and the host's certificate authorities"
        raise ours(f"{message.format(target=target)}: {reason}", hint=hint) from error


def error_roots() -> tuple[type[Exception], ...]:
    """The classes that every error of httpx is one of."""
    import httpx

    return (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict)


@functools.cache
def error_table() -> tuple[tuple[type[Exception], type[WorkloadError], str, str | None], ...]:
    """httpx's class, ours, the message, a hint; the most specific class first."""
    import httpx

    return (
        (httpx.InvalidURL, ParameterError, "the address {target} is not valid", None),
        (
            httpx.UnsupportedProtocol,
            ParameterError,
            "{target} cannot be reached by HTTP",
            "an address begins with http:// or https://",
        ),
        (httpx.LocalProtocolError, ParameterError, "the request to {target} is not valid", None),
        (httpx.TimeoutException, ModuleError, "{target} took too long", None),
        (httpx.ConnectError, ModuleError, "cannot connect to {target}", None),
        (httpx.ProxyError, ModuleError, "the proxy did not connect to {target}", None),
        (httpx.NetworkError, ModuleError, "the connection to {target} broke", None),
        (httpx.RemoteProtocolError, ModuleError, "{target} broke the rules of HTTP", None),
        (httpx.DecodingError, ModuleError, "the compressed body from {target} is damaged", None),
        (httpx.HTTPError, ModuleError, "the request to {target} failed", None),
        (Exception, ModuleError, "the request to {target} failed", None),
    )


def _reason(error: BaseException) -> str:
    """What happened at the bottom: layers above often say no more than that something failed."""
    import httpx

    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.InvalidURL):
        # Behind the colon it quotes a piece of the address, and so perhaps a piece of a secret,
        # which no redaction knows.
        reason = reason.partition(":")[0]
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, BaseExceptionGroup):
            below = below.exceptions[0]
        if isinstance(below, OSError) and below.errno is not None:
            known = below.errno > 0 and not isinstance(below, ssl.SSLError)
            reason = os.strerror(below.errno) if known else str(below.strerror or below)
        below = below.__cause__ or below.__context__
    return reason
