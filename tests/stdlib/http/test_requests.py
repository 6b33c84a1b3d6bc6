"""Every case of `requests/*.yaml`: a scripted server, a call, and what became of both.

- name: what is special about it
  server: {/path: {...}}            # see server.py; "{server}" and "{other}" in texts are its
  params: {url: "{server}/path"}    # address by two host names, "{long}" 100 kB, "{deep}" JSON
  summary: {status_code: 200}       # or error: re:... with error_type
  sent: [...]                       # records, when something reads the stream (consumed: true)
  before: {name: text}              # files in the workspace
  asked: [{path: /path}]            # what the server saw, in order
  waited: 3                         # seconds of virtual time
  logged: re:...                    # on standard error
  files: {name: text}               # afterwards
"""

import contextlib
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stdlib.harness import Bench, Outcome, bench, module_spec, run
from tests.stdlib.http.server import Server, serving
from tests.stdlib.test_cases import _matches

HERE = Path(__file__).parent


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted(HERE.glob("requests/*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def filled(value: Any, server: Server) -> Any:
    """The case's value with the server's addresses in place."""
    if isinstance(value, str):
        port = server.server_address[1]
        value = value.replace("{server}", f"http://127.0.0.1:{port}")
        value = value.replace("{long}", "long " * 20_000).replace("{deep}", "[" * 100_000)
        return value.replace("{other}", f"http://localhost:{port}")
    if isinstance(value, dict):
        return {key: filled(each, server) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, server) for each in value]
    return value


@contextlib.asynccontextmanager
async def client(folder: Path, routes: dict[str, Any]) -> AsyncIterator[tuple[Bench, Server]]:
    """A bench and a server; when both have ended, no connection may be left on either side."""
    async with bench(folder) as workbench:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(serving({}))
            server.set_routes(filled(routes, server))
            yield workbench, server
            await workbench.run.shared.close()
            # In a thread: the server waits for its connections, which the loop has yet to close.
            await workbench.context.thread(stack.close)


async def call(folder: Path, case: dict[str, Any]) -> tuple[Outcome, Server, float]:
    """Play the case; gives what became of it, and the virtual seconds it took."""
    async with client(folder, case.get("server", {})) as (workbench, server):
        started = workbench.clock.time
        outcome = await workbench.call(
            module_spec("http:request"),
            filled(case["params"], server),
            consumed=case.get("consumed", False),
        )
        if outcome.error is not None:
            # Its traceback keeps httpx's generators alive, whose end would be a task of its own.
            outcome.error = outcome.error.with_traceback(None)
            outcome.error.__cause__ = outcome.error.__context__ = None
            gc.collect()
        return outcome, server, workbench.clock.time - started


@pytest.mark.parametrize("case", cases())
def test_request(case: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, content in case.get("before", {}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    outcome, server, waited = run(call(tmp_path, case))
    expected = filled(case, server)
    if "error" in case:
        assert outcome.error is not None, outcome.summary
        _matches(str(outcome.error), expected["error"], "error")
        assert type(outcome.error).__name__ == case.get("error_type", "ModuleError")
        if "hint" in case:
            assert outcome.error.hint == case["hint"]
    elif outcome.error is not None:
        raise outcome.error
    else:
        _matches(outcome.summary, expected["summary"], "summary")
        for name in case.get("absent", []):
            assert name not in outcome.summary
    if "sent" in case:
        _matches(outcome.sent, expected["sent"], "sent")
    if "asked" in case:
        _matches(server.requests, expected["asked"], "asked")
    for number, absent in enumerate(case.get("not_asked", [])):
        assert not set(absent) & set(server.requests[number]["headers"]), f"request {number + 1}"
    assert waited == case.get("waited", 0)
    if "logged" in case:
        _matches(capfd.readouterr().err, expected["logged"], "logged")
    found = {
        str(path.relative_to(tmp_path)): path.read_text()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == {**case.get("before", {}), **case.get("files", {})}
