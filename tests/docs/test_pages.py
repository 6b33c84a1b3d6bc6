"""The playbooks in the hand-written pages are valid, and without a finding."""

import re
from pathlib import Path

import pytest

from gxo.compiler.codes import Example, complete
from gxo.compiler.driver import check

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    (page, text)
    for page in ("lifecycles.md", "resume.md", "security.md")
    for text in re.findall(r"^```yaml\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S)
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES)
def test_it_is_valid(page: str, text: str, tmp_path: Path) -> None:
    """As it stands; only one that is plainly a part, a list of workloads, is given the rest."""
    path = tmp_path / f"{page}.gxo.yaml"
    whole = complete(Example("yaml", text)) if text.startswith("- ") else text
    path.write_text(whole, encoding="utf-8")
    assert [item.message for item in check(path).diagnostics.sorted()] == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Of the hand-written pages and of those that are made."""
    text = re.sub(r"`[^`\n]*`|^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
