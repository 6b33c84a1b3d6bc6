"""Ctrl-C, and what is left of tests that do not end by themselves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testrun.test_cases import HERE, PROGRAM

FOREVER = """\
workloads:
  - name: wait
    process: {module: exec, params: {command: sleep, args: ["987654"]}}
allow: {commands: [sleep]}
finally:
  - name: last
    process: {module: control:identity, params: {value: the end}}
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "test", *arguments],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def sleepers() -> list[str]:
    """Processes of the command that the tests run, wherever they belong."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if b"987654" in Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_in_order(tmp_path: Path, number: signal.Signals) -> None:
    ok = (HERE / "playbooks/mixed/adds.test.gxo.yaml").read_text()
    (tmp_path / "a.test.gxo.yaml").write_text(ok)
    (tmp_path / "b.test.gxo.yaml").write_text(FOREVER)
    (tmp_path / "c.test.gxo.yaml").write_text(ok)
    process = start(tmp_path, "-j", "1", "-v")
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.rstrip())
        if line.startswith("=== RUN   b"):
            break
    while not sleepers():
        os.sched_yield()
    process.send_signal(number)
    rest, _ = process.communicate(timeout=15)
    said += rest.splitlines()
    assert process.returncode == 128 + number
    assert "--- PASS: a.test" in "\n".join(said)
    assert "last: completed" in rest  # its `finally` has run
    assert [line for line in said if line.startswith("SKIP") and "yaml" in line] == [
        "SKIP\tb.test.gxo.yaml\t[not run: interrupted]",
        "SKIP\tc.test.gxo.yaml\t[not run: interrupted]",
    ]
    assert sleepers() == []
    assert sorted(os.listdir(tmp_path)) == [f"{name}.test.gxo.yaml" for name in "abc"]


def test_tests_die_with_whoever_runs_them(tmp_path: Path) -> None:
    (tmp_path / "b.test.gxo.yaml").write_text(FOREVER)
    process = start(tmp_path)
    while not sleepers():
        os.sched_yield()
    process.kill()
    process.communicate(timeout=15)
    while sleepers():
        os.sched_yield()


def test_what_a_killed_run_leaves_the_next_one_removes(tmp_path: Path) -> None:
    (tmp_path / "b.test.gxo.yaml").write_text(FOREVER)
    killed, living = start(tmp_path), start(tmp_path)
    while len(sleepers()) < 2:
        os.sched_yield()
    left = set(tmp_path.glob("gxo-test-*"))
    killed.kill()
    killed.communicate(timeout=15)
    (tmp_path / "gxo-test-mine").mkdir()  # no run's: it has no lock
    os.remove(tmp_path / "b.test.gxo.yaml")
    ok = (HERE / "playbooks/mixed/adds.test.gxo.yaml").read_text()
    (tmp_path / "a.test.gxo.yaml").write_text(ok)
    start(tmp_path).communicate(timeout=15)
    there = set(tmp_path.glob("gxo-test-*"))
    assert (len(left), len(there & left)) == (2, 1)
    assert tmp_path / "gxo-test-mine" in there
    living.terminate()
    living.communicate(timeout=15)
    assert [path.name for path in tmp_path.glob("gxo-test-*")] == ["gxo-test-mine"]
    assert sleepers() == []
