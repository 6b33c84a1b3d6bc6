"""Bad playbooks and bad command lines: one clear message, the right exit code, nothing half-written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.cli.main import main

CASES = yaml.safe_load((Path(__file__).parent / "bad_input.yaml").read_text(encoding="utf-8"))
HEAD = "name: bad\nschemaVersion: v1.0.0\n"
GOOD = HEAD + (
    "workloads:\n"
    "  - name: a\n"
    "    lifecycle: {policy: run_once}\n"
    '    process: {module: exec, params: {command: "true"}}\n'
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("verb", ["validate", "compile"])
def test_bad_playbook(
    verb: str, case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playbook = tmp_path / "bad.gxo.yaml"
    if "bytes" in case:
        playbook.write_bytes(case["bytes"].encode("latin-1"))
    else:
        playbook.write_text(HEAD + case["text"])
    target = tmp_path / "bad.pyz"
    options = ["-o", str(target)] if verb == "compile" else []
    assert main([verb, str(playbook), *options]) == 1
    said = capsys.readouterr().err
    errors = [line for line in said.splitlines() if f"{playbook}:" in line and "error[" in line]
    assert len(errors) == 1, said
    place = f"{playbook}:{case['at']}: " if "at" in case else f"{playbook}:"
    assert errors[0].startswith(place), said
    assert f"error[{case['code']}" in errors[0], said
    assert case.get("says", "") in said
    assert not target.exists()
    assert list(tmp_path.iterdir()) == [playbook]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "usage: gxo"),
        (["vaildate"], 'did you mean "validate"?'),
        (["validate", "nowhere.gxo.yaml"], "there is no such file"),
        (["validate", "."], "it is a directory"),
        (["compile", "nowhere.gxo.yaml", "-o", "x.pyz"], "there is no such file"),
        (["run", "nowhere.gxo.yaml"], "there is no such file"),
        (["modules", "exce"], 'did you mean "exec"?'),
    ],
)
def test_bad_command_line(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_unwritable_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    playbook = tmp_path / "good.gxo.yaml"
    playbook.write_text(GOOD)
    assert main(["compile", str(playbook), "-o", str(tmp_path / "no" / "such" / "a.pyz")]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert main(["compile", str(playbook), "-o", str(tmp_path)]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_json_output_is_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    playbook = tmp_path / "bad.gxo.yaml"
    playbook.write_text(GOOD.replace("exec", "exce"))
    assert main(["validate", str(playbook), "--output", "json"]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert "GXO0501" in json.dumps(json.loads(said.out))
