"""What an artifact says of itself that is not so, or that could not be told.

Its playbook is compiled once more. What that gives is held against what is in the artifact: first
the program, then the manifest's facts, then each file but assets and third-party distributions.
"""

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from gxo.compiler.codegen.emit import Module
from gxo.compiler.compare.jobs import Compiled, InvalidError, unpacked, with_header
from gxo.compiler.driver import Compilation
from gxo.compiler.package import collect
from gxo.compiler.package.archive import start_script
from gxo.compiler.package.host import NATIVE
from gxo.compiler.trust.artifact import ASSETS, INCLUDED, MANIFEST, Artifact, Doubt
from gxo.compiler.trust.errors import ArtifactError
from gxo.compiler.trust.manifest import Manifest, read_manifest
from gxo.compiler.version import VERSION

_FEW = 3
_SAME = ("playbook", "workloads", "modules", "secrets", "environment", "accepted")
"""Of a manifest, besides the effects, what its playbook alone decides."""


_APART = (MANIFEST, INCLUDED + collect.MANIFEST, ASSETS, INCLUDED + collect.ASSETS)
"""What is looked at apart, and what the playbook does not say."""


def doubts_of(artifact: Artifact) -> Iterator[Doubt]:
    """What is to be doubted of an artifact's file besides the mismatches."""
    try:
        with tempfile.TemporaryDirectory(prefix="gxo-doubts-") as folder:
            yield from _beyond(artifact, unpacked(artifact, Path(folder)).compile())
    except InvalidError as error:
        yield from _invalid(error.compilation)
    except ArtifactError as error:
        yield Doubt(error.message)


def doubts(compiled: Compiled) -> Iterator[str]:
    """Sentences that begin with what they are about; none of a playbook, nor of what is right."""
    artifact = compiled.job.artifact
    if artifact is not None:
        yield from _few(artifact.mismatches)
        yield from (one.text for one in _beyond(artifact, compiled))


def _few(mismatches: tuple[str, ...]) -> Iterator[str]:
    """The first ones, and how many more there are."""
    yield from mismatches[:_FEW]
    if len(mismatches) > _FEW:
        yield f"{len(mismatches) - _FEW} more of its files are not what its manifest says"


def _beyond(artifact: Artifact, compiled: Compiled) -> Iterator[Doubt]:
    if compiled.compilation.diagnostics.has_errors:
        yield from _invalid(compiled.compilation)
        return
    made_by = artifact.manifest.gxo
    for compilation in _at_each_level(compiled):
        module = compilation.generate()
        if _is_program(artifact.sources, compilation.program(module)):
            if made_by == VERSION:
                yield from _of_files(artifact, _files(compilation, module, artifact.manifest))
            else:
                yield Doubt(
                    f"gxo {made_by} has made it, whose runtime gxo {VERSION} does not know", False
                )
            return
    if made_by == VERSION:
        yield Doubt("its program is NOT what its playbook gives: believe the generated code alone")
    else:
        yield Doubt(
            f"gxo {made_by} has made it, and gxo {VERSION} gives another program,"
            " so that it could not be held against its playbook",
            False,
        )


def _at_each_level(compiled: Compiled) -> Iterator[Compilation]:
    """The playbook as it is compiled by default, then, if it comes to that, as `-O0` does."""
    yield compiled.compilation
    yield compiled.job.unoptimized()


def _invalid(compilation: Compilation) -> Iterator[Doubt]:
    errors = [one for one in compilation.diagnostics.sorted() if one.level == "error"]
    yield Doubt(
        "its playbook cannot be compiled here, so that its program could not be held against"
        f" it: {errors[0].message}",
        False,
    )


def _is_program(found: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Whether the files are these, whichever gxo made them."""
    return found.keys() == given.keys() and all(
        with_header(found[path]) == with_header(given[path]) for path in given
    )


def _files(compilation: Compilation, module: Module, manifest: Manifest) -> Mapping[str, bytes]:
    """The files of the artifact but those of distributions."""
    files = collect.collect(compilation.package(module, linked=False)).files
    return {**files, **collect.of_native()} if manifest.native else files


def _of_files(artifact: Artifact, given: Mapping[str, bytes]) -> Iterator[Doubt]:
    """Say what is another than gxo and this Python make."""
    yield from _of_manifest(artifact.manifest, read_manifest(given[MANIFEST]))
    if artifact.included and INCLUDED + collect.MANIFEST in given:
        of_included = read_manifest(given[INCLUDED + collect.MANIFEST])
        yield from _of_manifest(artifact.included.manifest, of_included)
    found = artifact.manifest.files
    other = [
        path
        for path, content in given.items()
        if not path.startswith(_APART) and found.get(path) != hashlib.sha256(content).hexdigest()
    ]
    sources = [path for path in other if not path.endswith(".pyc")]
    if artifact.start and artifact.start != hashlib.sha256(start_script()).hexdigest():
        sources.append("__main__.py")
    if sources:
        yield Doubt(f"{sources[0]} in it is not the file that gxo {VERSION} puts there")
    elif other:
        yield Doubt(
            f"{other[0]} in it is not the byte code that this Python makes of its source: another"
            " version of Python has compiled it, or somebody has changed it",
            False,
        )
    for path in sorted(found.keys() - given.keys()):
        if not path.startswith(_APART) and _is_in_the_way(path, artifact.manifest):
            yield Doubt(f"{path} in it is a file that gxo {VERSION} does not put there")
            return


def _is_in_the_way(path: str, manifest: Manifest) -> bool:
    """Whether no distribution can have brought the file: it would be run instead of another."""
    top = path.removeprefix(NATIVE).partition("/")[0].partition(".")[0]
    return not manifest.distributions or top in collect.RESERVED or top in sys.stdlib_module_names


def _of_manifest(found: Manifest, given: Manifest) -> Iterator[Doubt]:
    """Say what the playbook gives and the manifest has not, or the other way round.

    How the job was compiled decides which distributions there are besides.
    """
    before, now = set(given.touched), set(found.touched)
    more = {one for one in now - before if one.kind != "distributions"}
    for word, others in (("does not tell", before - now), ("makes up", more)):
        if others:
            first = min(others)
            yield Doubt(f"its manifest {word} that it touches {first.kind}: {first.what}")
    for name in _SAME:
        if getattr(found, name) != getattr(given, name):
            yield Doubt(f"its manifest's {name} is NOT what its playbook gives")
