"""The stages in order. This file alone knows them all.

bytes -> tree -> Playbook -> Plan -> (each pass) -> Plan -> Module -> job.pyz
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.load import load_playbook, read_file
from gxo.compiler.frontend.playbook import Playbook
from gxo.compiler.ir.build import build
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.verify import verify
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.passes import PASSES

Dump = Callable[[str, Plan], None]


def ignore_dump(stage: str, plan: Plan) -> None:
    """The default dump: nobody asked for the plan between passes."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile. `dump` is called with "build" and with each pass's name and its plan."""

    optimize: bool = True
    verify_ir: bool = False
    native: bool = False
    dump: Dump = ignore_dump


@dataclass(slots=True)
class Compilation:
    """One playbook on its way: what is known so far, and what was said about it."""

    file: str
    options: Options = field(default_factory=Options)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    text: str = ""
    playbook: Playbook | None = None
    plan: Plan | None = None

    def read(self, data: bytes) -> bool:
        """Run the front end over the playbook's bytes; whether there is a playbook to go on with."""
        self.text = data.decode("utf-8", errors="replace")
        self.playbook = load_playbook(data, self.file, self.diagnostics)
        return self.playbook is not None

    def analyse(self) -> bool:
        """Build the plan and run the passes; whether the playbook is valid."""
        assert self.playbook is not None
        library = Library(standard_roots(), self.diagnostics)
        plan = build(self.playbook, library, self.diagnostics)
        self.options.dump("build", plan)
        for one in PASSES:
            if one.optimizes and (self.diagnostics.has_errors or not self.options.optimize):
                continue
            plan = one.run(plan, self.diagnostics)
            if self.options.verify_ir and not self.diagnostics.has_errors:
                verify(plan, one.name)
            self.options.dump(one.name, plan)
        self.plan = plan
        return not self.diagnostics.has_errors


def check(path: Path, options: Options | None = None) -> Compilation:
    """Read and analyse the playbook at the path, without generating anything.

    Raises `frontend.load.FileError` when there is no such readable file.
    """
    compilation = Compilation(str(path), options or Options())
    if compilation.read(read_file(path)):
        compilation.analyse()
    return compilation


def working_on(compilation: Compilation | None) -> Span | None:
    """The place that a crash report names: the playbook as a whole when nothing nearer is known."""
    return compilation.playbook.span if compilation and compilation.playbook else None
