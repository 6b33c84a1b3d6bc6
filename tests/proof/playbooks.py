"""A mistake put into an example's playbook, one at a time, is noticed by `gxo test`.

Each survivor is told when it is found. One is a missing test, or a change that nobody can notice.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.proof.figure import Figure
from tests.proof.playbook_mutants import Mutant, mutants

EXAMPLES = ("orders-etl", "site-deploy", "fleet-check")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
GXO = Path(sys.executable).with_name("gxo")
AT_ONCE = 2
SECONDS = 120
"""What the tests of one playbook may take, all of them."""


def prove(scale: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as scratch:
        for example in EXAMPLES:
            yield from _of_example(example, scale, Path(scratch))


def _of_example(example: str, scale: float, scratch: Path) -> Iterator[Figure]:
    text = (FOLDER / example / f"{example}.gxo.yaml").read_text(encoding="utf-8")
    every = list(mutants(text))
    chosen = Random(1).sample(every, max(1, round(len(every) * scale)))
    unchanged = Mutant("literal", 0, "", "", text)
    assert not _is_noticed(example, unchanged, scratch), "the tests fail without any change"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        noticed = list(pool.map(lambda one: _is_noticed(example, one, scratch), chosen))
    survivors = [one for one, seen in zip(chosen, noticed, strict=True) if not seen]
    for one in sorted(survivors, key=lambda one: one.line):
        print(f"survived: {example}:{one.line}: {one.kind}: {one.before!r} -> {one.after!r}")
    refused = sum(_is_refused(example, one, scratch) for one in chosen)
    yield Figure(f"{example}: mistakes", len(chosen))
    yield Figure(f"{example}: of them refused when compiling", refused)
    yield Figure(
        f"{example}: of them unnoticed by its tests, %", 100 * len(survivors) / len(chosen), 15
    )


def _is_noticed(example: str, mutant: Mutant, scratch: Path) -> bool:
    """Whether a test fails with the changed playbook; exit code 2 would be a slip of this proof."""
    done = _gxo("test", example, mutant, scratch)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 1


def _is_refused(example: str, mutant: Mutant, scratch: Path) -> bool:
    """Whether the changed playbook does not compile."""
    return _gxo("validate", example, mutant, scratch).returncode != 0


def _gxo(
    verb: str, example: str, mutant: Mutant, scratch: Path
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / example
        shutil.copytree(FOLDER / example, copy)
        playbook = copy / f"{example}.gxo.yaml"
        playbook.write_text(mutant.text, encoding="utf-8")
        given = str(copy) if verb == "test" else str(playbook)
        return subprocess.run(
            [str(GXO), verb, given], capture_output=True, text=True, timeout=SECONDS, check=False
        )
