"""The interpreter itself: it knows nothing of gxo, and allows what the page allows and no more."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.reference.compare import check, differences
from tests.reference.interpreter import outcomes
from tests.reference.long import check_random
from tests.reference.playbook import read
from tests.reference.real import compiled, run

FOLDER = Path(__file__).parent
CASES = yaml.safe_load((FOLDER / "cases.yaml").read_text(encoding="utf-8"))
PARTS = ("calls", "interpreter", "outcome", "playbook", "probes", "schedule", "templates", "values")


def document(case: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "map", "default": {"yes": True, "no": False}}
    lifecycle = {"lifecycle": {"policy": "run_once"}}
    made = {
        "inputs": {"data": data},
        "workloads": [lifecycle | one for one in case["workloads"]],
    }
    return made | ({"finally": case["finally"]} if "finally" in case else {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sentence"])
def test_allows_what_the_page_says(case: dict[str, Any]) -> None:
    allowed = outcomes(read(document(case)))
    statuses = [{name: found.status for name, found in one.results} for one in allowed]
    assert sorted({str(sorted(one.items())) for one in statuses}) == sorted(
        {str(sorted(one.items())) for one in case["allowed"]}
    )
    check(document(case), case["sentence"])


@pytest.mark.parametrize("part", [*PARTS, "world"])
def test_shares_no_code_with_gxo(part: str) -> None:
    tree = ast.parse((FOLDER / f"{part}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] != "gxo"
            if name.startswith("tests."):
                assert name.rpartition(".")[2] in (*PARTS, "world")


def test_most_playbooks_may_end_in_one_way_only() -> None:
    """A set of outcomes that allows everything would prove nothing."""
    checked = check_random(40, seed=2000)
    assert checked.certain >= 0.7 * checked.playbooks


def test_an_outcome_that_is_not_allowed_is_told() -> None:
    """Each real run is among the outcomes of its own playbook, and not of another that is near."""
    same_moment, one_after_the_other = (document(case) for case in CASES[2:4])
    real, _ = run(compiled(one_after_the_other)[1])
    del one_after_the_other["workloads"][2]
    assert list(differences(real, outcomes(read(same_moment))))
    assert list(differences(real, outcomes(read(one_after_the_other))))
