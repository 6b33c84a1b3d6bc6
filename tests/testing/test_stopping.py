"""A signal ends a test, and the playbook that it includes, each in order."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.runtime.job import Job
from gxo.runtime.main import main
from gxo.runtime.testing import Test
from tests.testing.support import compiled, write

PLAYBOOK = """\
workloads:
  - name: sleeps
    process: {module: exec, params: {command: "echo begun > begun; exec sleep 30"}}
finally:
  - name: last
    process: {module: control:identity, params: {status: "{{ ._gxo.status }}"}}
    register: last
"""
TEST = """\
include: ../deploy.gxo.yaml
allow: {commands: [sleep, sh]}
workloads:
  - name: check
    process: {module: control:assert, params: {condition: "{{ .included.status }} == 'Completed'"}}
finally:
  - name: last-of-the-test
    process: {module: control:identity, params: {a: 1}}
"""


def test_a_signal(tmp_path: Path) -> None:
    compilation = compiled(write(tmp_path, {"playbook": PLAYBOOK, "test": TEST}))
    artifact = tmp_path / "t.pyz"
    compilation.write_artifact(artifact)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    os.mkfifo(workspace / "begun")
    command = [sys.executable, str(artifact), "--workspace", str(workspace)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
        assert (workspace / "begun").read_text() == "begun\n"
        job.send_signal(signal.SIGTERM)
        _, log = job.communicate(timeout=15)
    assert job.returncode == 128 + signal.SIGTERM, log
    assert re.findall(r"(included\S*|last-of-the-test): (\w+)", log) == [
        ("included", "interrupted"),
        ("included/sleeps", "cancelled"),
        ("included/last", "completed"),
        ("included", "cancelled"),
        ("last-of-the-test", "completed"),
    ]


@pytest.mark.parametrize("option", ["--journal", "--resume"])
def test_a_test_has_no_journal(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(Job("a.test", test=Test()), None, [option, str(tmp_path / "journal")]) == 2
    assert capsys.readouterr().err.startswith("error: a test has no journal")
