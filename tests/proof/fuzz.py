"""Inputs that libFuzzer finds break neither the front end nor the template parser."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.proof.figure import Figure

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("playbook", "template")
SECONDS = 600


def prove(scale: float) -> Iterator[Figure]:
    seconds = max(1, round(SECONDS * scale))
    for target in TARGETS:
        command = ["make", "fuzz", f"FUZZ_TARGETS={target}", f"FUZZ_SECONDS={seconds}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        runs = re.search(r"number_of_executed_units: (\d+)", said)
        assert runs, said
        yield Figure(f"{target}: inputs tried", int(runs[1]))
        yield Figure(f"{target}: inputs that fail", len(re.findall("this input fails", said)), 0)
