"""Keys and certificates from the playbook to the host: what is linked, and that keys stay secret."""

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from gxo.compiler.driver import Compilation, check
from tests.reports import read_report

PLAYBOOK = """\
name: site
schemaVersion: v1.0.0
vars:
  ca: '{{ genPrivateKey "ecdsa" | genCAWithKey "site" 3650 }}'
workloads:
  - name: web
    lifecycle: {policy: run_once}
    process:
      module: control:identity
      params: {cert: '{{ genPrivateKey "ed25519" | genSignedCertWithKey "web" nil nil 9 .ca }}'}
    register: web
  - name: write
    lifecycle: {policy: run_once}
    process: {module: filesystem:write, params: {path: web.pem, content: "{{ .web.cert.Cert }}{{ .web.cert.Key }}"}}
  - name: show
    lifecycle: {policy: run_once}
    needs: [write]
    process: {module: exec, params: {command: cat, args: [web.pem]}}
    register: shown
  - name: say
    lifecycle: {policy: run_once}
    needs: [show]
    process: {module: control:fail, params: {message: "{{ .ca.Key }}{{ .web.cert.Key | b64enc }}"}}
outputs: [web.pem]
"""


def compiled(folder: Path, playbook: str) -> Compilation:
    path = folder / "site.gxo.yaml"
    path.write_text(playbook)
    compilation = check(path)
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.sorted()
    return compilation


def using(template: str) -> str:
    params = f"{{value: {json.dumps(template)}}}"
    return f"""\
name: site
schemaVersion: v1.0.0
workloads:
  - name: one
    lifecycle: {{policy: run_once}}
    process: {{module: control:identity, params: {params}}}
"""


@pytest.mark.parametrize(
    ("template", "needs"),
    [
        ("{{ sha256sum 'a' }}{{ derivePassword 1 'pin' 'a' 'b' 'c' }}", ()),
        ("{{ expandenv '$HOME' }}", ()),
        ("{{ bcrypt 'open sesame' }}", ("bcrypt",)),
        (
            "{{ if true }}{{ range list 1 }}{{ genPrivateKey '' }}{{ end }}{{ end }}",
            ("cryptography",),
        ),
        ("{{ encryptAES 'a' 'b' }}{{ htpasswd 'a' 'b' }}", ("bcrypt", "cryptography")),
    ],
)
def test_what_a_template_needs_is_linked_and_no_more(
    tmp_path: Path, template: str, needs: tuple[str, ...]
) -> None:
    compilation = compiled(tmp_path, using(template))
    assert compilation.package(compilation.generate()).needs == needs


def test_what_a_var_a_condition_and_a_loop_need_is_linked(tmp_path: Path) -> None:
    playbook = (
        using("x")
        .replace("workloads:", "vars: {hash: \"{{ bcrypt 'a' }}\"}\nworkloads:")
        .replace("    process:", "    when: \"{{ genPrivateKey 'dsa' }} != 'x'\"\n    process:")
    )
    compilation = compiled(tmp_path, playbook)
    assert compilation.package(compilation.generate()).needs == ("bcrypt", "cryptography")


def test_the_names_in_expandenv_are_in_the_manifest(tmp_path: Path) -> None:
    compilation = compiled(tmp_path, using("{{ expandenv '$HOME/${LANG}' }}"))
    manifest = json.loads(compilation.manifest_text(compilation.generate()))
    assert manifest["environment"] == ["HOME", "LANG"]
    assert manifest["distributions"] == []


def test_a_key_is_used_and_leaves_only_where_the_playbook_writes_it(tmp_path: Path) -> None:
    artifact = tmp_path / "job.pyz"
    compiled(tmp_path, PLAYBOOK).write_artifact(artifact)
    with ZipFile(artifact) as opened:
        manifest = json.loads(opened.read("_gxo/manifest.json"))
    linked = [one["name"] for one in manifest["distributions"]]
    assert "cryptography" in linked and "bcrypt" not in linked

    words = ["--report", "report.json", "--events", "events.json", "--traceback"]
    run = subprocess.run(
        [sys.executable, "-I", "-S", artifact, *words],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    written = (tmp_path / "web.pem").read_text()
    body = written.split("-----BEGIN PRIVATE KEY-----\n")[1].split("\n")[0]
    left = [run.stdout, run.stderr, *((tmp_path / name).read_text() for name in words[1:4:2])]
    assert not any(body in text for text in left)
    assert "REDACTED" in run.stderr
    web = read_report(tmp_path / "report.json")["workload_results"]["web"]["summary"]
    assert web["cert"]["Cert"] in written
    assert web["cert"]["Key"].strip() == "[REDACTED_SECRET]"
