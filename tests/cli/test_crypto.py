"""Keys and plaintexts of `crypto` and `vault`, from the playbook to the host: they stay secret."""

import json
import subprocess
import sys
from pathlib import Path

from gxo.compiler.driver import check
from tests.reports import read_report

PLAYBOOK = """\
name: seal
schemaVersion: v1.0.0
workloads:
  - name: key
    lifecycle: {policy: run_once}
    process: {module: crypto:generate_key, params: {type: aes}}
    register: key
  - name: pair
    lifecycle: {policy: run_once}
    process: {module: crypto:generate_key, params: {type: x25519}}
    register: pair
  - name: sealed
    lifecycle: {policy: run_once}
    process: {module: crypto:encrypt, params: {key: "{{ .key.private_key }}", plaintext: the plan of attack}}
    register: sealed
  - name: wrapped
    lifecycle: {policy: run_once}
    process: {module: crypto:encrypt, params: {key: "{{ .pair.public_key }}", plaintext: "{{ .key.private_key }}"}}
    register: wrapped
  - name: unwrapped
    lifecycle: {policy: run_once}
    process: {module: crypto:decrypt, params: {key: "{{ .pair.private_key }}", ciphertext: "{{ .wrapped.ciphertext }}"}}
    register: unwrapped
  - name: opened
    lifecycle: {policy: run_once}
    process: {module: crypto:decrypt, params: {key: "{{ .unwrapped.plaintext }}", ciphertext: "{{ .sealed.ciphertext }}"}}
    register: opened
  - name: vaulted
    lifecycle: {policy: run_once}
    process: {module: vault:encrypt, params: {password: "{{ .key.private_key }}", plaintext: the way of retreat}}
    register: vaulted
  - name: unvaulted
    lifecycle: {policy: run_once}
    process: {module: vault:decrypt, params: {password: "{{ .key.private_key }}", ciphertext: "{{ .vaulted.ciphertext }}"}}
    register: unvaulted
  - name: write
    lifecycle: {policy: run_once}
    process:
      module: filesystem:write
      params: {path: key, content: "{{ .key.private_key }}\\n{{ .opened.plaintext }}\\n{{ .unvaulted.plaintext }}\\n"}
  - name: show
    lifecycle: {policy: run_once}
    needs: [write]
    process: {module: exec, params: {command: cat, args: [key]}}
    register: shown
  - name: say
    lifecycle: {policy: run_once}
    needs: [show]
    process:
      module: control:fail
      params: {message: "{{ .key.private_key }} {{ .opened.plaintext | b64enc }} {{ .pair.private_key }}"}
outputs: [key]
"""


def test_keys_and_plaintexts_stay_secret(tmp_path: Path) -> None:
    playbook, artifact = tmp_path / "seal.gxo.yaml", tmp_path / "seal.pyz"
    playbook.write_text(PLAYBOOK)
    compilation = check(playbook)
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.sorted()
    compilation.write_artifact(artifact)
    words = ["--report", "report.json", "--events", "events.json", "--traceback"]
    done = subprocess.run(
        [sys.executable, "-I", artifact, *words, "--log-level", "debug"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    key, opened, unvaulted = (tmp_path / "key").read_text().splitlines()
    assert (opened, unvaulted) == ("the plan of attack", "the way of retreat")
    report = read_report(tmp_path / "report.json")
    told = done.stdout + done.stderr + json.dumps(report) + (tmp_path / "events.json").read_text()
    for secret in key, opened, unvaulted, "PRIVATE KEY":
        assert secret not in told
    results = report["workload_results"]
    assert results["show"]["summary"]["stdout"].splitlines()[0] == "[REDACTED_SECRET]"
    assert "BEGIN PUBLIC KEY" in results["pair"]["summary"]["public_key"]
    assert results["vaulted"]["summary"]["ciphertext"].startswith("$ANSIBLE_VAULT;1.1;AES256\n")
