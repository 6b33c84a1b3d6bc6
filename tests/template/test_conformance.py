"""Go's own results: every shared case, compiled and run in this process."""

import json
from pathlib import Path
from typing import Any

from tests.template.evaluator import Outcome, evaluate

CASES = Path(__file__).with_name("conformance")


def _number(text: str) -> int | float:
    """An int as Go reads it from YAML: what does not fit into 64 bits is a float."""
    value = int(text)
    return value if -(2**63) <= value < 2**64 else float(text)


def _cases() -> list[dict[str, Any]]:
    return [
        json.loads(line, parse_int=_number)
        for path in sorted(CASES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
    ]


def _agrees(expected: dict[str, Any], outcome: Outcome) -> bool:
    if expected["ok"]:
        return outcome.ok and outcome.output == expected["output"]
    # what no data could make succeed may be refused when compiling
    return not outcome.ok and outcome.error in (expected["error"], "parse")


def test_every_case_gives_what_go_gives() -> None:
    cases = _cases()
    failed = []
    for case in cases:
        outcome = evaluate(case["template"], case["data"])
        accepted = [case.get("gxo", case), case.get("newer_go", case.get("gxo", case))]
        if not any(_agrees(one, outcome) for one in accepted):
            failed.append(f"{case['id']}: {case['template']!r}: {outcome}")
    print(f"conformance: {len(cases) - len(failed)} of {len(cases)} cases pass")
    assert not failed, "\n".join(failed)
