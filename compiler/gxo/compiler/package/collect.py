"""Gathers every file of a compiled job: generated, linked from gxo, third-party, embedded.

An artifact has all of them. The folder that `gxo run` keeps leaves out gxo's own, which are
installed right there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gxo.compiler.kept import Kept, kept
from gxo.compiler.package.bytecode import cached_path, compile_module
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.host import NATIVE, native_host
from gxo.compiler.package.link import link
from gxo.compiler.package.manifest import render_manifest
from gxo.compiler.package.parts import Package

if TYPE_CHECKING:
    from gxo.compiler.package.wheels import Distribution

OURS, INCLUDED = "_gxo/", "_gxo/included/"
"""Where a job keeps what it is besides code; and of a test, that of the playbook it includes."""
ASSETS, TEMPLATES, MANIFEST = "assets/", "templates/", "manifest.json"
RESERVED = {
    "__main__",
    "gxo_job",
    "gxo_parts",
    "gxo_included",
    "_gxo",
    "gxo",
    "_bootstrap",
    "modules",
    NATIVE[:-1],
}
"""What a job has at its top. A folder `gxo_job` would be in the way of `gxo_job.py` as well."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The files of a job by their path in it, which of them are executable, and what was linked."""

    files: Mapping[str, bytes]
    executable: frozenset[str]
    distributions: "tuple[Distribution, ...]"


def collect(package: Package, whole: bool = True) -> Collected:
    """All files of the job; with `whole`, also those of gxo. Raises PackageError."""
    distributions = _distributions(package)
    facts = package.facts
    program = f"{facts.name} {package.playbook_file}"
    workloads = len(facts.workloads)
    # Apart, as what is linked changes seldom: it is then not written again. Nor is that of an
    # artifact when the job is run in between, for which nothing of gxo is linked.
    with (
        kept("files", program, workloads) as own,
        kept("linked", program, workloads, whole) as linked,
    ):
        files = _generated(package, own)
        _add_linked(files, package, distributions, linked, whole)
    native = native_host(package.facts.name, distributions) if whole else None
    if native:
        files |= of_native()
    executable = set()
    if (included := package.included) is not None:
        executable |= _add_facts(files, included, INCLUDED)
        code = {path: files[path] for path in included.sources}
        files[INCLUDED + MANIFEST] = render_manifest(included, code, (), None)
    executable |= _add_facts(files, package, OURS)
    files[OURS + MANIFEST] = render_manifest(package, files, distributions, native)
    return Collected(dict(sorted(files.items())), frozenset(executable), distributions)


def _add_facts(files: dict[str, bytes], package: Package, folder: str) -> set[str]:
    """Add what a job is besides code; returns which of these files are executable."""
    files[f"{folder}sourcemap.json"] = package.source_map.encode()
    files[f"{folder}playbook.yaml"] = package.playbook.encode()
    for path, text in package.templates.items():
        files[f"{folder}{TEMPLATES}{path}"] = text.encode()
    for path, asset in package.assets.items():
        files[f"{folder}{ASSETS}{path}"] = asset.data
    return {f"{folder}{ASSETS}{path}" for path, one in package.assets.items() if one.executable}


def _distributions(package: Package) -> "tuple[Distribution, ...]":
    if not package.needs and not package.imports:
        return ()
    from gxo.compiler.package.wheels import resolve  # start-up: few jobs need any

    found = resolve(package.needs, package.native, package.pins)
    _check_imports(package.imports, found)
    return found


def _check_imports(imports: Mapping[str, str], found: "tuple[Distribution, ...]") -> None:
    """Each package that a user's own modules import is in a distribution that is linked."""
    provided = {path.partition("/")[0].partition(".")[0] for one in found for path in one.files}
    for name, place in imports.items():
        if name not in provided:
            names = ", ".join(one.name for one in found) or "none is"
            raise PackageError(
                "GXO0523",
                f"{place}: `{name}` is imported, and what is linked has no such package: {names}",
                "declare the distribution that has it in a module's `needs`",
            )


def _generated(package: Package, known: Kept) -> dict[str, bytes]:
    """Each file of the job's own Python with its byte code."""
    files: dict[str, bytes] = {}
    for path, text in package.sources.items():
        files |= with_bytecode(path, text.encode(), known)
    return files


def _add_linked(
    files: dict[str, bytes],
    package: Package,
    distributions: "tuple[Distribution, ...]",
    known: Kept,
    whole: bool,
) -> None:
    """Add the files of distributions, and with `whole` those of gxo, with their byte code."""
    if whole:
        for path, content in link({**package.sources, **package.heads}, known).items():
            files |= with_bytecode(path, content, known)
    for one in distributions:
        _add_distribution(files, one, known)


def manifest_text(package: Package) -> str:
    """The manifest that the package's artifact would have, for `gxo compile --emit=manifest`."""
    return collect(package).files[OURS + MANIFEST].decode()


def with_bytecode(path: str, content: bytes, known: Kept) -> dict[str, bytes]:
    """The module and the `.pyc` beside it."""
    return {path: content, f"{path}c": _bytecode(path, content, known)}


def _bytecode(path: str, content: bytes, known: Kept) -> bytes:
    made_of = b"%s compiled: %s" % (path.encode(), content)
    return known.get(made_of, lambda: compile_module(content, path))


def _add_distribution(files: dict[str, bytes], one: "Distribution", known: Kept) -> None:
    """Add a distribution's files; native ones are kept apart, to be unpacked before use."""
    for path, content in one.files.items():
        place = NATIVE + path if one.native else path
        top = path.partition("/")[0].partition(".")[0]
        # What several have alike, such as an empty `tests/__init__.py`, is in nobody's way.
        if top in RESERVED or files.get(place, content) != content:
            raise PackageError("GXO0904", f"{one.name} has a file that is in the way: {path}")
        files[place] = content
        if path.endswith(".py"):
            compiled = NATIVE + cached_path(path) if one.native else f"{path}c"
            files |= _bytecode_if_valid(place, compiled, content, known)


def _bytecode_if_valid(path: str, compiled: str, content: bytes, known: Kept) -> dict[str, bytes]:
    """Distributions may have files for other Pythons, or templates that only look like Python."""
    try:
        return {compiled: _bytecode(path, content, known)}
    except (SyntaxError, ValueError):
        return {}


def of_native() -> dict[str, bytes]:
    """shiv's unpacking, as it travels in an artifact."""
    # Only jobs with native code need it, and shiv's builder takes a while to load.
    from shiv import bootstrap  # type: ignore[import-untyped]
    from shiv.builder import iter_package_files  # type: ignore[import-untyped]

    files = {
        f"_bootstrap/{name}": path.read_bytes() for path, name in iter_package_files(bootstrap)
    }
    return dict(sorted(files.items()))
