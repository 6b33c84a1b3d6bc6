"""httpx as gxo uses it: one pooled client a job, its TLS, and its errors turned into ours.

httpx is imported inside the functions: a job pays for it when it makes its first request.
"""

import functools
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, WorkloadError
from gxo.runtime.spec import Secret
from gxo.stdlib.connection._tls import identify, trust_authorities

if TYPE_CHECKING:
    import httpx


class ClientCert(TypedDict):
    """A certificate of one's own, and its key, in PEM. passphrase: opens an encrypted key."""

    cert: str
    key: Secret
    passphrase: NotRequired[Secret]


class Trust(NamedTuple):
    """Whom a client believes: verify whether anybody at all, ca_cert (PEM) instead of the host's
    authorities. And how it proves who it is: cert, key and passphrase."""

    verify: bool = True
    ca_cert: str | None = None
    cert: str | None = None
    key: str = ""
    passphrase: str = ""

    def anonymous(self) -> "Trust":
        """The same without the certificate, for other servers than the one that it is for."""
        return self._replace(cert=None, key="", passphrase="")


HOST_TRUST = Trust()
_QUOTED = re.compile(r":? (?:bytearray\()?b['\"]")

ENVIRONMENT = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUEST_METHOD",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
]
"""The variables that say which proxies there are, and whom the host trusts."""


async def shared_client(ctx: Context, trust: Trust) -> "httpx.AsyncClient":
    """The job's client with this trust, and its connections."""

    async def open_client() -> "httpx.AsyncClient":
        return await ctx.thread(_make_client, ctx, trust)

    async def close_client(client: "httpx.AsyncClient") -> None:
        await client.aclose()

    return await ctx.shared(("http:request", trust), open_client, close_client)


def _make_client(ctx: Context, trust: Trust) -> "httpx.AsyncClient":
    """start-up: 100 ms of the processor, where httpx is not loaded yet."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy  # start-up: costs milliseconds

    import httpx

    from gxo.stdlib.http._proxies import proxy_for
    from gxo.stdlib.http._unpacked import ASKED_FOR
    from gxo.stdlib.http._ways import Ways

    return httpx.AsyncClient(
        transport=Ways(tls_context(trust), lambda url: proxy_for(url, ctx.env)),
        trust_env=False,
        headers={"Accept-Encoding": ASKED_FOR},
        timeout=None,  # noqa: S113 - the module limits the exchange as a whole
        # Each request stands for itself: what one answer sets must not go with the next request.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def shared_cookies(ctx: Context) -> "httpx.Cookies":
    """The job's cookies, of the requests that share them."""

    async def open_jar() -> "httpx.Cookies":
        from http.cookiejar import CookieJar, DefaultCookiePolicy  # start-up: costs milliseconds

        import httpx

        # No host sets a cookie for all of a country's: `.co.uk`.
        return httpx.Cookies(CookieJar(DefaultCookiePolicy(strict_domain=True)))

    async def close_jar(jar: "httpx.Cookies") -> None:
        jar.jar.clear()

    return await ctx.shared("http:request cookies", open_jar, close_jar)


def tls_context(trust: Trust = HOST_TRUST) -> ssl.SSLContext:
    """Trust what the host trusts; certifi's authorities only where the host has none."""
    if trust.ca_cert is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust_authorities(context, "ca_cert", trust.ca_cert)
    else:
        context = ssl.create_default_context()
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca_cert is None and not _host_has_authorities():
        import certifi

        # As data: the file may be inside a zip archive.
        context.load_verify_locations(cadata=certifi.contents())
    if trust.cert is not None:
        identify(context, "client_cert", trust.cert, trust.key, trust.passphrase)
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
def foreign_errors(
    target: "str | httpx.URL",
    distrusted: str = "check the address and the certificate authorities; `ca_cert` names others",
) -> Iterator[None]:
    """Raise httpx's errors as ours, naming the target; other errors pass.

    distrusted: what to do about a server whose certificate is not believed.
    """
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
            hint = distrusted
        elif "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER_FAILURE" in reason:
            hint = "it does not speak TLS: check the port, or begin the address with http://"
        named = target if isinstance(target, str) else shown(target)
        raise ours(f"{message.format(target=named)}: {reason}", hint=hint) from error


def shown(url: "httpx.URL") -> str:
    """An address as messages show it: without what could be a credential."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


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
        (httpx.ProxyError, ModuleError, "cannot connect to {target} through the proxy", None),
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
    if isinstance(error, httpx.ProtocolError):
        # h11 quotes header fields, as the bytes that no redaction knows.
        reason = _QUOTED.split(reason)[0]
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, BaseExceptionGroup):
            below = below.exceptions[0]
        if isinstance(below, OSError) and below.errno is not None:
            known = below.errno > 0 and not isinstance(below, ssl.SSLError)
            reason = os.strerror(below.errno) if known else str(below.strerror or below)
        below = below.__cause__ or below.__context__
    return reason
