"""What a table of cases cannot say: the pool, TLS, downloads, cancellation, httpx's errors."""

import asyncio
import contextlib
import inspect
from pathlib import Path
from typing import Any

import httpx
import pytest

from gxo.runtime.errors import GxoError, ModuleError, SecurityError
from gxo.stdlib.http import _client
from gxo.stdlib.http._client import error_roots, error_table, foreign_errors
from gxo.stdlib.http.request import request
from tests.stdlib.harness import bench, module_spec, run
from tests.stdlib.http.server import PEM, serving
from tests.stdlib.http.test_requests import client


def test_requests_of_a_job_share_their_connections(tmp_path: Path) -> None:
    async def play() -> tuple[int, int]:
        async with client(
            tmp_path, {"/a": {"body": "x"}, "/r": {"status": 302, "headers": {"Location": "/a"}}}
        ) as (workbench, server):
            url = f"http://127.0.0.1:{server.server_address[1]}"
            for path in ("/a", "/r", "/a", "/missing", "/a"):
                await request(workbench.context, url=url + path)
            return server.connections, len(server.requests)

    assert run(play()) == (1, 6)


def test_parallel_requests_have_connections_of_their_own(tmp_path: Path) -> None:
    async def play() -> int:
        async with client(tmp_path, {"/a": {"body": "x"}}) as (workbench, server):
            url = f"http://127.0.0.1:{server.server_address[1]}/a"
            calls = (request(workbench.context, url=url) for _ in range(5))
            for answer in await asyncio.gather(*calls):
                assert answer["body"] == "x"
            return len(server.requests)

    assert run(play()) == 5


def test_a_download_larger_than_memory_wants(tmp_path: Path) -> None:
    body = "0123456789" * 200_000

    async def play() -> dict[str, Any]:
        async with client(tmp_path, {"/a": {"body": body}}) as (workbench, server):
            url = f"http://127.0.0.1:{server.server_address[1]}/a"
            return dict(await request(workbench.context, url=url, download_to="d/a.txt"))

    assert run(play())["path"] == "d/a.txt"
    assert (tmp_path / "d" / "a.txt").read_text() == body


@pytest.mark.parametrize(
    "params", [{}, {"download_to": "a.txt"}, {"pagination": {"link_header": True}}]
)
def test_a_cancelled_request_leaves_nothing(params: dict[str, Any], tmp_path: Path) -> None:
    async def play() -> None:
        async with client(tmp_path, {"/a": {"stall": "half"}}) as (workbench, server):
            url = f"http://127.0.0.1:{server.server_address[1]}/a"
            working = asyncio.ensure_future(request(workbench.context, url=url, **params))
            assert await asyncio.to_thread(server.asked.wait, 10)
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            assert working.cancelled()

    run(play())
    assert list(tmp_path.iterdir()) == []


async def ask_tls(folder: Path, *, tls: bool = True, **params: Any) -> dict[str, Any]:
    async with bench(folder) as workbench:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(serving({"/a": {"body": "x"}}, tls=tls))
            url = f"https://localhost:{server.server_address[1]}/a"
            try:
                return dict(await request(workbench.context, url=url, **params))
            except ModuleError as error:
                return {"error": str(error), "hint": error.hint}
            finally:
                await workbench.run.shared.close()
                await workbench.context.thread(stack.close)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    answer = run(ask_tls(tmp_path))
    assert "certificate verify failed" in answer["error"]
    assert "certificate authorities" in answer["hint"]


def test_a_port_without_tls(tmp_path: Path) -> None:
    answer = run(ask_tls(tmp_path, tls=False))
    assert "cannot connect to https://localhost" in answer["error"]
    assert answer["hint"] == (
        "it does not speak TLS: check the port, or begin the address with http://"
    )


def test_a_file_outside_the_workspace_is_not_asked_for(tmp_path: Path) -> None:
    async def ask() -> None:
        async with bench(tmp_path) as workbench:
            with pytest.raises(SecurityError, match=r"cannot write .\.\./x.: it leads out"):
                await request(workbench.context, url="http://127.0.0.1:9/", download_to="../x")

    run(ask())


def test_a_certificate_that_the_host_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    assert run(ask_tls(tmp_path))["body"] == "x"


def test_any_certificate_when_asked_for_and_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(ask_tls(tmp_path, skip_tls_verify=True))["body"] == "x"
    assert "security: TLS certificates of https://localhost" in capfd.readouterr().err


def test_certifi_where_the_host_has_no_authorities(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    assert not _client._host_has_authorities()
    assert _client.tls_context().cert_store_stats()["x509_ca"] > 50


def foreign() -> list[type[Exception]]:
    return [
        thing
        for _, thing in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(thing, Exception)
    ]


@pytest.mark.parametrize("kind", foreign(), ids=lambda kind: kind.__name__)
def test_each_error_of_httpx_becomes_ours(kind: type[Exception]) -> None:
    """Fails when a new version of httpx raises something that the table does not reach."""
    assert issubclass(kind, error_roots())
    error = kind.__new__(kind)
    error.args = ("what happened",)
    with (
        pytest.raises(GxoError, match=r"http://host/.*what happened"),
        foreign_errors("http://host/"),
    ):
        raise error


def test_the_table_goes_from_special_to_general() -> None:
    kinds = [row[0] for row in error_table()]
    for place, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[place + 1 :])


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), foreign_errors("x"):
        raise KeyError("mine")


def test_the_declaration_names_what_it_touches() -> None:
    spec = module_spec("http:request")
    assert [(effect.kind, effect.param) for effect in spec.effects] == [
        ("connects", "url"),
        ("connects", "auth.oauth2.token_url"),
        ("reads", "body_from"),
        ("reads", "files.path"),
        ("writes", "download_to"),
    ]
    assert {"NO_PROXY", "https_proxy"} < {*spec.environment}
    assert [str(need) for need in spec.needs] == ["httpx", "sniffio"]
