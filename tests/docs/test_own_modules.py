"""The guide to a user's own modules: what it shows runs, and its tables are whole."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.driver import check
from gxo.compiler.modules.annotations import WORDS
from gxo.compiler.modules.decorator import Decorator
from gxo.testing import call

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "own-modules.md").read_text("utf-8")
EXAMPLE = DOCS / "examples" / "catalogue"
FIRST, *EXCERPTS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
CLOSED = {"node", "name", "head", "inline", "tail", "summary", "fresh", "native", "pauses"}


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first module and its playbook."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "acme.py").write_text(FIRST)
    (playbook,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    (tmp_path / "greet.gxo.yaml").write_text(playbook)
    return tmp_path


def test_the_first_module_works(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "--deny-warnings", "greet.gxo.yaml"]) == 0
    assert call("acme:greet", {"name": "Ada"}).summary == {"text": "hello Ada! "}


def test_its_fault_is_told_as_shown(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = first / "modules" / "acme.py"
    path.write_text(FIRST.replace("name: str,", "name,"))
    assert main(["validate", "greet.gxo.yaml"]) == 1
    (shown,) = re.findall(r"^```\n(modules/acme.py:.*?)^```$", PAGE, re.M | re.S)
    assert shown == capsys.readouterr().err


def test_excerpts_are_from_the_example() -> None:
    files = [EXAMPLE / "modules" / "shop.py", EXAMPLE / "test_shop.py"]
    text = "".join(path.read_text("utf-8") for path in files)
    assert [excerpt for excerpt in EXCERPTS if excerpt not in text] == []
    assert len(EXCERPTS) == 5


def test_the_tables_are_whole() -> None:
    words = set(re.findall(r"\w+", "".join(re.findall(r"^\| (.*?) \|", PAGE, re.M))))
    options = {field.name for field in fields(Decorator)} - CLOSED
    assert (options | (WORDS.keys() - {"Steps"})) - words == set()


def test_the_example_has_no_finding() -> None:
    assert check(EXAMPLE / "catalogue.gxo.yaml").diagnostics.sorted() == []
