"""What running a workload costs, beside the least that could run it and beside other schedulers.

    gxo, 10,000 independent      16.1 us a workload    0.32 of a bare loop's rate, at least 0.15
    gxo, 40,000 independent      17.0 us a workload    4.2 times the time of 10,000, at most 4.6

A compiled playbook of workloads that do nothing runs as `python job.pyz --report FILE` does, with its
log going to a file; measured is the process's own processor time from when the job is loaded to when
the report is written. All commands of a shape run in turn, and the fastest of its runs counts, so that
a busy machine adds little.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[1] / "build" / "bench" / "venv" / "bin" / "python"
SMALL, LARGE = 10_000, 40_000
ROUNDS = 5
MOST_TIMES = 4.6
LEAST_RATE = {"independent": 0.15, "chain": 0.25}
# luigi takes time with the square of the tasks: ten thousand would be minutes.
PEER_SIZES = {"doit": SMALL, "dask": SMALL, "luigi": 1_000}

HEAD = """\
name: noops
schemaVersion: v1.0.0
workloads:
"""
PROGRAM_HEAD = '''\
"""noops, compiled by gxo {version} from noops.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import Context, Job
from gxo.stdlib.control import identity as control_identity

job = Job("noops")
'''
RUN = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
from noops import job
from gxo.runtime.main import main
started = time.process_time()
code = main(job)
print(time.process_time() - started)
sys.exit(code)
"""


@dataclass(frozen=True)
class Shape:
    """The fastest times of one shape of playbook, in seconds; of `peers` by name."""

    name: str
    bare: float
    small: float
    large: float
    peers: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.bare / self.small

    @property
    def growth(self) -> float:
        return self.large / self.small


def playbook(shape: str, count: int) -> str:
    """So many workloads, each of which only leaves a result."""
    lines = []
    for number in range(count):
        needs = f", needs: [w{number - 1}]" if shape == "chain" and number else ""
        lines.append(
            f"  - {{name: w{number}, lifecycle: {{policy: run_once}}{needs}, register: r{number},"
            " process: {module: control:identity, params: {}}}\n"
        )
    return HEAD + "".join(lines)


def program(shape: str, count: int, version: str) -> str:
    """What gxo compiles that playbook to. Compiling so many takes minutes, and is measured elsewhere;
    `check` holds this to the compiler's own text.
    """
    lines = [PROGRAM_HEAD.format(version=version)]
    for number in range(count):
        after = f', after=["w{number - 1}"]' if shape == "chain" and number else ""
        lines.append(
            f'\n\n# w{number}: control:identity\n@job.workload("w{number}", register="r{number}"{after})\n'
            f"async def w{number}(ctx: Context) -> dict[str, Any]:\n"
            "    return await control_identity(ctx)\n"
        )
    return "".join(lines)


def check(gxo: Path, shape: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Compile a small playbook; SystemExit unless `program` gives the same. Returns gxo's version."""
    source = folder / "noops.gxo.yaml"
    source.write_text(playbook(shape, 20))
    compiled = output([str(gxo), "compile", str(source), "--emit=python"], environment)
    version = compiled.partition("compiled by gxo ")[2].partition(" ")[0]
    if compiled != program(shape, 20, version):
        raise SystemExit(f"tests/bench/scheduler.py does not write what gxo compiles:\n{compiled}")
    return version


def output(command: list[str], environment: Mapping[str, str]) -> str:
    """What the command prints. Its log goes to a file, so that no reader takes part."""
    with tempfile.TemporaryFile() as log:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, check=False
        )
        if done.returncode:
            log.seek(0)
            said = log.read()[-2000:].decode(errors="replace")
            raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return done.stdout


def measure(gxo: Path, environment: Mapping[str, str]) -> list[Shape]:
    return [_measure(gxo, shape, environment) for shape in LEAST_RATE]


def _measure(gxo: Path, shape: str, environment: Mapping[str, str]) -> Shape:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        version = check(gxo, shape, folder, environment)
        python = str(gxo.with_name("python"))
        commands = {"bare": [python, str(HERE / "baselines/scheduler.py"), shape, str(SMALL)]}
        for size in (SMALL, LARGE):
            job = folder / str(size)
            job.mkdir()
            (job / "noops.py").write_text(program(shape, size, version))
            report = ["--report", str(job / "report.json")]
            commands[str(size)] = [python, "-c", RUN, str(job), *report]
        for peer, size in PEER_SIZES.items() if PEERS.exists() else ():
            commands[peer] = [str(PEERS), str(HERE / "peers/run.py"), peer, shape, str(size)]
        rounds = [
            {name: float(output(command, environment)) for name, command in commands.items()}
            for _ in range(ROUNDS)
        ]
    best = {name: min(one[name] for one in rounds) for name in commands}
    peers = {name: best[name] for name in PEER_SIZES if name in best}
    return Shape(shape, best["bare"], best[str(SMALL)], best[str(LARGE)], peers)


def report(shapes: list[Shape], write: Callable[[str], None]) -> bool:
    """Write the rows; whether all bounds are kept."""
    kept = True
    for shape in shapes:
        least = LEAST_RATE[shape.name]
        _write(write, "bare asyncio", SMALL, shape.name, shape.bare)
        told = f"{shape.rate:.2f} of its rate, at least {least}"
        kept &= _judge(write, "gxo", SMALL, shape, shape.small, told, shape.rate >= least)
        told = f"{shape.growth:.2f} times {SMALL:,}, at most {MOST_TIMES}"
        kept &= _judge(write, "gxo", LARGE, shape, shape.large, told, shape.growth <= MOST_TIMES)
        for peer, seconds in shape.peers.items():
            _write(write, peer, PEER_SIZES[peer], shape.name, seconds)
    return kept


def _judge(
    write: Callable[[str], None],
    what: str,
    size: int,
    shape: Shape,
    seconds: float,
    told: str,
    good: bool,
) -> bool:
    _write(write, what, size, shape.name, seconds, f"  {told}  {'ok' if good else 'MISSED'}")
    return good


def _write(
    write: Callable[[str], None], what: str, size: int, shape: str, seconds: float, told: str = ""
) -> None:
    each = seconds / size * 1e6
    write(f"{what}, {size:,} {shape:<11}".ljust(40) + f"{each:>9.1f} us a workload{told}")


if __name__ == "__main__":
    gxo_path = Path(sys.executable).with_name("gxo")
    sys.exit(not report(measure(gxo_path, {"PATH": "/usr/bin:/bin", "HOME": "/"}), print))
