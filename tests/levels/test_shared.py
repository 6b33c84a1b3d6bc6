"""What is computed once, or before the run, is what would have been computed at each place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.ir import evaluation
from gxo.compiler.passes import share_expressions, unroll_loops
from gxo.compiler.template.evaluation import _Visitor
from tests.levels.kernel_cases import Part
from tests.levels.test_levels import found, of_the_kernel
from tests.topologies.real import run

PLAYBOOKS: dict[str, Part] = yaml.safe_load(
    Path(__file__).with_name("shared.yaml").read_text(encoding="utf-8")
)
for playbook in PLAYBOOKS.values():
    for workload in playbook["workloads"]:
        workload["lifecycle"] = {"policy": "run_once"}


def differing(name: str) -> list[str]:
    front, (plain, optimized) = of_the_kernel(PLAYBOOKS[name])
    assert plain.text != optimized.text or name == "chance"
    return found(front, run(plain, {}), run(optimized, {}))


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_levels_agree(name: str) -> None:
    assert differing(name) == []


def always(value: Any) -> Callable[..., Any]:
    return lambda *_: value


MISTAKES = {
    "what may not be evaluated is kept": (_Visitor, "perhaps", _Visitor.certain),
    "what differs each time is shared": (
        share_expressions,
        "_is_the_same_each_time",
        always(True),
    ),
    "what a stage changes is forgotten": (share_expressions, "_why_another", always("")),
    "parameters are in another order": (evaluation, "is_keyword", always(True)),
    "one item's call is another's": (
        unroll_loops,
        "_instances",
        lambda loop, instances=unroll_loops._instances: reversed([*instances(loop)]),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MISTAKES[mistake])
    assert any(map(differing, PLAYBOOKS))
