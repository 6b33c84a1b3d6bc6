"""The ways by which requests leave: straight to the server, or through a proxy. Each has a pool."""

import ssl
from collections.abc import Callable

import httpx

from gxo.runtime.errors import ModuleError
from gxo.stdlib.http._client import tls_context

MAX_CONNECTIONS = 100


class Ways(httpx.AsyncBaseTransport):
    """Opens each way when the first request takes it.

    context: for the servers, whatever the way. proxy_for: the proxy of an address, None for none.
    """

    def __init__(
        self, context: ssl.SSLContext, proxy_for: Callable[[httpx.URL], str | None]
    ) -> None:
        self._context = context
        self._proxy_for = proxy_for
        self._open: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._proxy_for(request.url)
        way = self._open.get(proxy)
        if way is None:
            way = self._open[proxy] = self._made(proxy)
        try:
            return await way.handle_async_request(request)
        except httpx.ConnectError as error:
            if proxy is None:
                raise
            raise httpx.ProxyError(str(error)) from error

    async def aclose(self) -> None:
        for way in self._open.values():
            await way.aclose()

    def _made(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(
            verify=self._context,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS
            ),
            proxy=None if proxy is None else _proxy(proxy),
        )


def _proxy(address: str) -> httpx.Proxy:
    try:
        # `ca_cert` is about the servers.
        context = tls_context() if address.startswith("https:") else None
        proxy = httpx.Proxy(address, ssl_context=context)
        if not proxy.url.host:
            raise ValueError
        return proxy
    except (httpx.InvalidURL, ValueError):
        # It is not quoted: there may be a password in it.
        message = "the environment names a proxy whose address is not valid"
        raise ModuleError(message, hint="check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY") from None
