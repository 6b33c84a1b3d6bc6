"""An artifact as values: its manifest, its playbook and its program. Nothing of it is run.

    artifact = read_artifact(Path("job.pyz"))
    artifact.manifest.effects     what it says that it touches
    artifact.sources["gxo_job.py"]
    artifact.mismatches           where its files are not what its manifest says of them

Who made the file wrote the manifest too: that both agree says nothing about who that was.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gxo.compiler.package import collect
from gxo.compiler.package.included import OF_INCLUDED
from gxo.compiler.trust.archive import Archive
from gxo.compiler.trust.errors import ArtifactError
from gxo.compiler.trust.manifest import Manifest, read_manifest
from gxo.compiler.trust.typed import load_json

PLAYBOOKS = (".yaml", ".yml")
"""How the names of playbooks end; any other file is an artifact."""

MANIFEST, ASSETS = collect.OURS + collect.MANIFEST, collect.OURS + collect.ASSETS
PLAYBOOK, SOURCE_MAP, START = "_gxo/playbook.yaml", "_gxo/sourcemap.json", "__main__.py"
OURS, INCLUDED = collect.OURS, collect.INCLUDED
GENERATED = ("gxo_job.py", "gxo_parts/", "gxo_included/", "modules/")
"""The program: what was generated, and a user's own modules."""

MOST = 64 << 20
"""Bytes of any file that is kept, and of the program as a whole."""


class Written(NamedTuple):
    """A playbook: its file, its text, and the line of each workload."""

    file: str
    text: str
    lines: Mapping[str, int]


class Doubt(NamedTuple):
    """A sentence on what an artifact says of itself. is_wrong: it is not so; else nobody knows."""

    text: str
    is_wrong: bool = True


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is known of a job that was compiled.

    file: how it was named.
    sources: the program's Python files by their path in the artifact. playbook: what it was made
    from; templates: its template files. included: of a test, what is there of the playbook that it
    includes, without a program. sha256, size: of the artifact's file; one that was compiled in
    memory has none.
    start: the hash of its start script. mismatches: sentences, one for each file that is not what
    the manifest says. doubts: what `gxo.compiler.compare.doubts` has found besides.
    """

    file: str
    manifest: Manifest
    playbook: Written
    sources: Mapping[str, str]
    templates: Mapping[str, str]
    included: "Artifact | None" = None
    sha256: str = ""
    size: int = 0
    start: str = ""
    mismatches: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def place(self, workload: str) -> tuple[Written, int]:
        """The playbook that the workload of an effect is in, and its line; that of a step's owner.

        What the included playbook touches is of `included/NAME` (`gxo.compiler.package.included`).
        """
        written, name = self.playbook, workload
        if self.included and workload.startswith(OF_INCLUDED):
            written, name = self.included.playbook, workload.removeprefix(OF_INCLUDED)
        return written, written.lines.get(name) or written.lines.get(name.partition(".")[0], 0)


def read_artifact(path: Path) -> Artifact:
    """Read the artifact at the path, and hold its files against its manifest.

    Raises ArtifactError: there is no such file, it is no artifact, or no safe one to read.
    """
    try:
        with open(_opened(path), "rb") as file:
            return _read(str(path), file)
    except OSError as error:
        raise ArtifactError((error.strerror or str(error)).lower()) from None


def from_files(
    file: str, files: Mapping[str, bytes], playbook_file: str = "", included_file: str = ""
) -> Artifact:
    """The artifact that has these files. Raises ArtifactError when some are missing or damaged.

    playbook_file, included_file: what the playbooks are called, if not as it says.
    """
    try:
        manifest = read_manifest(files[MANIFEST])
        return Artifact(
            file,
            manifest,
            _written(files, OURS, playbook_file or manifest.playbook.file),
            {path: data.decode() for path, data in sorted(files.items()) if _is_program(path)},
            _templates(files, OURS),
            _included(files, included_file),
        )
    except KeyError as error:
        raise ArtifactError(f"it has no {error.args[0]}") from None
    except UnicodeDecodeError:
        raise ArtifactError("a Python file of its program is no text") from None


def _included(files: Mapping[str, bytes], file: str) -> Artifact | None:
    if INCLUDED + collect.MANIFEST not in files:
        return None
    manifest = read_manifest(files[INCLUDED + collect.MANIFEST])
    name = file or manifest.playbook.file
    written = _written(files, INCLUDED, name)
    return Artifact(name, manifest, written, {}, _templates(files, INCLUDED))


def _written(files: Mapping[str, bytes], folder: str, file: str) -> Written:
    text = files[f"{folder}playbook.yaml"].decode(errors="replace")
    return Written(file, text, _lines(files[f"{folder}sourcemap.json"]))


def _templates(files: Mapping[str, bytes], folder: str) -> dict[str, str]:
    start = folder + collect.TEMPLATES
    return {
        path.removeprefix(start): data.decode(errors="replace")
        for path, data in sorted(files.items())
        if path.startswith(start)
    }


def _opened(path: Path) -> int:
    """A descriptor of the file; one of a pipe, which is refused later, opens at once."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _read(name: str, file: BinaryIO) -> Artifact:
    archive = Archive(file)
    kept = [MANIFEST, PLAYBOOK, SOURCE_MAP, *filter(_is_kept, archive.entries)]
    kept = [path for path in kept if path in archive.entries]
    if sum(archive.entries[path].size for path in kept) > 4 * MOST:
        raise ArtifactError("its program is too large to be read")
    files = {path: archive.read(path, MOST) for path in kept}
    artifact = from_files(name, files)
    return replace(
        artifact,
        sha256=archive.sha256,
        size=archive.size,
        start=_sha256(archive, START) if START in archive.entries else "",
        mismatches=tuple(_mismatches(archive, artifact.manifest)),
    )


def _is_kept(path: str) -> bool:
    of_included = path.startswith(INCLUDED) and not path.startswith(INCLUDED + collect.ASSETS)
    return _is_program(path) or of_included or path.startswith(OURS + collect.TEMPLATES)


def _is_program(path: str) -> bool:
    return path.endswith(".py") and path.startswith(GENERATED)


def _lines(data: bytes) -> dict[str, int]:
    """The playbook's line of each workload, of those that the source map has one for."""
    source_map = load_json(data, "source map")
    lines = source_map.get("workloads") if isinstance(source_map, dict) else None
    found = lines.items() if isinstance(lines, dict) else ()
    return {name: line for name, line in found if type(line) is int and line > 0}


def _mismatches(archive: Archive, manifest: Manifest) -> Iterator[str]:
    """Each difference between the files and what the manifest says of them, in order."""
    declared = manifest.files
    found = {name: _sha256(archive, name) for name in archive.entries if name != MANIFEST}
    for name in sorted(declared.keys() | found.keys() - {START}):
        if name not in found:
            yield f"{name} is in the manifest and not in the artifact"
        elif name not in declared:
            yield f"{name} is in the artifact and not in the manifest"
        elif found[name] != declared[name]:
            yield f"{name} has another hash than the manifest says"
    if next(iter(archive.entries)) != START:
        yield f"{START} is not its first file"
    same = {
        "the playbook": (PLAYBOOK, manifest.playbook.sha256),
        **{f"the asset {one.path}": (ASSETS + one.path, one.sha256) for one in manifest.assets},
    }
    for what, (path, digest) in same.items():
        if found.get(path) != digest:
            yield f"{what} has another hash than the manifest says"


def _sha256(archive: Archive, name: str) -> str:
    digest = hashlib.sha256()
    for piece in archive.pieces(name):
        digest.update(piece)
    return digest.hexdigest()
