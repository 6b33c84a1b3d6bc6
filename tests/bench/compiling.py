"""How long and in how much memory `gxo compile` compiles large playbooks, beside black alone.

    gxo compile, 1,000 workloads / black alone      1.45 of 1.5
    one workload of 1,000 changed, compiled again   1.9 s of 2.0

black formats the same module in the same run, without its own checks, as `black --fast` does. All run
in turn, each in a process of its own with an empty cache; the median of its runs counts. Time is what
the child used of a processor, so that a busy machine adds little; memory is its largest resident set.
"""

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import large_playbook
from scaling import run

SMALL, LARGE = 1_000, 4_000
ROUNDS = 5
MOST_BLACK, MOST_TIMES, MOST_MIB, MOST_AGAIN = 1.5, 4.6, 600.0, 2.0


@dataclass(frozen=True)
class Compiling:
    """The median times in seconds, and the largest memory of any size in MiB."""

    black: float
    small: float
    large: float
    small_again: float
    large_again: float
    memory: float

    @property
    def rows(self) -> list[tuple[str, float, float, str]]:
        return [
            (
                f"gxo compile, {SMALL:,} workloads / black alone",
                self.small / self.black,
                MOST_BLACK,
                "",
            ),
            (
                f"gxo compile, {LARGE:,} workloads / {SMALL:,}",
                self.large / self.small,
                MOST_TIMES,
                "",
            ),
            ("its memory, at most", self.memory, MOST_MIB, "MiB"),
            (f"one workload of {SMALL:,} changed", self.small_again, MOST_AGAIN, "s"),
            (f"one workload of {LARGE:,} changed", self.large_again, MOST_AGAIN, "s"),
        ]


def measure(gxo: Path, environment: Mapping[str, str]) -> Compiling:
    with tempfile.TemporaryDirectory() as name:
        rounds = [_round(gxo, Path(name), environment) for _ in range(ROUNDS)]
    return Compiling(
        *(
            median(getattr(one, field) for one in rounds)
            for field in ("black", "small", "large", "small_again", "large_again")
        ),
        memory=max(one.memory for one in rounds),
    )


def _round(gxo: Path, folder: Path, environment: Mapping[str, str]) -> Compiling:
    playbooks = {size: folder / f"{size}.gxo.yaml" for size in (SMALL, LARGE)}
    for size, playbook in playbooks.items():
        playbook.write_text(large_playbook.text(size))
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        cached = {**environment, "XDG_CACHE_HOME": cache}

        def compiled(size: int) -> tuple[float, float]:
            target = str(folder / "job.pyz")
            return run([str(gxo), "compile", str(playbooks[size]), "-o", target], cached)

        small, small_memory = compiled(SMALL)
        black, _ = run(_black(gxo, playbooks[SMALL], folder, environment), environment)
        large, large_memory = compiled(LARGE)
        again = {}
        for size, playbook in playbooks.items():
            text = playbook.read_text()
            changed = text.replace("deploy --region", "deploy --to", 1)
            assert changed != text
            playbook.write_text(changed)
            again[size], _ = compiled(size)
    memory = max(small_memory, large_memory)
    return Compiling(black, small, large, again[SMALL], again[LARGE], memory)


def _black(gxo: Path, playbook: Path, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The command that formats the module as gxo generates it, which it is given anew."""
    module = folder / "module.py"
    raw = folder / "raw.py"
    if not raw.exists():
        with raw.open("w") as file:
            command = [gxo.with_name("python"), "-c", RAW, playbook]
            subprocess.run(command, check=True, env=environment, stdout=file)
    module.write_bytes(raw.read_bytes())
    return [str(gxo.with_name("black")), "--fast", "-q", "-l", "100", "-t", "py311", str(module)]


RAW = """
import sys
from pathlib import Path
from gxo.compiler.driver import check
print(*check(Path(sys.argv[1])).generate(pretty=False).sources.values(), sep="")
"""


def report(result: Compiling, write: Callable[[str], None]) -> bool:
    """Write the rows; whether all are within their bounds."""
    write(
        f"black alone {result.black:.2f} s, gxo compile {result.small:.2f} s and {result.large:.2f} s"
    )
    for name, value, bound, unit in result.rows:
        verdict = "ok" if value <= bound else "MISSED"
        write(f"{name:<46}  {value:>7.2f} {unit:<3}  of {bound:>6.1f}  {verdict}")
    return all(value <= bound for _, value, bound, _ in result.rows)
