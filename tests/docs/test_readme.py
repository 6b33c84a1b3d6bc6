"""The README shows what really is: the example, the Python made of it, and the findings."""

import re
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.driver import check

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs/examples/full-disks/full-disks.gxo.yaml"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_playbook_and_its_python() -> None:
    assert blocks("yaml") == [EXAMPLE.read_text(encoding="utf-8")]
    assert blocks("python") == [check(EXAMPLE).generate().text]


def test_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    damaged = EXAMPLE.read_text().replace("stdout }}", "stdot }}").replace("{pattern", "{patern")
    Path("full-disks.gxo.yaml").write_text(damaged)
    assert main(["validate", "full-disks.gxo.yaml"]) == 1
    said = capsys.readouterr()
    shown = next(block for block in blocks("") if "gxo validate full-disks" in block)
    assert shown == "$ gxo validate full-disks.gxo.yaml\n" + said.err + said.out


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
