"""`test:mock_http_server` in a real context, with real clients: httpx, curl, and one that speaks in bytes."""

import asyncio
import io
import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gxo.runtime.context import Context
from gxo.runtime.errors import SecurityError
from gxo.runtime.reporting.logs import Log
from gxo.runtime.testing import Test
from gxo.stdlib.test import mock_http_server as module
from gxo.stdlib.test.mock_http_server import mock_http_server
from tests.services.process import find
from tests.stdlib.harness import Bench, bench, run
from tests.testing import support

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "mock_http_server.yaml").read_text(encoding="utf-8"))
VERDICTS = yaml.safe_load((HERE / "mock_verdicts.yaml").read_text(encoding="utf-8"))
KEYS = {"name", "handlers", "strict", "requests", "error", "warnings"}


class MockContext(Context):
    """A context in which the server gets ready. address: where it is then."""

    __slots__ = ("address",)

    def __init__(self, workbench: Bench) -> None:
        super().__init__(workbench.run, workbench.node)
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def ready(self, summary: Any) -> None:
        assert summary["server_url"] == f"http://127.0.0.1:{summary['port']}"
        self.address.set_result(summary["server_url"])


class Mocked:
    """A server. task: the module's. logged: its log, as JSON lines."""

    def __init__(self, workbench: Bench, address: str, task: "asyncio.Task[Any]") -> None:
        self.workbench = workbench
        self.address = address
        self.task = task
        self.logged = io.StringIO()
        workbench.run.log = Log(workbench.run, "info", "json", self.logged)

    @property
    def log(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.logged.getvalue().splitlines()]

    async def end(self) -> str | None:
        """End it as at the end of a test; why it fails, if it does."""
        self.task.cancel()
        await asyncio.wait([self.task])
        if self.task.cancelled():
            return None
        return str(self.task.exception())


@asynccontextmanager
async def mocked(folder: Path, *, held_clock: bool = False, **params: Any) -> AsyncIterator[Mocked]:
    """A server, which leaves nothing behind."""
    async with bench(folder, held_clock=held_clock) as workbench:
        workbench.run.testing = Test().session()
        workbench.run.secrets.made("s3cret-value")
        context = MockContext(workbench)
        task = asyncio.ensure_future(mock_http_server(context, **params))
        await asyncio.wait([task, context.address], return_when="FIRST_COMPLETED")
        served = Mocked(workbench, context.address.result(), task)
        try:
            yield served
        finally:
            await served.end()
            await workbench.run.shared.close()


def fits(expected: str, actual: str) -> bool:
    if expected.startswith("re:"):
        return re.search(expected[3:], actual) is not None
    return expected == actual


async def ask(client: httpx.AsyncClient, address: str, request: dict[str, Any]) -> None:
    """Send a request, and check its answer."""
    url = httpx.URL(address).copy_with(raw_path=request["path"].encode())
    body = request.get("body", "")
    content = (body if isinstance(body, bytes) else body.encode()) * request.get("repeat", 1)
    headers = request.get("headers", [])
    method = request.get("method", "GET")
    answer = await client.request(method, url, headers=headers, content=content)
    assert answer.status_code == request.get("status", 200), answer.text
    if "text" in request:
        assert answer.text == request["text"]
    for name, value in request.get("fields", {}).items():
        assert answer.headers[name] == value


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    assert case.keys() <= KEYS
    params = {key: case[key] for key in ("handlers", "strict") if key in case}

    async def play() -> None:
        async with mocked(tmp_path, **params) as server, httpx.AsyncClient() as client:
            for request in case["requests"]:
                await ask(client, server.address, request)
            error = await server.end()
            if "error" in case:
                assert error is not None
                assert fits(case["error"], error), error
            else:
                assert error is None
            expected = case.get("warnings", [])
            assert len(expected) == len(server.log)
            assert all(map(fits, expected, server.log)), server.log

    run(play())


def test_curl(tmp_path: Path) -> None:
    """Connections that are kept; HEAD; large bodies, with their length and in chunks."""
    curl = find("curl")
    large = tmp_path / "large"
    large.write_bytes(b"x" * 3_000_000 + b"needle")
    handlers = [
        {"request": {"method": "HEAD"}, "response": {"body": "1234"}},
        {"request": {"body_contains": "xneedle"}, "response": {"body": "found"}, "times": 2},
        {"request": {"path": "/big"}, "response": {"body": "y" * 5_000_000}},
        {"request": {"method": "GET"}, "response": {"json": {"a": 1}}},
    ]
    told = ["-o", "/dev/null", "-w", r"%{http_code} %{num_connects} %{size_download}\n"]

    async def play() -> list[str]:
        async with mocked(tmp_path, handlers=handlers) as server:

            async def curled(*arguments: str) -> str:
                command = [curl, "-sS", *(one.replace("AT", server.address) for one in arguments)]
                done = await server.workbench.context.thread(
                    lambda: subprocess.run(command, capture_output=True, check=True, timeout=15)
                )
                return str(done.stdout, "utf-8")

            chunked = ["-H", "Transfer-Encoding: chunked"]
            said = [
                await curled("-I", "AT/"),
                await curled("--data-binary", f"@{large}", "AT/up"),
                await curled(*chunked, "--data-binary", f"@{large}", "AT/up"),
                await curled(*told, "AT/1", *told, "AT/big", *told, "AT/3"),
            ]
            assert await server.end() is None
            return said

    head, with_length, in_chunks, kept = run(play())
    assert head.startswith("HTTP/1.1 200 OK") and "Content-Length: 4" in head
    assert (with_length, in_chunks) == ("found", "found")
    assert kept == "200 1 7\n200 0 5000000\n200 0 7\n"


