"""Test playbooks and what they include, compiled and run in this process."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gxo.compiler.codes import Example, complete
from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.package.run_store import write_folder
from gxo.compiler.rendering import render_text
from gxo.runtime.bundle import FolderBundle
from gxo.runtime.main import load, main
from tests.reports import read_report

PLAYBOOK, TEST = "deploy.gxo.yaml", "tests/deploy.test.gxo.yaml"
GENERATED = ("gxo_job", "gxo_parts", "gxo_included", "modules")


@dataclass(frozen=True, slots=True)
class Ran:
    """exit_code: of the test. report: its own, in which `included` has what the playbook did."""

    exit_code: int
    report: dict[str, Any]

    @property
    def included(self) -> Any:
        return self.report["workload_results"]["included"].get("summary")


def write(folder: Path, case: Mapping[str, Any]) -> Path:
    """Write a case's files: `playbook` (completed), `test`, and `files`. Returns the test."""
    files = {**case.get("files", {}), TEST: case["test"]}
    if "playbook" in case:
        files[PLAYBOOK] = complete(Example("yaml", case["playbook"]))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / TEST


def compiled(test: Path, *, optimize: bool = True) -> Compilation:
    """The compilation of a test that is right, but perhaps for warnings."""
    compilation = check(test, Options(optimize=optimize, verify_ir=True))
    found = compilation.diagnostics
    assert not found.has_errors, render_text(found.sorted(), compilation.texts)
    return compilation


def run(compilation: Compilation, folder: Path, options: Sequence[str] = ()) -> Ran:
    """Run a compiled test; the folder gets the job and the report."""
    job = folder / "job"
    write_folder(str(job), compilation.package(compilation.generate(pretty=False)))
    report = folder / "report.json"
    with importing(job):
        code = main(load(), FolderBundle(str(job)), ["--report", str(report), *options])
    return Ran(code, read_report(report) if report.exists() else {})


@contextmanager
def importing(job: Path) -> Iterator[None]:
    """Let the job be imported, and nothing of the one before."""
    _forget()
    sys.path.insert(0, str(job))
    try:
        yield
    finally:
        sys.path.remove(str(job))
        _forget()


def _forget() -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] in GENERATED:
            del sys.modules[name]
