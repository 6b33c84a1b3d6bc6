"""What `gxo test` costs: many small tests against as many calls of their bare artifacts.

    200 tests / their artifacts, 2 at once      9.41 s     21.30 s    0.44    3.00  ok

Each test has a mock of an HTTP server, includes a playbook that sends it a request, and asserts
something. Artifacts are compiled before, and called by a pool of the same size; both sides run in
turn, in the same run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PYTHON = Path(sys.base_prefix) / "bin" / "python3"
TESTS, ROUNDS, BOUND = 200, 3, 3.0
AT_ONCE = len(os.sched_getaffinity(0))

PLAYBOOK = """\
name: fetch
schemaVersion: v1.0.0
inputs: {api: {type: string}, number: {type: int}}
workloads:
  - name: fetch
    lifecycle: {policy: run_once}
    process: {module: http:request, params: {url: "{{ .api }}/users/{{ .number }}"}}
    register: fetched
  - name: named
    lifecycle: {policy: run_once}
    process: {module: control:identity, params: {name: "{{ .fetched.json_body.name }}"}}
    register: named
"""
TEST = """\
include: fetch.gxo.yaml
vars: {{api: "{{{{ .api.server_url }}}}", number: {number}}}
workloads:
  - name: api
    register: api
    process:
      module: test:mock_http_server
      params:
        handlers:
          - request: {{method: GET, path: /users/{number}}}
            response: {{json: {{name: user-{number}}}}}
  - name: check
    process:
      module: test:assert
      params:
        assertions:
          - {{actual: "{{{{ .included.workloads.named.summary.name }}}}", equal_to: user-{number}}}
"""


@dataclass(frozen=True)
class Result:
    """Medians in seconds, and their ratio; CPU seconds of both, children included."""

    tests: int
    at_once: int
    measured: float
    baseline: float
    measured_cpu: float
    baseline_cpu: float
    bound: float = BOUND

    @property
    def ratio(self) -> float:
        return self.measured / self.baseline

    @property
    def verdict(self) -> str:
        return "ok" if self.ratio <= self.bound else "MISSED"


def measure(gxo: Path, environment: Mapping[str, str]) -> Result:
    """Run both sides in turn, after one unmeasured test each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "tests")
        folder.mkdir()
        (folder / "fetch.gxo.yaml").write_text(PLAYBOOK)
        for number in range(TESTS):
            path = folder / f"t{number:03}.test.gxo.yaml"
            path.write_text(TEST.format(number=number))
        artifacts = _compiled(gxo, sorted(folder.glob("*.test.gxo.yaml")), Path(name), environment)
        sides = (
            lambda: _run([str(gxo), "test", str(folder), "-j", str(AT_ONCE)], environment),
            lambda: _call(artifacts, environment),
        )
        _run([str(gxo), "test", str(folder / "t000.test.gxo.yaml")], environment)
        _call(artifacts[:1], environment)
        rounds = [[_timed(side) for side in sides] for _ in range(ROUNDS)]
    tested, called = zip(*rounds, strict=True)
    return Result(TESTS, AT_ONCE, *_medians(tested, called, 0), *_medians(tested, called, 1))


Times = tuple[float, float]


def _medians(one: Sequence[Times], other: Sequence[Times], which: int) -> tuple[float, float]:
    return (
        statistics.median(times[which] for times in one),
        statistics.median(times[which] for times in other),
    )


def _compiled(
    gxo: Path, tests: Sequence[Path], folder: Path, environment: Mapping[str, str]
) -> list[str]:
    """The artifact of each test."""
    _run([str(gxo), "compile", *map(str, tests), "-o", f"{folder}/artifacts/"], environment)
    return [str(path) for path in sorted(folder.glob("artifacts/*.pyz"))]


def _call(artifacts: Sequence[str], environment: Mapping[str, str]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda path: _run([str(PYTHON), path], environment), artifacts))


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    subprocess.run(command, check=True, env=environment, capture_output=True, cwd="/")


def _timed(side: Callable[[], None]) -> Times:
    before, started = os.times(), time.perf_counter()
    side()
    seconds, after = time.perf_counter() - started, os.times()
    used = after.children_user - before.children_user
    return seconds, used + after.children_system - before.children_system


def report(result: Result, write: Callable[[str], None]) -> bool:
    """Write the table; whether the bound is kept."""
    name = f"{result.tests} tests / their artifacts, {result.at_once} at once"
    write(f"{'':<44}{'measured':>10}{'baseline':>11}{'ratio':>8}{'bound':>8}")
    write(
        f"{name:<44}{result.measured:>8.2f} s{result.baseline:>9.2f} s"
        f"{result.ratio:>8.2f}{result.bound:>8.2f}  {result.verdict}"
    )
    cpu = f"{result.measured_cpu:>8.2f} s{result.baseline_cpu:>9.2f} s"
    write(f"{'  CPU seconds':<44}{cpu}{result.measured_cpu / result.baseline_cpu:>8.2f}")
    return result.verdict == "ok"
