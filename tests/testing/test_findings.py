"""What the compiler says of a test and of the playbook that it includes: `findings.yaml`."""

import re
from pathlib import Path

import pytest
import yaml

from gxo.compiler.driver import Options, check
from gxo.compiler.rendering import render_text
from tests.testing.support import write

CASES = yaml.safe_load((Path(__file__).parent / "findings.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files are shown by their paths from here, each finding once."""
    case = CASES[name]
    test = write(tmp_path, case)
    monkeypatch.chdir(tmp_path)
    compilation = check(test.relative_to(tmp_path), Options(verify_ir=True))
    shown = render_text(compilation.diagnostics.sorted(), compilation.texts)
    told = re.findall(r"^(\S+: (?:error|warning|note).*|   = hint: .*)$", shown, re.M)
    assert told == case["told"]


def test_every_code_has_a_case() -> None:
    """GXO0556 among them, whose example is a description."""
    text = yaml.safe_dump(CASES, width=1000)
    for code in ("GXO0551", "GXO0552", "GXO0553", "GXO0554", "GXO0555", "GXO0556", "GXO0557"):
        assert code in text
