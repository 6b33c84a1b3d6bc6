"""Thousands of runs in one process leave neither memory nor descriptors, threads or folders behind."""

import gc
import io
import os
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from gxo.compiler.driver import Options, check
from gxo.runtime import Job
from gxo.runtime.main import main
from tests.proof.figure import Figure

RUNS, WARM = 5000, 200
MOST_MIB = 8
"""What the allocator may keep: a leak of 2 KiB a run would be 10."""

PLAYBOOK = """\
name: soak
schemaVersion: v1.0.0
vars: {limit: 10}
workloads:
  - name: numbers
    lifecycle: {policy: run_once}
    process: {module: data:generate_from_list, params: {items: [{n: 5}, {n: 15}, {n: 25}]}}
  - name: large
    lifecycle: {policy: run_once}
    stream_inputs: [numbers]
    process: {module: data:filter, params: {condition: "{{ .n }} > {{ .limit }}"}}
  - name: kept
    lifecycle: {policy: run_once}
    stream_inputs: [large]
    process: {module: data:format, params: {format: csv, path: kept.csv}}
    register: kept
  - name: each
    lifecycle: {policy: run_once}
    loop: [1, 2, 3]
    loop_control: {parallel: 2}
    when: "{{ .kept.records == 2 }}"
    ignore_errors: true
    process: {module: control:assert, params: {condition: "{{ .item < 3 }}"}}
finally:
  - name: end
    process: {module: control:assert, params: {condition: "{{ .limit == 10 }}"}}
"""


def prove(scale: float) -> Iterator[Figure]:
    runs = max(1, round(RUNS * scale))
    with TemporaryDirectory() as folder:
        os.environ["GXO_WORKSPACES"] = folder
        job = compiled()
        for _ in range(WARM):
            run(job)
        before = held(folder)
        for _ in range(runs):
            run(job)
        after = held(folder)
    yield Figure("runs in one process", runs)
    yield Figure("more resident memory afterwards, MiB", after[0] - before[0], MOST_MIB)
    kinds = ("descriptors", "threads", "workspaces")
    for what, now, then in zip(kinds, after[1:], before[1:], strict=True):
        yield Figure(f"more {what} afterwards", now - then, 0)


def compiled() -> Job:
    """The playbook's job, as its artifact would load it."""
    with TemporaryDirectory() as folder:
        playbook = Path(folder) / "soak.gxo.yaml"
        playbook.write_text(PLAYBOOK)
        module = check(playbook, Options()).generate()
    scope: dict[str, object] = {"__name__": "gxo_job"}
    exec(compile(module.text, "gxo_job.py", "exec"), scope)
    job = scope["job"]
    assert isinstance(job, Job)
    return job


def run(job: Job) -> None:
    """From the options to the exit code, as the artifact does."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = main(job, argv=["--report", os.devnull])
    assert code == 0, said.getvalue()


def held(workspaces: str) -> tuple[float, int, int, int]:
    """MiB of resident memory, open descriptors, threads, and folders of workspaces."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    mebibytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    descriptors = len(os.listdir("/proc/self/fd"))
    return mebibytes, descriptors, threading.active_count(), len(os.listdir(workspaces))
