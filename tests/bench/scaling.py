"""How long and in how much memory `gxo validate` checks large playbooks, and how that grows.

    gxo validate, 1,000 workloads      1.2 s of 3.0     62 MiB of 300
    gxo validate, 4,000 workloads      3.6 times of 4.6

Both sizes run in turn, each in a process of its own; the fastest of its runs counts. Time is what the
child used of a processor, so that a busy machine adds nothing; memory is its largest resident set.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import large_playbook

SMALL, LARGE = 1_000, 4_000
ROUNDS = 5
MOST_SECONDS, MOST_MIB, MOST_TIMES = 3.0, 300.0, 4.6


@dataclass(frozen=True)
class Scaling:
    """The fastest times in seconds, and the largest memory of the small playbook in MiB."""

    small: float
    large: float
    memory: float

    @property
    def rows(self) -> list[tuple[str, float, float, str]]:
        return [
            (f"gxo validate, {SMALL:,} workloads: time", self.small, MOST_SECONDS, "s"),
            (f"gxo validate, {SMALL:,} workloads: memory", self.memory, MOST_MIB, "MiB"),
            (f"{LARGE:,} workloads / {SMALL:,}", self.large / self.small, MOST_TIMES, ""),
        ]


def run(command: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds and MiB of one run, which must succeed."""
    with open(os.devnull, "w") as nowhere:
        child = os.posix_spawn(
            command[0],
            command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2),
            ],
        )
        _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(gxo: Path, environment: Mapping[str, str]) -> Scaling:
    with tempfile.TemporaryDirectory() as name:
        commands = []
        for size in (SMALL, LARGE):
            playbook = Path(name) / f"{size}.gxo.yaml"
            playbook.write_text(large_playbook.text(size))
            commands.append([str(gxo), "validate", str(playbook)])
        runs = [[run(command, environment) for command in commands] for _ in range(ROUNDS)]
    small, large = zip(*runs, strict=True)
    return Scaling(min(small)[0], min(large)[0], max(memory for _, memory in small))


def report(result: Scaling, write: Callable[[str], None]) -> bool:
    """Write the rows; whether all are within their bounds."""
    for name, value, bound, unit in result.rows:
        verdict = "ok" if value <= bound else "MISSED"
        write(f"{name:<46}  {value:>7.2f} {unit:<3}  of {bound:>6.1f}  {verdict}")
    return all(value <= bound for _, value, bound, _ in result.rows)
