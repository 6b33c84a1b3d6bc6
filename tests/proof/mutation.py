"""A mistake put into the kernel, one at a time, fails one of the kernel's tests.

Each survivor is told when it is found. One is a missing test, or a change that nobody can notice.
"""

import importlib.abc
import importlib.machinery
import os
import random
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import hypothesis  # noqa: F401 - loaded once, here, and not in each child
import pytest
import yaml  # noqa: F401

from tests.proof.figure import Figure
from tests.proof.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "runtime" / "gxo" / "runtime" / "kernel"
CHANGED = ("retry", "blocks", "ending", "loops", "node", "instance", "scheduler", "stall")
TESTS = [
    *(f"tests/runtime/kernel/test_{name}.py" for name in ("cases", "context", "order")),
    "tests/runtime/kernel/test_report.py",
    "tests/runtime/journal/test_cases.py",
    "tests/runtime/streams",
]
"""Those that run in one process; the quickest to find something come first."""
PROCESSOR_SECONDS, SECONDS = 60, 600
"""What a mutant may take before it counts as noticed; the tests need 5 seconds of a processor."""
AT_ONCE = os.cpu_count() or 1


def prove(scale: float) -> Iterator[Figure]:
    assert outcome(child("none", None)), "the tests fail without any change"
    every = [
        (name, mutant)
        for name in CHANGED
        for mutant in mutants((KERNEL / f"{name}.py").read_text(encoding="utf-8"))
    ]
    chosen = random.Random(1).sample(every, max(1, round(len(every) * scale)))
    survivors = 0
    for name, mutant in surviving(sorted(chosen, key=lambda one: (one[0], one[1].line))):
        survivors += 1
        print(f"survived: {name}.py:{mutant.line}: {mutant.before}  ->  {mutant.after}", flush=True)
    yield Figure("mistakes made in the kernel", len(chosen))
    yield Figure("of them unnoticed, per cent", 100 * survivors / len(chosen))


def surviving(chosen: Sequence[tuple[str, Mutant]]) -> Iterator[tuple[str, Mutant]]:
    """The mutants with which every test passes; some run at once."""
    for start in range(0, len(chosen), AT_ONCE):
        group = chosen[start : start + AT_ONCE]
        children = [child(name, mutant) for name, mutant in group]
        for one, passed in zip(group, [outcome(process) for process in children], strict=True):
            if passed:
                yield one


def child(name: str, mutant: Mutant | None) -> int:
    """A process that runs the tests with the changed module; its number."""
    process = os.fork()
    if process:
        return process
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    for loaded in [module for module in sys.modules if module.partition(".")[0] == "gxo"]:
        del sys.modules[loaded]
    if mutant is not None:
        sys.meta_path.insert(0, Changed(f"gxo.runtime.kernel.{name}", mutant))
    os.chdir(ROOT)
    options = ["-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "0"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is loaded above
    os._exit(int(pytest.main([*options, *TESTS])))


def outcome(process: int) -> bool:
    """Whether every test passed in the process, once it has ended."""
    _, status = os.waitpid(process, 0)
    return status == 0


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant instead of the module."""

    def __init__(self, module: str, mutant: Mutant) -> None:
        self.module, self.mutant = module, mutant

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.tree, f"<{self.module}>", "exec"), module.__dict__)
