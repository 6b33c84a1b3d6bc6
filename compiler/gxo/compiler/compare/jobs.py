"""The jobs that are compared, each a playbook or an artifact, compiled in memory.

    sync.gxo.yaml    its playbook; its program is what that gives
    sync.pyz         the playbook in it, compiled once more; its program is what it really has

An artifact is not believed that its program is what its playbook gives: `doubts.py` looks.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation, Options
from gxo.compiler.frontend.load import load_playbook, read_file
from gxo.compiler.frontend.playbook import Playbook, WorkloadDecl
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.passes import PASSES
from gxo.compiler.trust.artifact import PLAYBOOKS, Artifact, read_artifact
from gxo.compiler.trust.errors import ArtifactError

_MEANT = [one.name for one in takewhile(lambda one: not one.optimizes, PASSES)][-1]
"""The pass after which a plan says what the playbook means, and nothing of how that is done."""

_HEADER = re.compile(r"compiled by gxo \S+ from .*?\. Change the playbook, not this file\.")
T = TypeVar("T")


class InvalidError(Exception):
    """A playbook with errors, which are in its compilation."""

    def __init__(self, compilation: Compilation) -> None:
        super().__init__(compilation.file)
        self.compilation = compilation


@dataclass(frozen=True, slots=True)
class Job:
    """One of the two. name: how it was named; path: its playbook; artifact: None of a playbook."""

    name: str
    path: Path
    data: bytes
    module_path: tuple[str, ...] = ()
    artifact: Artifact | None = None

    def read(self) -> Compilation:
        """The playbook as its author wrote it. Raises InvalidError."""
        return self._read(optimize=True)[0]

    def compile(self, like: Playbook | None = None) -> "Compiled":
        """Compile it; with its keys in the order of the other playbook. Raises InvalidError."""
        compilation, meaning = self._read(optimize=True)
        assert compilation.playbook is not None
        if like and not self.artifact:
            compilation.playbook = _in_order_of(compilation.playbook, like)
        compilation.analyse()
        invalid = compilation.diagnostics.has_errors
        if meaning.plan is None or (invalid and not self.artifact):
            raise InvalidError(compilation)
        if self.artifact:
            return Compiled(self, compilation, meaning.plan, self.artifact.sources)
        program = compilation.program(compilation.generate())
        return Compiled(self, compilation, meaning.plan, program)

    def unoptimized(self) -> Compilation:
        """The playbook of an artifact, compiled without optimizations."""
        compilation, _ = self._read(optimize=False)
        compilation.analyse()
        return compilation

    def _read(self, optimize: bool) -> "tuple[Compilation, _Meaning]":
        meaning = _Meaning()
        options = Options(
            optimize=optimize, dump=meaning, module_path=self.module_path, locked=True
        )
        compilation = Compilation(str(self.path), options)
        if not compilation.read(self.data):
            raise InvalidError(compilation)
        return compilation, meaning


@dataclass(frozen=True, slots=True)
class Compiled:
    """A job with what it means, and the Python that it runs, by its path in the artifact."""

    job: Job
    compilation: Compilation
    meaning: Plan
    program: Mapping[str, str]

    @property
    def plan(self) -> Plan:
        """The plan after all passes."""
        assert self.compilation.plan is not None
        return self.compilation.plan


class _Meaning:
    """Keeps the plan before it is optimized."""

    def __init__(self) -> None:
        self.plan: Plan | None = None

    def __call__(self, stage: str, plan: Plan) -> None:
        if stage == _MEANT:
            self.plan = plan


def find_job(path: Path, folder: Path, module_path: tuple[str, ...]) -> Job:
    """The job of a playbook, or of an artifact, whose playbook is laid into the folder.

    Raises FileError and ArtifactError.
    """
    if path.suffix in PLAYBOOKS:
        return Job(str(path), path, read_file(path), module_path)
    return unpacked(read_artifact(path), folder)


def unpacked(artifact: Artifact, folder: Path) -> Job:
    """The job of an artifact, whose playbook is laid into the folder. Raises ArtifactError."""
    include = _include(artifact)
    home = folder.joinpath(*["below"] * include.split("/").count(".."))
    name = artifact.manifest.playbook.file
    playbook = _below(home, name if "/" not in name else "playbook.gxo.yaml")
    _lay_beside(home, artifact, artifact)
    if include and artifact.included:
        path = Path(os.path.normpath(home / include))
        _lay_beside(path.parent, artifact.included, artifact)
        _lay(path.parent, path.name, artifact.included.playbook.text)
    return Job(artifact.file, playbook, artifact.playbook.text.encode(), (), artifact)


def _include(artifact: Artifact) -> str:
    """The path of the playbook that a test includes, below some folder; "" if there is none."""
    playbook = load_playbook(artifact.playbook.text.encode(), artifact.playbook.file, Diagnostics())
    name = playbook.test.include if playbook and playbook.test else None
    return name.text if name and not name.text.startswith("/") else ""


def _lay_beside(folder: Path, playbook: Artifact, whole: Artifact) -> None:
    """Lay what the playbook needs into its folder: modules, template files and assets."""
    folder.mkdir(parents=True, exist_ok=True)
    for module, text in whole.sources.items():
        if module.startswith("modules/"):
            _lay(folder, module, text)
    for asset in playbook.manifest.assets:
        _lay(folder, asset.path, "")  # whether it is there is all that compiling asks
    for name, text in playbook.templates.items():
        _lay(folder, name, text)


def with_header(text: str, of: str = "") -> str:
    """A generated file that is said to be made by the same gxo, and of the same file, as another.

    of: that one; else it says neither.
    """
    header = _HEADER.search(of)
    return _HEADER.sub(lambda _: header[0] if header else "", text, count=1)


def _in_order_of(playbook: Playbook, other: Playbook) -> Playbook:
    """The playbook with its inputs, vars and parameters in the order of the other one's.

    Their order means nothing, and generated code keeps it.
    """
    order = {one.name.text: one for one in _decls(other)}

    def ordered(decl: WorkloadDecl) -> WorkloadDecl:
        like = order.get(decl.name.text)
        if not like or not like.params or not decl.params:
            return decl
        keys = [entry.key.text.value for entry in like.params.entries]
        entries = _sorted_as(decl.params.entries, keys, lambda entry: entry.key.text.value)
        return replace(decl, params=replace(decl.params, entries=entries))

    def deep(decl: WorkloadDecl) -> WorkloadDecl:
        steps, block = tuple(map(ordered, decl.steps)), tuple(map(ordered, decl.on_failure))
        return replace(ordered(decl), steps=steps, on_failure=block)

    inputs = [one.name.text for one in other.inputs]
    names = [one.name.text for one in other.vars]
    return replace(
        playbook,
        inputs=_sorted_as(playbook.inputs, inputs, lambda one: one.name.text),
        vars=_sorted_as(playbook.vars, names, lambda one: one.name.text),
        workloads=tuple(map(deep, playbook.workloads)),
        cleanup=tuple(map(ordered, playbook.cleanup)),
    )


def _decls(playbook: Playbook) -> Iterator[WorkloadDecl]:
    for decl in (*playbook.workloads, *playbook.cleanup):
        yield from (decl, *decl.steps, *decl.on_failure)


def _sorted_as(items: tuple[T, ...], order: list[str], name: Callable[[T], str]) -> tuple[T, ...]:
    """The items with those of the order's names in this order, and all others where they were."""
    rank = {word: place for place, word in enumerate(order)}
    known = (item for item in items if name(item) in rank)
    following = iter(sorted(known, key=lambda item: rank[name(item)]))
    return tuple(next(following) if name(item) in rank else item for item in items)


def _lay(folder: Path, name: str, text: str) -> None:
    path = _below(folder, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError):
        raise ArtifactError(f"no file can be called {name!r}") from None


def _below(folder: Path, name: str) -> Path:
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise ArtifactError(f"it has a file outside of itself: {name!r}")
    return folder / name
