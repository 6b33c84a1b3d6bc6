"""How much memory grows while a stream flows, from its millionth record to its ten millionth.

    endless source, map, filter                  0.4 MiB of 8.0
    data:parse of a file of 2 GB                 1.1 MiB of 8.0

Each stream runs in a process of its own, by real time, and is watched by the sink that reads it. The
records that pass before the first look fill all buffers and caches; what grows after that grows for
ever. `python tests/bench/memory.py STREAM LATE` is one such process.
"""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EARLY, LATE = 1_000_000, 10_000_000
LINE_BYTES = 200
"""Of each line of the file, which then has 2 GB."""
MOST = 8.0
"""MiB."""


@dataclass(frozen=True)
class Growth:
    """MiB that a stream's process had after the first records, and after ten times as many."""

    name: str
    early: float
    late: float

    @property
    def growth(self) -> float:
        return self.late - self.early


def measure(late: int = LATE) -> list[Growth]:
    """Run each stream to so many records, one after the other."""
    return [measured(name, late) for name in STREAMS]


def report(results: list[Growth], write: Callable[[str], None]) -> bool:
    """Write the rows; whether all are within their bounds."""
    for one in results:
        verdict = "ok" if one.growth <= MOST else "MISSED"
        write(f"{one.name:<46}  {one.growth:>7.2f} MiB  of {MOST:>6.1f}  {verdict}")
    return all(one.growth <= MOST for one in results)


def measured(name: str, late: int) -> Growth:
    """Run one stream in a process of its own, to so many records."""
    command = [sys.executable, __file__, name, str(late)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return Growth(name, **json.loads(done.stdout))


# What one process runs


def _rows(folder: Path, late: int) -> list[dict[str, Any]]:
    return [_source("memory:rows"), *_between("{{ .number }}")]


def _parsed(folder: Path, late: int) -> list[dict[str, Any]]:
    with open(folder / "rows.jsonl", "w") as file:
        for number in range(late):
            line = f'{{"number": {number}, "name": "name {number}", "pad": "'
            file.write(line.ljust(LINE_BYTES - 4, "x") + '"}\n')
    return [_source("data:parse", path="rows.jsonl", format="jsonl"), *_between("{{ .number }}")]


def _printed(folder: Path, late: int) -> list[dict[str, Any]]:
    command = """yes '{"number": 1, "name": "a name"}'"""
    return [_source("exec", command=command, stdout_to="jsonl"), *_between("{{ .number }}")]


def _flattened(folder: Path, late: int) -> list[dict[str, Any]]:
    fields = {"number": ["{{ .number }}"], "name": "{{ .name }}"}
    return [
        _source("memory:rows"),
        _workload("listed", "data:map", "source", fields=fields),
        _workload("each", "data:flatten", "listed", field="number"),
    ]


def _queried(folder: Path, late: int) -> list[dict[str, Any]]:
    return [_source("memory:rows")]


STREAMS: dict[str, Callable[[Path, int], list[dict[str, Any]]]] = {
    "endless source, map and filter": _rows,
    "endless source, map and flatten": _flattened,
    "endless source, straight to its sink": _queried,
    "data:parse of a file of 2 GB": _parsed,
    "exec with stdout_to": _printed,
}


def _source(module: str, **params: Any) -> dict[str, Any]:
    return _workload("source", module, **params)


def _between(value: str) -> list[dict[str, Any]]:
    fields = {"number": "{{ .number }}", "name": "{{ upper .name }}"}
    return [
        _workload("mapped", "data:map", "source", fields=fields),
        _workload("kept", "data:filter", "mapped", condition=f"{value} >= 0"),
    ]


def _workload(name: str, module: str, *streams: str, **params: Any) -> dict[str, Any]:
    made = {"name": name, "lifecycle": {"policy": "run_once"}}
    made["process"] = {"module": module, "params": params}
    return made | ({"stream_inputs": list(streams)} if streams else {})


def run(name: str, late: int) -> dict[str, float]:
    """Run one stream in this process; MiB after a tenth of the records, and after all."""
    from gxo.compiler.driver import Compilation, Options
    from gxo.compiler.modules.index import Root
    from gxo.runtime.host.eventloop import JobLoop
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.main import drive
    from gxo.runtime.reporting.logs import Log
    from gxo.runtime.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        workloads = STREAMS[name](Path(folder), late)
        watch = _workload(
            "watch", "memory:watch", workloads[-1]["name"], early=late // 10, late=late
        )
        workloads.append(watch | {"register": "watched"})
        document = {"name": "memory", "schemaVersion": "v1.0.0", "workloads": workloads}
        root = Root(str(Path(__file__).parent / "modules"), "tests.bench.modules")
        compilation = Compilation("memory.gxo.yaml", Options(module_roots=(root,)))
        assert compilation.read(json.dumps(document).encode()), compilation.diagnostics
        assert compilation.analyse(), compilation.diagnostics
        scope: dict[str, Any] = {"__name__": "gxo_job"}
        exec(compilation.generate(pretty=False).text, scope)
        settings = Settings()
        settings.workspace = folder
        job = Run(scope["job"], settings)
        told = io.StringIO()
        job.log = Log(job, "warning", "text", told)
        assert drive(JobLoop(grace=5.0), job) == 0, told.getvalue()
        watched: dict[str, float] = job.state["watched"]
        return watched


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
