"""Test playbooks: a server in the background, its client, and what an end means."""

from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.driver import Compilation
from gxo.runtime.main import main
from tests.reports import read_report

SERVER = """
workloads:
  - name: requests
    register: server
    process: {module: http:listen, params: {address: "127.0.0.1:0"}}
  - name: answers
    stream_inputs: [requests]
    process:
      module: stream:pipeline
      params:
        steps:
          - {id: said, uses: http:respond, with: {request_id: "{{ .request_id }}", body: "{{ .path }}"}}
  - name: ask
    register: got
    process: {module: http:request, params: {url: "http://{{ .server.local_addr }}/x"}}
  - name: check
    process: {module: test:assert, params: {assertions: [{actual: "{{ .got.body }}", equal_to: PATH}]}}
"""


def ran(text: str, folder: Path, expected: int) -> dict[str, str]:
    """The statuses of a test playbook's workloads."""
    compilation = Compilation("server.test.gxo.yaml")
    assert compilation.read(text.encode()) and compilation.analyse()
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    report = folder / "report.json"
    options = ["--workspace", str(folder), "--report", str(report)]
    assert main(names["job"], None, options) == expected
    results = read_report(report)["workload_results"]
    return {name: one["status"] for name, one in results.items()}


def test_the_job_ends_with_the_client(tmp_path: Path) -> None:
    assert ran(SERVER.replace("PATH", "/x"), tmp_path, 0) == dict.fromkeys(
        ("requests", "answers", "ask", "check"), "Completed"
    )


def test_what_does_not_hold_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    statuses = ran(SERVER.replace("PATH", "/y"), tmp_path, 1)
    assert statuses["check"] == "Failed"
    assert statuses["requests"] == "Completed", "it was ready, and is stopped"
    assert 'expected: "/y"\n          actual:   "/x"' in capfd.readouterr().err


def test_a_reader_that_fails_in_the_background_fails_the_job(tmp_path: Path) -> None:
    text = SERVER.replace("PATH", "/x").replace('body: "{{ .path }}"', 'body: "{{ .no }}"')
    statuses = ran(text, tmp_path, 1)
    assert (statuses["answers"], statuses["check"]) == ("Failed", "Pending")
