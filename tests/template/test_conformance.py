"""Go's own results: every shared case, as anyone can check them from outside, in one process."""

import json
import re
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


def test_every_failure_names_its_place_and_expression() -> None:
    """`index .l 5: ... (template:1:4: index .l 5)`: what stands there in the template."""
    templates = {case["id"]: case["template"] for case in _cases()}
    misplaced = []
    for name, answer in _answers().items():
        if answer["ok"]:
            continue
        found = _PLACE.search(answer["message"])
        here = _text_at(templates[name], int(found[1]), int(found[2])) if found else None
        named = found[3].removesuffix("...") if found and found[3] else ""
        if (
            here is None
            or not here.startswith(named)
            or bool(named) == (answer["error"] == "parse")
        ):
            misplaced.append(f"{name}: {templates[name]!r}: {answer['message']}")
    assert not misplaced, "\n".join(misplaced)


_PLACE = re.compile(r"\(template:(\d+):(\d+)(?:: (.+))?\)$", re.DOTALL)


def _text_at(template: str, line: int, column: int) -> str | None:
    """The template from a place on, white space as in a message; None outside of it."""
    lines = template.split("\n")
    if line > len(lines) or column > len(lines[line - 1]) + 1:
        return None
    rest = [lines[line - 1][column - 1 :], *lines[line:]]
    return " ".join("\n".join(rest).split())
