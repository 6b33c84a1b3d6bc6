"""What an artifact says of itself that is not so, or that could not be told.

Its playbook is compiled once more. What that gives is held against what is in the artifact: first
the program, then each file but assets and third-party distributions.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gxo.compiler.codegen.emit import Module
from gxo.compiler.compare.jobs import Compiled, with_header
from gxo.compiler.driver import Compilation
from gxo.compiler.package.collect import collect
from gxo.compiler.package.errors import PackageError
from gxo.compiler.trust.artifact import ASSETS, MANIFEST, Artifact
from gxo.compiler.version import VERSION

_FEW = 3


def doubts(compiled: Compiled) -> Iterator[str]:
    """Sentences that begin with what they are about; none of a playbook, nor of what is right."""
    artifact = compiled.job.artifact
    if artifact is None:
        return
    wrong = artifact.mismatches
    yield from wrong[:_FEW]
    if len(wrong) > _FEW:
        yield f"{len(wrong) - _FEW} more of its files are not what its manifest says"
    errors = [one for one in compiled.compilation.diagnostics.sorted() if one.level == "error"]
    if errors:
        yield (
            "its playbook cannot be compiled here, so that its program could not be held against"
            f" it: {errors[0].message}"
        )
    else:
        yield from _of_program(artifact, compiled)


def _of_program(artifact: Artifact, compiled: Compiled) -> Iterator[str]:
    for optimize in (True, False):
        compilation = compiled.job.again(optimize)
        module = compilation.generate()
        if _is_program(artifact.sources, module.sources):
            if artifact.manifest.gxo == VERSION:
                yield from _of_files(artifact, _files(compilation, module))
            return
    if artifact.manifest.gxo == VERSION:
        yield "its program is NOT what its playbook gives: believe the generated code alone"
    else:
        yield (
            f"gxo {artifact.manifest.gxo} has made it, and gxo {VERSION} gives another program,"
            " so that it could not be held against its playbook"
        )


def _is_program(found: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Whether the generated files are these; a user's own modules were compiled from themselves."""
    generated = {path for path in found if not path.startswith("modules/")}
    return generated == set(given) and all(
        with_header(found[path]) == with_header(given[path]) for path in given
    )


def _files(compilation: Compilation, module: Module) -> Mapping[str, bytes]:
    """The files of the artifact without distributions; none where a lock of its own is needed."""
    try:
        package = replace(compilation.package(module), needs=(), imports={}, pins={})
    except PackageError:
        return {}
    return collect(package).files


def _of_files(artifact: Artifact, given: Mapping[str, bytes]) -> Iterator[str]:
    """Say which files are others than gxo and this Python make."""
    other = [
        path
        for path, content in given.items()
        if path != MANIFEST
        and not path.startswith(ASSETS)
        and artifact.manifest.files.get(path) != hashlib.sha256(content).hexdigest()
    ]
    sources = [path for path in other if not path.endswith(".pyc")]
    if sources:
        yield f"{sources[0]} in it is not the file that gxo {VERSION} puts there"
    elif other:
        yield (
            f"{other[0]} in it is not the byte code that this Python makes of its source: another"
            " version of Python has compiled it, or somebody has changed it"
        )
