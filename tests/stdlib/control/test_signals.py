"""`control:wait_for_signal`: what it asks of whoever runs the job, and where it cannot be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation
from gxo.runtime.errors import ModuleError
from gxo.runtime.main import main
from tests.reports import read_report
from tests.stdlib.harness import bench, module_spec, run
from tests.stdlib.stream.test_pipelines import compiled, workload

WAIT = "control:wait_for_signal"


class Host:
    """Gives each token back at once, with what was shown."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def wait(self, workload: str, token: str, context: Mapping[str, Any]) -> Any:
        self.asked.append((workload, token))
        return {"approved": True, "seen": dict(context)}


def test_it_returns_what_came_with_its_token(tmp_path: Path) -> None:
    host = Host()

    async def play() -> list[Any]:
        async with bench(tmp_path) as workbench:
            workbench.run.signals = host
            spec = module_spec(WAIT)
            calls = [await workbench.call(spec, given) for given in ({"context": {"n": 7}}, {})]
            return [call.summary for call in calls]

    first, second = run(play())
    assert first["resume_payload"] == {"approved": True, "seen": {"n": 7}}
    assert second["resume_payload"] == {"approved": True, "seen": {}}
    tokens = [first["resume_token"], second["resume_token"]]
    assert host.asked == [("under-test", token) for token in tokens]
    assert len(set(tokens)) == 2 and min(map(len, tokens)) >= 40


def test_nobody_gives_a_signal(tmp_path: Path) -> None:
    async def play() -> Any:
        async with bench(tmp_path) as workbench:
            return (await workbench.call(module_spec(WAIT), {})).error

    error = run(play())
    assert isinstance(error, ModuleError)
    assert error.message == "only `gxo daemon` can wait for a signal"


def test_a_dry_run_does_not_wait(tmp_path: Path) -> None:
    """Under a daemon, that is: `gxo run` does not even begin."""
    then = workload("then", "exec", {"command": "true"}, when="{{ .it.resume_payload.approved }}")
    workloads = [workload("it", WAIT, {}, register="it"), then]
    job = compiled(yaml.safe_dump({"name": "p", "schemaVersion": "v1.0.0", "workloads": workloads}))
    assert job.workloads["it"].pauses
    job.workloads["it"].pauses = False
    report = tmp_path / "report.json"
    assert main(job, None, ["--dry-run", "--report", str(report), "--log-level", "error"]) == 0
    results = read_report(report)["workload_results"]
    assert results["it"]["reason"] == "would wait for a signal from outside"
    assert results["then"]["reason"].startswith("would run if ")


HEAD = "name: p\nschemaVersion: v1.0.0\nworkloads:\n- name: a\n  lifecycle: {policy: run_once}\n"
ITEMS = "  process: {module: data:generate_from_list, params: {items: [{n: 1}]}}\n"
PLACES = {
    f"finally:\n- {{name: b, process: {{module: {WAIT}}}}}\n": (
        f"{WAIT} waits for somebody outside, and cannot run in a block"
    ),
    "- name: b\n  lifecycle: {policy: run_once}\n  stream_inputs: [a]\n"
    f"  process: {{module: stream:pipeline, params: {{steps: [{{id: s, uses: {WAIT}}}]}}}}\n": (
        f"{WAIT} cannot be a step: it waits for somebody outside"
    ),
}


@pytest.mark.parametrize(("text", "message"), PLACES.items())
def test_where_it_cannot_be(text: str, message: str) -> None:
    compilation = Compilation("a.yaml")
    assert compilation.read(f"{HEAD}{ITEMS}{text}".encode())
    compilation.analyse()
    assert [one.message for one in compilation.diagnostics.sorted()] == [message]
