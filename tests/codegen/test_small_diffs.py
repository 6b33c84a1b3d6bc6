"""A small change of a playbook is a small change of its module."""

import difflib
from pathlib import Path

import pytest

from gxo.compiler.driver import Compilation

EXAMPLES = sorted(Path(__file__).parents[2].glob("docs/examples/*/*.gxo.yaml"))


def module_of(path: Path, text: str) -> str:
    compilation = Compilation(str(path))
    assert compilation.read(text.encode())
    assert compilation.analyse(), compilation.diagnostics.sorted()
    return compilation.generate().text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_inserted_line_changes_nothing(path: Path) -> None:
    text = path.read_text()
    assert module_of(path, "# one more line\n\n" + text) == module_of(path, text)


@pytest.mark.parametrize(
    ("example", "old", "new"),
    [("site-deploy", "minified", "squeezed"), ("orders-etl", "paid", "settled")],
)
def test_a_new_name_changes_only_lines_that_name_it(example: str, old: str, new: str) -> None:
    path = next(path for path in EXAMPLES if path.stem.startswith(example))
    text = path.read_text()
    renamed = (
        text.replace(f"name: {old}\n", f"name: {new}\n")
        .replace(f"workloads.{old}.", f"workloads.{new}.")
        .replace(f", {old}]", f", {new}]")
        .replace(f"[{old}]", f"[{new}]")
    )
    assert renamed != text
    before, after = module_of(path, text).splitlines(), module_of(path, renamed).splitlines()
    for line in difflib.ndiff(before, after):
        if line.startswith("- "):
            assert old in line
        elif line.startswith("+ "):
            assert new in line
