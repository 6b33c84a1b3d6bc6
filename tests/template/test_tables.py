"""The parser's tables: prepared when gxo is built, and never trusted when they are of another grammar."""

from pathlib import Path

import pytest

from gxo.compiler.template import tables


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for tables of our own; the parser is loaded anew."""
    path = tmp_path / "tables.json"
    monkeypatch.setattr(tables, "TABLES", path)
    tables.parser.cache_clear()
    yield path
    tables.parser.cache_clear()


def _tree() -> str:
    text = 'a {{ if eq .x "y" }}{{ .x.0 | upper }}{{ end }} ${B}'
    return tables.parser().parse(text, start="template").pretty()


def test_prepared_tables_parse_as_those_made_in_memory(stored: Path) -> None:
    in_memory = _tree()
    tables.parser.cache_clear()
    stored.write_text(tables.serialized())
    assert tables._stored(tables._digest(tables.GRAMMAR.read_bytes())) is not None
    assert _tree() == in_memory


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"digest":"', '"digest":"0'),
        lambda text: "{}",
    ],
    ids=["empty", "cut", "list", "another grammar", "no digest"],
)
def test_tables_that_do_not_fit_are_not_used(stored: Path, damage) -> None:
    stored.write_text(damage(tables.serialized()))
    assert tables._stored(tables._digest(tables.GRAMMAR.read_bytes())) is None
    assert "upper" in _tree()