def test_a_body_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 100_000)

    async def play() -> list[int]:
        handlers = [{"request": {}}]
        async with mocked(tmp_path, handlers=handlers) as server, httpx.AsyncClient() as client:
            sizes = (100_000, 100_001)
            answers = [await client.post(server.address, content=b"x" * size) for size in sizes]
            return [answer.status_code for answer in answers]

    assert run(play()) == [200, 413]


def test_many_at_once(tmp_path: Path) -> None:
    """Each of `times` counts once, and no answer is another's."""
    handlers = [
        {"request": {"path": "/a"}, "response": {"body": "first"}, "times": 30},
        {"request": {"path": "/a"}, "response": {"body": "then"}, "times": 70},
        *({"request": {"path": f"/{n}"}, "response": {"json": n}, "times": 1} for n in range(100)),
    ]

    async def play() -> list[str]:
        limits = httpx.Limits(max_connections=50)
        async with mocked(tmp_path, handlers=handlers) as server:
            async with httpx.AsyncClient(limits=limits, timeout=15) as client:
                paths = [path for n in range(100) for path in ("a", str(n))]
                urls = [f"{server.address}/{path}" for path in paths]
                answers = await asyncio.gather(*map(client.get, urls))
            assert await server.end() is None
            return [answer.text for answer in answers]

    said = run(play())
    assert sorted(said[::2]) == ["first"] * 30 + ["then"] * 70
    assert said[1::2] == [str(n) for n in range(100)]


def test_a_delay_holds_back_nobody_else(tmp_path: Path) -> None:
    handlers = [
        {"request": {"path": "/slow"}, "response": {"body": "slow", "delay": 60.0}},
        {"request": {}, "response": {"body": "fast"}},
    ]

    async def play() -> None:
        async with mocked(tmp_path, handlers=handlers, held_clock=True) as server:
            clock = server.workbench.clock
            async with httpx.AsyncClient() as client:
                slow = asyncio.ensure_future(client.get(f"{server.address}/slow"))
                await clock.asked.wait()
                assert clock.held == [60.0]
                assert (await client.get(server.address)).text == "fast"
                assert not slow.done()
                clock.advance()
                assert (await slow).text == "slow"

    run(play())


def test_a_client_that_does_not_wait(tmp_path: Path) -> None:
    """Its answer is nobody's any more, which is no fault."""
    handlers = [{"request": {}, "response": {"delay": 60.0}, "times": 2}]

    async def play() -> None:
        async with mocked(tmp_path, handlers=handlers, held_clock=True) as server:
            clock = server.workbench.clock
            for _ in range(2):  # the second is still waiting when the test ends
                clock.asked.clear()
                _, writer = await asyncio.open_connection(*server.address[7:].split(":"))
                writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await clock.asked.wait()
                writer.transport.abort()
                clock.advance()
            assert await server.end() is None

    run(play())


def test_the_first_surprise_is_the_error(tmp_path: Path) -> None:
    """Whoever has sent one is answered all the same."""

    async def play() -> list[httpx.Response]:
        async with mocked(tmp_path, handlers=[]) as server, httpx.AsyncClient() as client:
            paths = ("/1", "/2", "/3")
            answers = asyncio.gather(*(client.get(server.address + path) for path in paths))
            with pytest.raises(SecurityError, match=r'^no handler is for GET "/\d"$'):
                await server.task
            await server.workbench.run.shared.close()
            return await answers

    statuses = [answer.status_code for answer in run(play())]
    assert 404 in statuses and set(statuses) <= {404, 503}


def test_the_playbook_of_the_plans(tmp_path: Path) -> None:
    """As it is written there."""
    ran = support.run(support.compiled(HERE / "my_api.test.gxo.yaml"), tmp_path)
    assert ran.exit_code == 0
    results = ran.report["workload_results"].values()
    assert [one["status"] for one in results] == ["Completed"] * 3


CALLS = """- name: calls
    process: {module: http:request, params: {url: "{{ .api.server_url }}/users/1"}}"""


@pytest.mark.parametrize("case", VERDICTS, ids=[case["name"] for case in VERDICTS])
def test_a_verdict(case: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "case.test.gxo.yaml"
    file.write_text(case["playbook"].replace("CALLS", CALLS), encoding="utf-8")
    ran = support.run(support.compiled(file), tmp_path, case.get("options", []))
    assert ran.exit_code == (0 if case.get("passes") else 1)
    assert (ran.report["error"] or "").startswith(case.get("error", ""))
    assert case.get("logged", "") in capfd.readouterr().err
    results = ran.report["workload_results"]
    assert {name: one["status"] for name, one in results.items()} == case["statuses"]
