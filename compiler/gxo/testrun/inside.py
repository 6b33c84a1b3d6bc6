"""What the process of one test does: compile the playbook, run the job, tell both.

It was forked from a process that has the compiler and the runtime loaded, so nothing starts here.
What it makes is below the test's own folder, which whoever forked it removes.
"""

import gc
import hashlib
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gxo.compiler.diagnostics import Diagnostic
from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.frontend.load import FileError
from gxo.compiler.package.collect import collect
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.parts import Package
from gxo.compiler.package.run_store import write_files, write_folder
from gxo.compiler.rendering import render_text
from gxo.runtime.bundle import FolderBundle
from gxo.runtime.main import YOUNG, load
from gxo.runtime.main import main as run_job
from gxo.runtime.testing.outcome import Outcome, Teller
from gxo.testrun.points import lines, points
from gxo.testrun.results import INCLUDED


@dataclass(frozen=True, slots=True)
class Order:
    """How tests are compiled, and where their processes may write. colour: of diagnostics."""

    options: Options
    folder: str
    colour: bool = False


def run_test(path: str, order: Order, folder: str, descriptor: int) -> int:
    """Compile the test and run it; returns the exit code.

    folder: its own, not there yet. descriptor: where it tells what it does.
    """
    teller = Teller(descriptor)
    gc.disable()
    compilation = _compiled(path, order, teller)
    if compilation is None:
        return 1
    try:
        os.mkdir(folder, 0o700)
        sys.path[:0] = _laid_out(compilation, folder, order.folder)
    except PackageError as error:
        teller.tell(_refused(path, str(error)))
        return 1
    # What the compiler has left is for nobody to look through; the job is as in its artifact.
    gc.freeze()
    gc.set_threshold(YOUNG)
    gc.enable()
    started = time.perf_counter()
    sys.argv = [path, "--outputs", f"{folder}/outputs"]
    os.mkdir(f"{folder}/outputs")
    bundle = FolderBundle(f"{folder}/job")
    try:
        code = run_job(load(), bundle, sys.argv[1:], lambda run: Outcome(run, teller))
    except SystemExit:  # a user's module cannot be loaded, and that has been said
        code = 1
    teller.tell({"code": code, "seconds": time.perf_counter() - started})
    return code


def list_points(path: str, order: Order, descriptor: int) -> int:
    """Tell what there is to reach in a playbook that no test runs."""
    return 0 if _compiled(path, order, Teller(descriptor)) is not None else 1


def _compiled(path: str, order: Order, teller: Teller) -> Compilation | None:
    """The compiled test, unless it is not valid; what the compiler has found is told."""
    try:
        compilation = check(Path(path), order.options)
    except FileError as error:
        teller.tell(_refused(path, str(error)))
        return None
    found = compilation.diagnostics.sorted()
    text = render_text(found, compilation.texts, order.colour)
    valid = not compilation.diagnostics.has_errors
    known = compilation.playbook is not None and compilation.library is not None
    teller.tell(
        {
            "test": compilation.playbook.name if compilation.playbook else "",
            "compiled": valid,
            "diagnostics": text,
            "found": [_failure(one) for one in found if one.level == "error"],
            "inputs": compilation.inputs() if known else [path],
        }
    )
    if not valid:
        return None
    sys.stderr.write(text)
    teller.tell(_program(compilation))
    if compilation.included is not None:
        teller.tell({**_program(compilation.included), "of": INCLUDED})
    return compilation


def _program(compilation: Compilation) -> dict[str, Any]:
    plan, playbook = compilation.plan, compilation.playbook
    assert plan is not None and playbook is not None
    expect = playbook.test.expect if playbook.test else None
    return {
        "program": compilation.file,
        "lines": lines(plan),
        "expect": (expect.line, expect.column) if expect else (0, 0),
        "points": points(plan),
    }


def _failure(one: Diagnostic) -> dict[str, Any]:
    hint = f"\nhint: {one.hint}" if one.hint else ""
    place = {"file": one.span.file, "line": one.span.line, "column": one.span.column}
    return {"message": f"{one.message}{hint}", "code": one.code, **place}


def _refused(path: str, message: str) -> dict[str, Any]:
    found = [{"message": message, "file": path}]
    text = f"{message}\n"
    return {"test": "", "compiled": False, "diagnostics": text, "found": found, "inputs": [path]}


def _laid_out(compilation: Compilation, folder: str, shared: str) -> list[str]:
    """Write the job; returns the folders to import from. Raises PackageError."""
    package = compilation.package(compilation.generate(pretty=False))
    alone = replace(package, needs=(), imports={})
    write_folder(f"{folder}/job", alone)
    places = [f"{folder}/job"]
    if package.needs or package.imports:
        places.append(_distributions(package, alone, shared))
    return places


def _distributions(package: Package, alone: Package, shared: str) -> str:
    """The folder with the distributions that the job needs, which is made once for all tests."""
    pins = sorted((str(name), pin.version) for name, pin in package.pins.items())
    key = repr((package.needs, package.native, pins, sorted(package.imports)))
    folder = f"{shared}/linked-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if not os.path.isdir(folder):
        own = collect(alone, whole=False).files
        files = collect(package, whole=False).files
        made = f"{folder}.{os.getpid()}"
        write_files(made, {path: files[path] for path in files.keys() - own.keys()})
        try:
            os.rename(made, folder)
        except OSError:  # another test was faster
            pass
    return folder
