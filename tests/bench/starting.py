"""What starting and a short run cost, as ratios against plain Python measured in the same run.

    gxo run, unchanged / its artifact      98.2 ms     81.0 ms    1.21    1.30  ok

Both sides of a row run in turn, so that a slow moment of the machine hits both; the ratio is that of
the medians.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import zipapp
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = Path(sys.base_prefix) / "bin" / "python3"


@dataclass(frozen=True)
class Row:
    """One comparison: `measured` may take at most `bound` times what `baseline` takes."""

    name: str
    measured: list[str]
    baseline: list[str]
    bound: float
    rounds: int


@dataclass(frozen=True)
class Result:
    """Medians in milliseconds, and their ratio."""

    name: str
    measured_ms: float
    baseline_ms: float
    ratio: float
    bound: float

    @property
    def verdict(self) -> str:
        return "ok" if self.ratio <= self.bound else "MISSED"


def seconds(command: list[str], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment, capture_output=True, cwd="/")
    return time.perf_counter() - started


def _measured(row: Row, environment: Mapping[str, str]) -> Result:
    """Run both sides in turn, after one unmeasured round each."""
    seconds(row.measured, environment)
    seconds(row.baseline, environment)
    pairs = [
        (seconds(row.measured, environment), seconds(row.baseline, environment))
        for _ in range(row.rounds)
    ]
    measured = statistics.median(pair[0] for pair in pairs) * 1000
    baseline = statistics.median(pair[1] for pair in pairs) * 1000
    return Result(row.name, measured, baseline, measured / baseline, row.bound)


def compiled(gxo: Path, playbook: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """The artifact of the playbook, in the folder."""
    target = folder / f"{playbook.name.partition('.')[0]}.pyz"
    subprocess.run([gxo, "compile", playbook, "-o", target], check=True, env=environment)
    return str(target)


def plain_zipapp(source: Path, folder: Path) -> str:
    """The same program as a zipapp without any of gxo."""
    package = folder / source.stem
    package.mkdir()
    (package / "__main__.py").write_text(source.read_text())
    zipapp.create_archive(package, folder / f"{source.stem}.pyz")
    return str(folder / f"{source.stem}.pyz")


def rows(gxo_path: Path, folder: Path, environment: Mapping[str, str]) -> list[Row]:
    """The table's rows, with everything that they run built in the folder."""
    python, gxo = str(PYTHON), str(gxo_path)
    trivial = compiled(gxo_path, HERE / "playbooks/trivial.gxo.yaml", folder, environment)
    chain_playbook = folder / "chain.gxo.yaml"
    chain_playbook.write_text(exec_chain(100))
    chain = compiled(gxo_path, chain_playbook, folder, environment)
    small = str(ROOT / "docs/examples/site-deploy/site-deploy.gxo.yaml")
    empty = plain_zipapp(HERE / "baselines/empty.py", folder)
    steps = str(HERE / "baselines/exec_chain.py")
    return [
        Row(
            "start of a trivial artifact / empty zipapp",
            [python, trivial],
            [python, empty],
            1.25,
            40,
        ),
        Row(
            "gxo run, unchanged / its artifact",
            [gxo, "run", str(HERE / "playbooks/trivial.gxo.yaml")],
            [python, trivial],
            1.3,
            40,
        ),
        Row(
            "gxo validate, small playbook / import asyncio",
            [gxo, "validate", small],
            [python, "-c", "import asyncio"],
            5.0,
            20,
        ),
        Row(
            "100 exec steps in a chain / bare asyncio loop",
            [python, chain],
            [python, steps],
            1.5,
            10,
        ),
    ]


def exec_chain(steps: int) -> str:
    """A playbook of `/bin/true` steps, each waiting for the one before."""
    lines = ["name: chain", "schemaVersion: v1.0.0", "workloads:"]
    for number in range(steps):
        needs = f", needs: [step-{number - 1}]" if number else ""
        lines.append(
            f"  - {{name: step-{number}, lifecycle: {{policy: run_once}}{needs},"
            " process: {module: exec, params: {command: /bin/true}}}"
        )
    return "\n".join(lines) + "\n"


def measure(gxo: Path, environment: Mapping[str, str]) -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        return [_measured(row, environment) for row in rows(gxo, Path(name), environment)]


def report(results: list[Result], write: Callable[[str], None]) -> bool:
    """Write the table; whether all bounds are kept."""
    write(table(results))
    return all(result.verdict == "ok" for result in results)


def table(results: list[Result]) -> str:
    width = max(len(result.name) for result in results)
    lines = [f"{'':<{width}}  {'gxo':>9}  {'baseline':>9}  {'ratio':>6}  {'bound':>6}"]
    lines += [
        f"{result.name:<{width}}  {result.measured_ms:>6.1f} ms  {result.baseline_ms:>6.1f} ms"
        f"  {result.ratio:>6.2f}  {result.bound:>6.2f}  {result.verdict}"
        for result in results
    ]
    return "\n".join(lines)
