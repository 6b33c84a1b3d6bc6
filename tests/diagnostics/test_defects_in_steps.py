"""One defect inside a step of an otherwise clean playbook is found, at its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.diagnostics import Diagnostic
from gxo.compiler.driver import Compilation

TABLE = yaml.safe_load(Path(__file__).with_name("defects_in_steps.yaml").read_text())
PLAYBOOK: str = TABLE["playbook"]


def findings(text: str) -> list[Diagnostic]:
    compilation = Compilation("guard.gxo.yaml")
    if compilation.read(text.encode()):
        compilation.analyse()
    return compilation.diagnostics.sorted()


def test_the_playbook_is_clean() -> None:
    assert findings(PLAYBOOK) == []


@pytest.mark.parametrize("case", TABLE["cases"].values(), ids=TABLE["cases"].keys())
def test_a_defect_is_found(case: dict[str, Any]) -> None:
    assert PLAYBOOK.count(case["old"]) == 1
    broken = PLAYBOOK.replace(case["old"], case["new"])
    place = case.get("at", case["new"])
    line = broken[: broken.index(place)].count("\n") + 1
    found = [(item.code, item.span.line) for item in findings(broken)]
    assert found == [(case["code"], line)]
