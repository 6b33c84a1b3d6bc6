"""Keeps what `gxo run` has compiled, so that `run_cache.find` finds it the next time."""

import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gxo.compiler.package.bytecode import cached_path
from gxo.compiler.package.collect import collect
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.host import NATIVE
from gxo.compiler.package.link import roots
from gxo.compiler.package.parts import Package
from gxo.compiler.package.run_cache import (
    OWN,
    content_digest,
    describe,
    entry_name,
    header,
    write_index,
)
from gxo.runtime.host.folders import cache_folder, hold, sweep

PARTS_OF_GXO = ("cli", "compiler", "runtime", "stdlib")
CODE = (".py", ".json", ".lark", ".j2", ".txt")

COARSE = 20_000_000
"""Nanoseconds by which a file's time may lag behind the clock."""


def store(
    playbook: str, flags: Sequence[str], package: Package, inputs: Iterable[str], started: int
) -> str:
    """Write the compiled job to the cache; its folder is returned, and stays as in `find`.

    inputs: every file that it was made from besides gxo's own, and every folder whose listing
    matters; those that were looked for and not found too. started: `time.time_ns()` before the
    first of them was read. One that changed since is not what was compiled, so then the job is
    not found again. Raises ArtifactError when the cache is not private, PackageError when it
    cannot be written and as `collect` does.
    """
    collected = collect(package, whole=False)
    root = cache_folder(os.environ, "run")
    name = entry_name(playbook, flags)
    folder = os.path.join(root, f"{name}.{secrets.token_hex(8)}")
    try:
        os.mkdir(f"{folder}.new", 0o700)
        hold(f"{folder}.new")
        own = _write(f"{folder}.new", collected.files, collected.executable)
        os.rename(f"{folder}.new", folder)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PackageError("GXO0901", f"cannot write to the cache folder {root}: {why}") from None
    made_from = [os.path.abspath(path) for path in (playbook, *inputs)] + list(_files_of_gxo())
    if not any(_changed_since(path, started - COARSE) for path in made_from):
        lines = [
            *header(playbook, flags, os.path.basename(folder)),
            *(describe(os.path.join(folder, path), OWN) for path in own),
            *(describe(path, content_digest(path)) for path in sorted(set(made_from))),
        ]
        write_index(os.path.join(root, name), lines)
    sweep(root, f"{name}.", keep=os.path.basename(folder))
    return folder


def write_folder(folder: str, package: Package) -> None:
    """Write the compiled job to a new folder, for a run without the cache.

    gxo's own modules are not in it: they are installed. Raises PackageError.
    """
    collected = collect(package, whole=False)
    write_files(folder, collected.files, collected.executable)


def write_files(folder: str, files: Mapping[str, bytes], executable: Collection[str] = ()) -> None:
    """Write files of an artifact to a new folder, as a `FolderBundle` reads them.

    Raises PackageError.
    """
    try:
        os.mkdir(folder, 0o700)
        _write(folder, files, executable)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PackageError("GXO0901", f"cannot write to {folder}: {why}") from None


def _write(folder: str, files: Mapping[str, bytes], executable: Collection[str]) -> list[str]:
    """Write the files to an empty folder, as a `FolderBundle` reads them; returns their paths."""
    written = []
    for path, content in files.items():
        place = _place(path)
        target = os.path.join(folder, place)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "xb") as file:
            file.write(content)
        if path in executable:
            os.chmod(target, 0o700)
        written.append(place)
    return written


def _place(path: str) -> str:
    """Where a file of an artifact is in a folder: there, Python looks for a `.pyc` elsewhere."""
    if path.startswith(NATIVE):
        return path.removeprefix(NATIVE)
    return cached_path(path[:-1]) if path.endswith(".pyc") else path


def _changed_since(path: str, moment: int) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return max(status.st_mtime_ns, status.st_ctime_ns) >= moment


def _files_of_gxo() -> Iterator[str]:
    for root in roots():
        for part in PARTS_OF_GXO:
            for folder, _, names in os.walk(os.path.join(root, part)):
                yield from (os.path.join(folder, name) for name in names if name.endswith(CODE))
