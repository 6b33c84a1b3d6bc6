"""`gxo run` takes --journal and --resume as an artifact does."""

import json
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.reports import read_report

PLAYBOOK = """\
name: two
schemaVersion: v1.0.0
workloads:
  - name: first
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: echo done >> "$LEFT", shell: true}}
  - name: second
    lifecycle: {policy: run_once}
    needs: [first]
    process: {module: exec, params: {command: test -e "$MARK", shell: true}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "two.gxo.yaml").write_text(PLAYBOOK)
    monkeypatch.setenv("LEFT", str(tmp_path / "left"))
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    gxo = Path(sys.executable).with_name("gxo")
    command = [gxo, "run", "two.gxo.yaml", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_failed_run_is_resumed(folder: Path) -> None:
    done = run(folder, "--journal", "state")
    assert done.returncode == 1, done.stderr
    (folder / "mark").touch()
    done = run(folder, "--resume", "state")
    assert done.returncode == 0, done.stderr
    assert "resumed: 1 workload restored" in done.stderr
    assert (folder / "left").read_text() == "done\n"


def test_a_changed_playbook_is_another_artifact(folder: Path) -> None:
    assert run(folder, "--journal", "state").returncode == 1
    (folder / "two.gxo.yaml").write_text(PLAYBOOK.replace("echo done", "echo more"))
    done = run(folder, "--resume", "state")
    assert done.returncode == 2
    assert "is of another artifact: it began with two compiled by gxo" in done.stderr
    assert not (folder / "left").read_text().count("more")


def test_a_completed_job_is_told_of_as_if_it_had_just_run(folder: Path) -> None:
    (folder / "mark").touch()
    run(folder, "--journal", "state", "--events", "before")
    done = run(folder, "--resume", "state", "--events", "after", "--metrics", "metrics")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (folder / "after").read_text().splitlines()]
    assert [one["event"] for one in events] == [
        "PlaybookStart",
        *["WorkloadStatusChanged", "WorkloadEnd"] * 2,
        "PlaybookEnd",
    ]
    assert [one["reason"] for one in events if "reason" in one] == ["restored from the journal"] * 2
    assert (
        'gxo_workloads{playbook="two",status="Completed"} 2\n' in (folder / "metrics").read_text()
    )
    assert (folder / "left").read_text() == "done\n"


def test_a_wrong_option_leaves_no_journal(folder: Path) -> None:
    done = run(folder, "--journal", "state", "--events", "no/such/folder/events")
    assert done.returncode == 2
    assert "cannot write events to" in done.stderr
    assert run(folder, "--journal", "state").returncode == 1, "it has begun, and failed"
    again = run(folder, "--resume", "state", "--events", "no/such/folder/events")
    assert again.returncode == 2
    (folder / "mark").touch()
    assert run(folder, "--resume", "state").returncode == 0
    assert (folder / "left").read_text() == "done\n"


TALK = """\
name: two
schemaVersion: v1.0.0
workloads:
  - name: store
    lifecycle: {{policy: run_once}}
    register: store
    process: {{module: connection:open, params: {{network: tcp, address: "{address}"}}}}
  - name: named
    lifecycle: {{policy: run_once}}
    register: named
    process: {{module: control:identity, params: {{id: "{{{{ .store.connection_id }}}}"}}}}
  - name: heard
    lifecycle: {{policy: run_once}}
    register: heard
    process: {{module: connection:read, params: {{connection_id: "{{{{ .named.id }}}}"}}}}
"""


def test_a_connection_is_opened_again_with_all_that_names_it(folder: Path) -> None:
    words = [b"\xff no text", b"hello"]

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(words.pop(0))

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        address = f"127.0.0.1:{server.server_address[1]}"
        (folder / "two.gxo.yaml").write_text(TALK.format(address=address))
        threading.Thread(target=lambda: [server.handle_request() for _ in range(2)]).start()
        done = run(folder, "--journal", "state")
        assert done.returncode == 1 and "what was read is no UTF-8" in done.stderr, done.stderr
        done = run(folder, "--resume", "state", "--report", "report.json")
    assert done.returncode == 0, done.stderr
    told = read_report(folder / "report.json")["workload_results"]
    assert told["heard"]["summary"]["data"] == "hello"
    assert told["named"]["summary"]["id"] == told["store"]["summary"]["connection_id"]
