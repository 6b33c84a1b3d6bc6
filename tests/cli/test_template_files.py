"""Template files from the playbook's folder to the host: compiled in, checked, and found again when
something in them is wrong."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from gxo.cli.main import main
from gxo.compiler.driver import check
from tests.reports import read_report

PLAYBOOK = """\
name: site
schemaVersion: v1.0.0
inputs: {host: {default: web}}
workloads:
  - name: config
    lifecycle: {policy: run_once}
    process:
      module: template:render
      params: {asset: templates/site.conf, vars: {listen: [80, 443], extra: {}}}
    register: config
finally:
  - name: again
    process: {module: template:render, params: {asset: templates/site.conf, vars: {listen: [], extra: {note: x}}}}
"""
TEMPLATE = """\
# ${HOME} is for the shell
server {{ .host }};
{{- range .listen }}
listen {{ . }};
{{- end }}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "site.conf").write_text(TEMPLATE)
    (tmp_path / "site.gxo.yaml").write_text(PLAYBOOK)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(artifact: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", artifact, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=artifact.parent)


def test_an_artifact_renders_without_its_template(folder: Path) -> None:
    compilation = check(folder / "site.gxo.yaml")
    assert not compilation.diagnostics.sorted()
    artifact = folder / "site.pyz"
    compilation.write_artifact(artifact)
    (folder / "templates" / "site.conf").unlink()
    for name in (held := ZipFile(artifact)).namelist():
        is_source = name.startswith("_gxo/templates/")  # for who reads the artifact; no job does
        assert (b"{{- range .listen }}" in held.read(name)) == is_source
    done = run(artifact, "--report", "report.json")
    assert done.returncode == 0, done.stderr
    rendered = read_report(folder / "report.json")["workload_results"]["config"]["summary"]
    assert (
        rendered["rendered"] == "# ${HOME} is for the shell\nserver web;\nlisten 80;\nlisten 443;\n"
    )


def test_what_fails_when_it_runs_is_found_in_the_file(folder: Path) -> None:
    (folder / "templates" / "site.conf").write_text("a\n  {{ .extra.note }}\n")
    compilation = check(folder / "site.gxo.yaml")
    compilation.write_artifact(folder / "site.pyz")
    done = run(folder / "site.pyz")
    assert 'the map has no key "note" (templates/site.conf:2:6: .extra.note)' in done.stderr


def test_what_is_wrong_is_shown_in_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "templates" / "site.conf").write_text("a\n  {{ .hots }} {{ .host }}\n")
    assert main(["validate", "site.gxo.yaml"]) == 1
    told = capsys.readouterr().err
    assert "templates/site.conf:2:6: error[GXO0302]: `.hots` is no field of the vars" in told
    assert "    2 |   {{ .hots }} {{ .host }}\n      |      ^^^^^\n" in told


def test_a_changed_file_is_compiled_again(folder: Path) -> None:
    command = [Path(sys.executable).with_name("gxo"), "run", "site.gxo.yaml"]
    for text in ("first\n", "second\n"):
        (folder / "templates" / "site.conf").write_text(text)
        subprocess.run([*command, "--report", "report.json"], check=True, capture_output=True)
        summary = read_report(folder / "report.json")["workload_results"]["config"]["summary"]
        assert summary["rendered"] == text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("templates", "GXO0217"),
        ("link.conf", "GXO0217"),
        ("none.conf", "GXO0216"),
        ("templates/none/none.conf", "GXO0216"),
        ("../site.conf", "GXO0210"),
        ("/etc/hostname", "GXO0210"),
        ("bytes.conf", "GXO0531"),
        ("huge.conf", "GXO0531"),
        ("a\\0b", "GXO0216"),
    ],
)
def test_files_that_are_none(folder: Path, name: str, code: str) -> None:
    (folder / "link.conf").symlink_to("templates/site.conf")
    (folder / "bytes.conf").write_bytes(b"\xff")
    with (folder / "huge.conf").open("wb") as file:
        file.truncate((4 << 20) + 1)
    playbook = folder / "site.gxo.yaml"
    playbook.write_text(PLAYBOOK.split("finally")[0].replace("templates/site.conf", f'"{name}"'))
    assert [item.code for item in check(playbook).diagnostics.sorted()] == [code]
