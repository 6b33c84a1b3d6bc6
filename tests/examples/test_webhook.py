"""The web hook of the examples, from its artifact: it tests itself, and then others post to it."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from gxo.cli.main import main
from tests.reports import read_report
from tests.services.process import free_port

EXAMPLE = Path(__file__).parents[2] / "docs/examples/webhook/webhook.test.gxo.yaml"


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[None]:
    """The job, from when its own test has passed until it is told to end."""
    artifact = folder / "job.pyz"
    assert main(["compile", str(EXAMPLE), "-o", str(artifact)]) == 0
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    command = [sys.executable, str(artifact), *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert any("check: completed" in line for line in process.stderr)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def test_it_tests_itself_and_serves_others(tmp_path: Path) -> None:
    at, report = f"127.0.0.1:{free_port()}", tmp_path / "report.json"
    place = ["--workspace", str(tmp_path), "--report", str(report)]
    with (
        serving(tmp_path, "-e", f"address={at}", "-e", "seconds=60", *place),
        httpx.Client(base_url=f"http://{at}") as client,
    ):
        told = [
            client.post("/events", content=text).status_code
            for text in ('{"kind": "Zoë"}', "{}", "no", "[1]", '{"kind": 1}', "x" * 70_000)
        ]
        assert told == [202, 400, 400, 400, 400, 413]
        assert client.get("/events").status_code == 404
        assert client.put("/events", json={"kind": "a"}).json() == {"error": "post to /events"}
    results = read_report(report)["workload_results"]
    assert (results["answers"]["records_in"], results["sorry"]["records_in"]) == (10, 2)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert lines[1:] == ['{"kind":"Zoë"}']
