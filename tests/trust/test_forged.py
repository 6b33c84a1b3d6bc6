"""An artifact is not believed: its playbook is compiled once more, and has to give what is in it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.cli.main import main
from gxo.compiler.package import archive
from gxo.runtime.bundle import ZipBundle

CASES = yaml.safe_load(Path(__file__).with_name("forged.yaml").read_text(encoding="utf-8"))
MANIFEST, PLAYBOOK = "_gxo/manifest.json", "_gxo/playbook.yaml"
TEXT = """name: load
schemaVersion: v1.0.0
workloads:
  - name: load
    lifecycle: {policy: run_once}
    process:
      module: exec
      params: {command: psql, env: {PGPASSWORD: "{{ secret `DB_PASSWORD` }}"}}
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "load.gxo.yaml").write_text(TEXT)
    assert main(["compile", str(folder / "load.gxo.yaml"), "-o", str(folder / "load.pyz")]) == 0
    return folder / "load.pyz"


def forged(whole: Path, case: dict[str, Any]) -> bytes:
    bundle = ZipBundle(str(whole), whole.read_bytes())
    files = {name: bundle.read(name) for name in bundle.names() if name != "__main__.py"}
    files |= {path: text.encode() for path, text in case.get("files", {}).items()}
    manifest = json.loads(files[MANIFEST])
    effects = manifest["effects"]
    manifest["effects"] = [
        one for one in effects if one["kind"] != case.get("without", {}).get("kind")
    ] + ([case["more"]] if "more" in case else [])
    for key, value in case.get("set", {}).items():
        manifest[key] = {**manifest[key], **value} if isinstance(value, dict) else value
    manifest["playbook"]["sha256"] = hashlib.sha256(files[PLAYBOOK]).hexdigest()
    for path in case.get("files", {}):
        manifest["files"][path] = hashlib.sha256(files[path]).hexdigest()
    manifest["files"][PLAYBOOK] = manifest["playbook"]["sha256"]
    return archive.render({**files, MANIFEST: json.dumps(manifest).encode()})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_forged(
    case: dict[str, Any],
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    """The gate stops it, whether it is wrong for sure or cannot be known."""
    path = tmp_path / "forged.pyz"
    with monkeypatch.context() as patched:
        if "start" in case:
            patched.setattr(archive, "start_script", case["start"].encode)
        path.write_bytes(forged(whole, case))
    capsys.readouterr()
    is_known = case.get("is_known", True)
    assert main(["caps", str(path), "--against", str(whole)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"gxo: {'' if is_known else 'warning: '}{path}: {case['says']}" in told.err
    assert main(["inspect", str(path), "--output", "json"]) == (1 if is_known else 0)
    (doubt,) = json.loads(capsys.readouterr().out)["doubts"]
    assert doubt["doubt"].startswith(case["says"])
    assert doubt["wrong"] == is_known


@pytest.mark.parametrize("level", ["0", "1"])
def test_what_gxo_makes(level: str, whole: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "load.pyz"
    playbook = whole.with_name("load.gxo.yaml")
    assert main(["compile", str(playbook), "-O", level, "-o", str(path)]) == 0
    capsys.readouterr()
    assert main(["caps", str(path), "--against", str(whole)]) == 0
    assert capsys.readouterr() == (f"{path}: nothing is new\n", "")


INCLUDED = """name: deploy
schemaVersion: v1.0.0
workloads:
  - name: motd
    lifecycle: {policy: run_once}
    process: {module: template:render, params: {asset: conf/motd.txt}}
  - name: page
    lifecycle: {policy: run_once}
    process: {module: filesystem:write, params: {path: PAGE, content: text}}
"""
TEST = """name: deploy.test
schemaVersion: v1.0.0
include: ../deploy.gxo.yaml
workloads:
  - name: ends
    lifecycle: {policy: run_once}
    process:
      module: test:assert
      params: {assertions: [{actual: "{{ .included.status }}", equal_to: Completed}]}
"""


def test_a_test_and_what_it_includes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The artifact has all that it was made of, and a finding is told where it is written."""
    monkeypatch.chdir(tmp_path)
    Path("conf").mkdir()
    Path("tests").mkdir()
    Path("conf/motd.txt").write_text('Welcome {{ upper "here" }}\n')
    Path("deploy.gxo.yaml").write_text(INCLUDED)
    test = "tests/deploy.test.gxo.yaml"
    Path(test).write_text(TEST)
    assert main(["compile", test, "-o", "old.pyz"]) == 0
    assert main(["inspect", "old.pyz"]) == 0
    assert main(["diff", "old.pyz", test]) == 0
    assert capsys.readouterr().err == ""
    Path("deploy.gxo.yaml").write_text(INCLUDED.replace("PAGE", "index.html"))
    assert main(["compile", test, "-o", "new.pyz"]) == 0
    for job in (test, "new.pyz"):
        capsys.readouterr()
        assert main(["caps", job, "--against", "old.pyz", "--output", "json"]) == 1
        (found,) = json.loads(capsys.readouterr().out)
        assert (Path(found["file"]).name, found["line"]) == ("deploy.gxo.yaml", 7)
    assert main(["diff", "old.pyz", "new.pyz"]) == 1
    told = capsys.readouterr()
    assert told.err == ""
    assert "--- old.pyz/gxo_included/__init__.py\n" in told.out
    assert '+    return await filesystem_write(ctx, path="index.html", content="text")' in told.out
