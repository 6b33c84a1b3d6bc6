"""Go's own results: every shared case, as anyone can check them from outside, in one process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CASES = [*sorted(HERE.glob("conformance/*.jsonl")), HERE / "found.jsonl"]
"""The contract, and what random templates and reading Go's sources have found since."""
GXO = (sys.executable, "-c", "from gxo.cli.main import entry; entry()")


def _cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines()]


def _lines() -> list[str]:
    return [line for path in CASES for line in path.read_text("utf-8").split("\n") if line]


def _answers() -> dict[str, dict[str, Any]]:
    """What `gxo eval` says to the lines of the case files, by id."""
    done = subprocess.run(
        [*GXO, "eval", "--jsonl", "--fake-secrets"],
        input="\n".join(_lines()),
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["id"]: answer for answer in answers}


def _agrees(expected: dict[str, Any], answer: dict[str, Any]) -> bool:
    if expected["ok"]:
        return bool(answer["ok"]) and answer["output"] == expected["output"]
    # what no data could make succeed may be refused when compiling
    return not answer["ok"] and answer["error"] in (expected["error"], "parse")


def test_every_case_gives_what_go_gives() -> None:
    cases, answers = _cases(), _answers()
    failed = []
    for case in cases:
        answer = answers[case["id"]]
        accepted = [case.get("gxo", case), case.get("newer_go", case.get("gxo", case))]
        if not any(_agrees(one, answer) for one in accepted):
            failed.append(f"{case['id']}: {case['template']!r}: {answer}")
    print(f"conformance: {len(cases) - len(failed)} of {len(cases)} cases pass")
    assert not failed, "\n".join(failed)
    assert len(answers) == len(cases) > 1000
