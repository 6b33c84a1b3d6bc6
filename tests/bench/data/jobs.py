"""The data jobs of `make bench`: who does them, and how fast gxo must be.

    J1  a million JSON lines: parse, filter, compute a field, sum up by key
    J2  a million rows of CSV joined with 100,000: CSV out
    J3  a million JSON lines, read once, to three files by three conditions
    J5  1,000 pipelines of 1,000 records each

A job is a folder: its playbook, and a program for each other contestant, of which `CONTESTANTS` has the
file names. `by_hand.py` is the loop that a good engineer would write; the one whose name has `orjson`
in it uses the parser that `gxo compile --native` links. A bound says how many times as fast one
contestant must be as another: 0.85 of `by hand` allows 1 / 0.85 of its time.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import inputs
from data.contest import Contestant, Time, run
from data.j5_many import playbook as many

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build" / "bench"
PYTHON = Path(sys.base_prefix) / "bin" / "python3"
PEERS = BUILD / "venv" / "bin" / "python"
ROUNDS = 5

GXO = {"gxo -O0": ["-O0"], "gxo": [], "gxo --native": ["--native"]}
CONTESTANTS = {
    "by hand": "by_hand.py",
    "by hand, dicts": "by_hand_dicts.py",
    "by hand, orjson": "by_hand_orjson.py",
    "Miller": "miller.sh",
    "jq": "jq.sh",
    "DuckDB": "in_duckdb.py",
    "Polars": "in_polars.py",
    "Bytewax": "in_bytewax.py",
    "Jinja2 a record": "in_jinja2.py",
}
PROGRAMS = {"Miller": "mlr", "jq": "jq"}
"""What must be installed besides the peers' environment."""


@dataclass(frozen=True)
class Bound:
    """`who` must be at least so many times as fast as `other`."""

    who: str
    other: str
    least: float


@dataclass(frozen=True)
class Job:
    """What is done, in which folder, from which inputs to which outputs."""

    title: str
    folder: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    bounds: tuple[Bound, ...]


@dataclass(frozen=True)
class Verdict:
    """A bound and how fast `who` really is; `by_cpu` holds where the machine was busy with other things."""

    bound: Bound
    speed: float
    by_cpu: float

    @property
    def word(self) -> str:
        return "ok" if self.speed >= self.bound.least else "MISSED"


@dataclass(frozen=True)
class Result:
    """The times of a job by contestant; who is missing is not installed."""

    job: Job
    times: Mapping[str, Time]
    missing: tuple[str, ...]

    @property
    def verdicts(self) -> list[Verdict]:
        return [
            self._verdict(one)
            for one in self.job.bounds
            if one.who in self.times and one.other in self.times
        ]

    def _verdict(self, bound: Bound) -> Verdict:
        who, other = self.times[bound.who], self.times[bound.other]
        return Verdict(bound, other.wall / who.wall, other.cpu / who.cpu)

    @property
    def is_good(self) -> bool:
        return all(one.word == "ok" for one in self.verdicts)

    def figures(self) -> dict[str, Any]:
        """For the file of figures."""
        return {
            "title": self.job.title,
            "seconds": {name: round(one.wall, 3) for name, one in self.times.items()},
            "cpu_seconds": {name: round(one.cpu, 3) for name, one in self.times.items()},
            "not_installed": list(self.missing),
            "bounds": [
                {
                    "who": one.bound.who,
                    "times_as_fast_as": one.bound.other,
                    "least": one.bound.least,
                    "speed": round(one.speed, 3),
                    "speed_by_cpu": round(one.by_cpu, 3),
                    "verdict": one.word,
                }
                for one in self.verdicts
            ],
        }


