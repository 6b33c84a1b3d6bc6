"""How requests leave: through the proxy of the environment, by TLS, at an address as it was signed."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stdlib.harness import run
from tests.stdlib.http.proxy import Proxy, proxying
from tests.stdlib.http.server import PEM, Server, serving
from tests.stdlib.object_storage.objects import Calls, calls

ODD = "a//../b/./c"


@contextlib.asynccontextmanager
async def behind(folder: Path, *, tls: bool) -> AsyncIterator[tuple[Calls, Server, Proxy]]:
    """Calls whose environment names a proxy, and the server that is behind it."""
    async with calls(folder, bucket="bkt") as call:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(serving({f"/bkt/{ODD}": {"body": "x"}}, tls=tls))
            proxy = stack.enter_context(proxying())
            for name in ("http_proxy", "https_proxy"):
                call.bench.environment[name] = f"http://{proxy.address}"
            try:
                endpoint = f"http{'s' if tls else ''}://localhost:{server.server_address[1]}"
                yield Calls(call.bench, {**call.shared, "endpoint": endpoint}), server, proxy
            finally:
                await call.bench.run.shared.close()
                await call.bench.context.thread(stack.close)


@pytest.mark.parametrize("tls", [False, True])
def test_requests_go_through_the_proxy_of_the_environment(
    tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))

    async def play() -> None:
        async with behind(tmp_path, tls=tls) as (call, server, proxy):
            for _ in range(2):
                assert (await call.done("get_object", key=ODD))["content"] == "x"
            host = f"localhost:{server.server_address[1]}"
            through = [f"CONNECT {host}"] if tls else [f"GET http://{host}/bkt/{ODD}"] * 2
            assert proxy.seen == through

    run(play())


def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    async def play() -> str:
        async with behind(tmp_path, tls=True) as (call, _, _):
            return await call.refused("get_object", key=ODD)

    told = run(play())
    assert "certificate verify failed" in told
    assert "check `endpoint` and the certificate authorities of this host" in told
