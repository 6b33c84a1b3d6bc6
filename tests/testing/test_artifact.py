"""The artifact and the cache of a test that includes a playbook."""

import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.codegen import parts
from tests.testing.support import compiled, run, write

PLAYBOOK = (
    """\
assets: [data.txt]
workloads:
"""
    + "".join(
        f"""\
  - name: w{number}
    process: {{module: control:identity, params: {{n: {number}, at: "{{{{ index .words {number} }}}}"}}}}
    register: w{number}
"""
        for number in range(9)
    )
    + "vars: {words: [a, b, c, d, e, f, g, h]}\n"
)
TEST = """\
include: ../deploy.gxo.yaml
workloads:
  - name: check
    process:
      module: test:assert
      params:
        assertions:
          - {actual: "{{ .included.status }}", equal_to: Failed}
          - {actual: "{{ .included.error }}", contains: "(deploy.gxo.yaml:39:64: index .words 8)"}
"""
GXO = "import sys; from gxo.cli.main import main; sys.exit(main(sys.argv[1:]))"
CASE = {"playbook": PLAYBOOK, "test": TEST, "files": {"data.txt": "hello"}}


def test_a_program_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, functions in {"ONE_FILE": 5, "LEAST": 1, "MOST": 3}.items():
        monkeypatch.setattr(parts, name, functions)
    compilation = compiled(write(tmp_path, CASE))
    included = compilation.generate().included
    assert included is not None
    assert list(included.sources)[:2] == ["gxo_included/__init__.py", "gxo_included/job.py"]
    assert len(included.sources) > 4
    ran = run(compilation, tmp_path)
    assert (ran.exit_code, ran.included["status"]) == (0, "Failed")


def test_it_is_the_same_wherever_it_is_built(tmp_path: Path) -> None:
    built = []
    for folder in (tmp_path / "one", tmp_path / "another"):
        target = folder / "t.pyz"
        compiled(write(folder, CASE)).write_artifact(target)
        built.append(target.read_bytes())
    assert built[0] == built[1]
    assert str(tmp_path).encode() not in built[0]


def test_the_artifact_runs(tmp_path: Path) -> None:
    target = tmp_path / "t.pyz"
    compiled(write(tmp_path, CASE)).write_artifact(target)
    done = subprocess.run([sys.executable, target], capture_output=True, text=True, timeout=15)
    assert done.returncode == 0, done.stderr
    assert "included/w8: failed: " in done.stderr


def test_the_cache_notices_a_change_of_what_is_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run is a process of its own, or the first one's modules would be there already."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = [sys.executable, "-c", GXO, "run", str(write(tmp_path, CASE))]
    codes = []
    playbook = tmp_path / "deploy.gxo.yaml"
    for old, new in (("g, h]", "g, h]"), ("g, h]", "g, h, i]"), ("g, h, i]", "g, h]")):
        playbook.write_text(playbook.read_text().replace(old, new))
        codes.append(subprocess.run(command, capture_output=True, timeout=15).returncode)
    assert codes == [0, 1, 0]


def test_two_tests_include_one_playbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write(tmp_path, CASE)
    second = first.with_name("other.test.gxo.yaml")
    second.write_text(TEST)
    assert main(["validate", str(first), str(second)]) == 0
    assert capsys.readouterr().out.count("valid") == 2