_LIKE_BY_HAND = (
    Bound("gxo -O0", "by hand", 0.45),
    Bound("gxo", "by hand", 0.85),
)
_LIKE_TOOLS = tuple(
    Bound(who, other, least)
    for who, least in (("gxo", 1.5), ("gxo --native", 4.0))
    for other in ("Miller", "jq")
)
JOBS = {
    "J1": Job(
        "1,000,000 JSON lines: parse, filter, compute, sum up by key",
        "j1_totals",
        ("rows.jsonl",),
        ("totals.json",),
        (*_LIKE_BY_HAND, Bound("gxo --native", "by hand, orjson", 0.85), *_LIKE_TOOLS),
    ),
    "J2": Job(
        "1,000,000 rows of CSV joined with 100,000, to CSV",
        "j2_join",
        ("orders.csv", "customers.csv"),
        ("joined.csv",),
        (*_LIKE_BY_HAND, *_LIKE_TOOLS),
    ),
    "J3": Job(
        "1,000,000 JSON lines, read once, to three files by three conditions",
        "j3_branches",
        ("rows.jsonl",),
        ("closed.jsonl", "dear.jsonl", "bulk.jsonl"),
        (Bound("gxo", "by hand", 0.6),),
    ),
    "J5": Job(
        "1,000 pipelines of 1,000 JSON lines each",
        "j5_many",
        ("parts",),
        ("totals",),
        (Bound("gxo", "by hand", 1 / 1.5),),
    ),
}


def measure(job: Job, gxo: Path, environment: Mapping[str, str], rounds: int = ROUNDS) -> Result:
    """Compile the job's playbook, make the inputs, and run all contestants."""
    source = inputs.make(BUILD / "inputs")
    missing = tuple(name for name in CONTESTANTS if _is_missing(job, name))
    # Beside the inputs: they are hard links in the contestants' folders.
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        contestants = [
            one
            for one in (*_programs(job), *_compiled(job, folder, gxo, environment))
            if one.name not in missing
        ]
        times = run(
            contestants,
            [source / one for one in job.inputs],
            job.outputs,
            rounds,
            folder,
            environment,
        )
    return Result(job, times, missing)


def _is_missing(job: Job, name: str) -> bool:
    """Whether the job has a program for it that cannot run here."""
    file = CONTESTANTS[name]
    if not (HERE / job.folder / file).exists():
        return False
    if name in PROGRAMS:
        return shutil.which(PROGRAMS[name], path="/usr/bin:/bin") is None
    return file.startswith("in_") and not PEERS.exists()


def _programs(job: Job) -> Iterator[Contestant]:
    """The hand-written loop comes first: what it writes, all must."""
    for name, file in CONTESTANTS.items():
        program = HERE / job.folder / file
        if program.exists():
            yield Contestant(name, [_interpreter(file), str(program)])


def _interpreter(file: str) -> str:
    if file.endswith(".sh"):
        return "/bin/sh"
    return str(PYTHON) if file in ("by_hand.py", "by_hand_dicts.py") else str(PEERS)


def _compiled(
    job: Job, folder: Path, gxo: Path, environment: Mapping[str, str]
) -> Iterator[Contestant]:
    playbook = HERE / job.folder / "playbook.gxo.yaml"
    if not playbook.exists():
        playbook = folder / "playbook.gxo.yaml"
        playbook.write_text(many.text(inputs.PARTS), encoding="utf-8")
    for number, (name, flags) in enumerate(GXO.items()):
        artifact = folder / f"{number}.pyz"
        command = [str(gxo), "compile", *flags, str(playbook), "-o", str(artifact)]
        subprocess.run(command, check=True, env=environment)
        yield Contestant(name, [str(PYTHON), str(artifact), "--workspace", "."])


def report(name: str, result: Result, write: Callable[[str], None]) -> None:
    """Write the job's table: a line a contestant, with what it is held to."""
    write(f"{name}: {result.job.title}")
    verdicts = result.verdicts
    for who, time in sorted(result.times.items(), key=lambda pair: pair[1].wall):
        line = f"  {who:<16} {time.wall:>8.2f} s   cpu {time.cpu:>7.2f} s"
        for one in (one for one in verdicts if one.bound.who == who):
            told = f"{one.speed:.2f} of {one.bound.other} (cpu {one.by_cpu:.2f}), at least {one.bound.least:.2f}"
            write(f"{line:<48}{told:<56}{one.word}")
            line = ""
        if line:
            write(line)
    for who in result.missing:
        write(f"  {who:<16} not installed")
