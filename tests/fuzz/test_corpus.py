"""Every input of the fuzzer's corpus, what it found before included, through the same functions."""

from pathlib import Path

import pytest

from tests.fuzz import targets

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*/*"))


def test_the_corpus_is_there_and_small() -> None:
    assert {path.parent.name for path in CORPUS} == {"playbook", "template"}
    assert sum(path.stat().st_size for path in CORPUS) < 256 * 1024


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_input(path: Path) -> None:
    if path.parent.name == "template":
        targets.template(path.read_bytes())
    else:
        targets.playbook(path.read_bytes())
        targets.yaml_text(path.read_bytes())
