"""Secret inputs from the playbook to the host: where they come from, and that they stay secret."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.compiler.driver import check
from tests.reports import read_report

VALUE = "pl4nted-s3cret"
PLAYBOOK = """\
name: login
schemaVersion: v1.0.0
inputs:
  token: {secret: true, pattern: "[a-z0-9-]+"}
  user: {default: me}
vars:
  header: "Bearer {{ .token }}"
workloads:
  - name: direct
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: printenv, args: [T], env: {T: "{{ .token }}"}}}
    register: direct
  - name: by-var
    lifecycle: {policy: run_once}
    process: {module: control:identity, params: {header: "{{ .header }}"}}
    register: by_var
  - name: by-name
    lifecycle: {policy: run_once}
    process: {module: control:identity, params: {value: "{{ secret 'token' }}", same: "{{ eq (secret 'token') .token }}"}}
    register: by_name
  - name: by-record
    lifecycle: {policy: run_once}
    process: {module: data:generate_from_list, params: {items: [1]}}
  - name: mapped
    lifecycle: {policy: run_once}
    stream_inputs: [by-record]
    process: {module: data:map, params: {fields: {t: "{{ .token }}"}}}
  - name: collected
    lifecycle: {policy: run_once}
    stream_inputs: [mapped]
    process: {module: data:collect}
    register: collected
  - name: child
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: "env; echo"}}
    register: child
  - name: shown
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: sh, args: ["-c", "echo $T >&2; exit 3"], env: {T: "{{ .token }}"}}}
    ignore_errors: true
finally:
  - name: tidy
    process: {module: exec, params: {command: "true"}}
"""


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("login")
    playbook = folder / "login.gxo.yaml"
    playbook.write_text(PLAYBOOK)
    compilation = check(playbook)
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.sorted()
    compilation.write_artifact(folder / "job.pyz")
    return folder / "job.pyz"


def run(
    artifact: Path, tmp_path: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(artifact), *options],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )


def from_file(tmp_path: Path, value: object) -> list[str]:
    path = tmp_path / "vars.json"
    path.write_text(json.dumps({"token": value}))
    return ["--vars-file", str(path)]


def results(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    assert done.returncode == 0, done.stderr
    report = read_report(done.stdout)["workload_results"]
    return {name: result.get("summary") for name, result in report.items()}


@pytest.mark.parametrize("source", ["file", "environment", "folder"])
def test_it_is_read_and_never_shown(artifact: Path, tmp_path: Path, source: str) -> None:
    options, environment = [], {}
    if source == "file":
        options = from_file(tmp_path, VALUE)
    elif source == "environment":
        environment = {"token": VALUE}
    else:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets/token").write_text(VALUE + "\n")
        options = ["--secrets", f"dir:{tmp_path}/secrets"]
    events = tmp_path / "events.jsonl"
    done = run(
        artifact, tmp_path, "--report", "-", "--events", str(events), *options, **environment
    )
    found = results(done)
    hidden = "[REDACTED_SECRET]"
    assert found["direct"]["stdout"] == f"{hidden}\n"
    assert found["by-var"] == {"header": f"Bearer {hidden}"}
    assert found["by-name"] == {"value": hidden, "same": True}
    assert found["collected"]["records"] == [{"t": hidden}]
    assert "token" not in str(found["child"]["stdout"])
    assert "ended with code 3" in done.stderr or "exit code 3" in done.stderr
    told = [json.loads(line) for line in events.read_text().splitlines()]
    accessed = {one["workload"] for one in told if one["event"] == "SecretAccessed"}
    assert {"direct", "by-name", "mapped", "shown"} <= accessed
    assert VALUE not in done.stdout + done.stderr + events.read_text()


def test_a_file_wins_over_the_provider(artifact: Path, tmp_path: Path) -> None:
    """What a file gives is the secret of this name, also for who reads it as a secret."""
    other = "an0ther-s3cret"
    done = run(artifact, tmp_path, "--report", "-", *from_file(tmp_path, VALUE), token=other)
    assert results(done)["by-name"] == {"value": "[REDACTED_SECRET]", "same": True}
    assert VALUE not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "is secret, and must not be empty"),
        (12345678, "must be a string, not int"),
        ("NOT/LIKE/THIS", "does not match the pattern [a-z0-9-]+"),
    ],
)
def test_what_a_file_cannot_give(
    artifact: Path, tmp_path: Path, value: object, message: str
) -> None:
    done = run(artifact, tmp_path, *from_file(tmp_path, value))
    assert done.returncode == 2
    assert done.stderr == f"error: input 'token' in {tmp_path}/vars.json {message}\n"
    assert done.stdout == ""


def test_a_missing_one_is_named_before_anything_runs(artifact: Path, tmp_path: Path) -> None:
    done = run(artifact, tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: input 'token' is secret, and no vars file gives it:"
        " the secret 'token' is missing: it is not in the environment\n"
        "hint: set token, or name another provider with --secrets dir:PATH or exec:CMD\n"
    )


def test_what_the_provider_gives_fits_too(artifact: Path, tmp_path: Path) -> None:
    done = run(artifact, tmp_path, token="NOT/LIKE/THIS")
    assert done.returncode == 2
    message = "error: input 'token' as a secret does not match the pattern [a-z0-9-]+\n"
    assert done.stderr == message


def test_the_command_line_is_no_place_for_it(artifact: Path, tmp_path: Path) -> None:
    done = run(artifact, tmp_path, "--var", f"token={VALUE}")
    assert done.returncode == 2
    assert "input 'token' is secret and cannot be given by --var" in done.stderr
    assert VALUE not in done.stderr


def test_manifest_and_description_list_it(artifact: Path, tmp_path: Path) -> None:
    described = json.loads(run(artifact, tmp_path, "--describe").stdout)
    assert described["secrets"] == ["token"]
    manifest = json.loads(check(artifact.with_name("login.gxo.yaml")).stage_text("manifest"))
    assert manifest["secrets"] == ["token"]
