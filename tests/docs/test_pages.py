"""The playbooks in the hand-written pages are valid, and without a finding."""

import re
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.codes import Example, complete
from gxo.compiler.driver import check

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    (page, text)
    for page in ("lifecycles.md", "playbook.md", "resume.md", "security.md", "streams.md")
    for text in re.findall(r"^```yaml\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S)
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES)
def test_it_is_valid(page: str, text: str, tmp_path: Path) -> None:
    """As it stands; only one that is plainly a part, a list of workloads, is given the rest."""
    path = tmp_path / f"{page}.gxo.yaml"
    whole = complete(Example("yaml", text)) if text.startswith("- ") else text
    path.write_text(whole, encoding="utf-8")
    for asset in re.findall(r"^assets: \[(.*)\]$", whole, re.M):
        (tmp_path / asset).touch()
    assert [item.message for item in check(path).diagnostics.sorted()] == []


def test_what_is_made_of_a_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Python that the page on streams shows, and what is said of it."""
    page = (DOCS / "streams.md").read_text("utf-8")
    playbook, *_ = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    monkeypatch.chdir(tmp_path)
    Path("orders.jsonl").touch()
    Path("large-orders.gxo.yaml").write_text(playbook, "utf-8")
    assert main(["compile", "large-orders.gxo.yaml", "--explain", "--emit", "python"]) == 0
    said = capsys.readouterr()
    (python,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    (explained,) = re.findall(r"^```\n(fuse_streams: .*?)^```$", page, re.M | re.S)
    assert python in said.out
    assert explained in said.out + said.err


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Of the hand-written pages and of those that are made."""
    text = re.sub(r"`[^`\n]*`|^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
