"""One defect in an otherwise clean playbook is found, once, at its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.diagnostics import Diagnostic
from gxo.compiler.driver import Compilation

TABLES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).parent.glob("defects_in_*.yaml"))
}
CASES = [
    pytest.param(table["playbook"], case, id=f"{stem}: {name}")
    for stem, table in TABLES.items()
    for name, case in table["cases"].items()
]


def findings(text: str) -> list[Diagnostic]:
    compilation = Compilation("playbook.gxo.yaml")
    if compilation.read(text.encode()):
        compilation.analyse()
    return compilation.diagnostics.sorted()


@pytest.mark.parametrize("stem", TABLES)
def test_the_playbook_is_clean(stem: str) -> None:
    assert findings(TABLES[stem]["playbook"]) == []


@pytest.mark.parametrize(("playbook", "case"), CASES)
def test_a_defect_is_found(playbook: str, case: dict[str, Any]) -> None:
    assert playbook.count(case["old"]) == 1
    broken = playbook.replace(case["old"], case["new"])
    place = case.get("at", case["new"])
    line = broken[: broken.index(place)].count("\n") + 1
    found = [(item.code, item.span.line) for item in findings(broken)]
    assert found == [(case["code"], line)]
