"""Requests that go through a proxy, as the environment says: proxies.yaml, and a real one."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gxo.runtime.errors import GxoError
from gxo.stdlib.http._proxies import proxy_for
from gxo.stdlib.http.request import request
from tests.stdlib.harness import Bench, bench, run
from tests.stdlib.http.proxy import Proxy, proxying
from tests.stdlib.http.server import Server, serving

CASES = yaml.safe_load(Path(__file__).with_name("proxies.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_environment_is_read_as_other_tools_read_it(case: dict[str, Any]) -> None:
    assert proxy_for(httpx.URL(case["url"]), lambda name: case["env"].get(name, "")) == case["via"]


@contextlib.asynccontextmanager
async def behind(
    folder: Path, authorization: str | None = None, *, tls: bool = False
) -> AsyncIterator[tuple[Bench, Server, Proxy]]:
    """A bench, a server, and a proxy that the bench's environment does not name yet."""
    async with bench(folder) as workbench:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(serving({"/a": {"body": "x"}}, tls=tls))
            proxy = stack.enter_context(proxying(authorization))
            try:
                yield workbench, server, proxy
            finally:
                await workbench.run.shared.close()
                await workbench.context.thread(stack.close)


def test_http_is_forwarded(tmp_path: Path) -> None:
    async def play() -> tuple[str, str, list[str]]:
        async with behind(tmp_path) as (workbench, server, proxy):
            workbench.environment["HTTP_PROXY"] = f"http://{proxy.address}"
            url = f"http://localhost:{server.server_address[1]}/a"
            answer = await request(workbench.context, url=url, headers={"Authorization": "s3cret"})
            return answer["body"], url, proxy.seen

    body, url, seen = run(play())
    assert body == "x" and seen == [f"GET {url}"]


def test_https_is_tunnelled_and_the_pool_is_used(tmp_path: Path) -> None:
    async def play() -> tuple[int, list[str], int]:
        async with behind(tmp_path, tls=True) as (workbench, server, proxy):
            workbench.environment["https_proxy"] = proxy.address
            port = server.server_address[1]
            for _ in range(3):
                url = f"https://localhost:{port}/a"
                await request(workbench.context, url=url, skip_tls_verify=True)
            return port, proxy.seen, server.connections

    port, seen, connections = run(play())
    assert (seen, connections) == ([f"CONNECT localhost:{port}"], 1)


@pytest.mark.parametrize("tls", [False, True])
def test_a_password_for_the_proxy(tls: bool, tmp_path: Path) -> None:
    async def play(credentials: str) -> Any:
        async with behind(tmp_path, "Basic YW5uOnMzY3JldA==", tls=tls) as (
            workbench,
            server,
            proxy,
        ):
            for name in ("http_proxy", "https_proxy"):
                workbench.environment[name] = f"http://{credentials}{proxy.address}"
            url = f"http{'s' if tls else ''}://localhost:{server.server_address[1]}/a"
            try:
                answer = await request(workbench.context, url=url, skip_tls_verify=tls)
            except GxoError as error:
                return str(error).partition(str(server.server_address[1]))[2]
            return answer["status_code"], [one["headers"] for one in server.requests]

    status, [headers] = run(play("ann:s3cret@"))
    assert status == 200 and "proxy-authorization" not in headers
    refused = run(play("ann:wrong@"))
    if tls:
        assert refused == "/a through the proxy: 407 Proxy Authentication Required"
    else:
        assert refused == (407, [])


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        (
            "http://127.0.0.1:1",
            "cannot connect to https://localhost:9/a through the proxy: Connection refused",
        ),
        ("socks5://ann:s3cret@p:1", "a proxy for https that is not reached by HTTP"),
        ("http://ann:s3cret@p:port", "names a proxy whose address is not valid"),
        ("http://", "names a proxy whose address is not valid"),
    ],
)
def test_a_proxy_that_is_none(proxy: str, why: str, tmp_path: Path) -> None:
    async def play() -> GxoError:
        async with bench(tmp_path) as workbench:
            workbench.environment["ALL_PROXY"] = proxy
            with pytest.raises(GxoError) as caught:
                await request(workbench.context, url="https://localhost:9/a")
            await workbench.run.shared.close()
            return caught.value.with_traceback(None)

    error = run(play())
    assert why in str(error)
    assert "s3cret" not in f"{error} {error.hint}"
