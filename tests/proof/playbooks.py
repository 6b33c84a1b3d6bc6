"""A mistake put into an example's playbook, one at a time, is noticed by `gxo test`.

Each survivor is told. One is a missing test, or a change that nobody can notice; docs/proof.md says
which.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.proof.figure import Figure
from tests.proof.playbook_mutants import Mutant, mutants

EXAMPLES = ("orders-etl", "site-deploy", "fleet-check")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
GXO = Path(sys.executable).with_name("gxo")
PASSED, FAILED = "passed", "failed"
REFUSED = "refused"
"""It does not compile."""
SECONDS = 1800
"""What the tests of all changed playbooks of one example may take."""


def prove(scale: float) -> Iterator[Figure]:
    for example in EXAMPLES:
        yield from _of_example(example, scale)


def _of_example(example: str, scale: float) -> Iterator[Figure]:
    text = (FOLDER / example / f"{example}.gxo.yaml").read_text(encoding="utf-8")
    every = list(mutants(text))
    chosen = Random(1).sample(every, max(1, round(len(every) * scale)))
    chosen.sort(key=lambda one: (one.line, one.kind))
    unchanged = Mutant("literal", 0, "", "", text)
    first, *outcomes = _outcomes(example, [unchanged, *chosen])
    assert first == PASSED, "the tests fail without any change"
    survivors = [one for one, how in zip(chosen, outcomes, strict=True) if how == PASSED]
    for one in survivors:
        print(f"survived: {example}:{one.line}: {one.kind}: {one.before!r} -> {one.after!r}")
    compiled = len(chosen) - outcomes.count(REFUSED)
    yield Figure(f"{example}: mistakes", len(chosen))
    yield Figure(f"{example}: of them unnoticed, %", 100 * len(survivors) / len(chosen), 15)
    yield Figure(f"{example}: mistakes that compile", compiled)
    yield Figure(f"{example}: of them unnoticed, %", 100 * len(survivors) / max(1, compiled), 15)


def _outcomes(example: str, changed: Sequence[Mutant]) -> list[str]:
    """What the tests say of each changed playbook: PASSED, FAILED or REFUSED.

    One call of `gxo test` runs those of all of them, since it takes its time to start.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch, str(number)) for number in range(len(changed))]
        for folder, one in zip(folders, changed, strict=True):
            shutil.copytree(FOLDER / example, folder)
            (folder / f"{example}.gxo.yaml").write_text(one.text, encoding="utf-8")
        command = [str(GXO), "test", "--output", "json", scratch]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode in (0, 1), done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        ends: dict[Path, list[Any]] = {folder: [] for folder in folders}
        for event in events:
            if event["action"] in ("pass", "fail", "skip"):
                ends[Path(event["path"]).parent].append(event)
        return [_outcome(ends[folder]) for folder in folders]


def _outcome(ends: Sequence[Any]) -> str:
    assert ends and all(end["action"] != "skip" for end in ends)
    if all(end["action"] == "pass" for end in ends):
        return PASSED
    codes = [failure for end in ends for failure in end.get("failures", ()) if "code" in failure]
    return REFUSED if codes else FAILED
