"""The slow way of `gxo run`: compile the playbook into the cache, or into a folder of its own."""

import atexit
import shutil
import sys
import tempfile
import time
from pathlib import Path

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.output import show, show_lock
from gxo.compiler.driver import Options, check
from gxo.compiler.frontend.load import FileError
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.parts import Package
from gxo.compiler.package.run_store import store, write_folder
from gxo.compiler.version import VERSION


def compile_to_folder(playbook: str, flags: list[str], caching: bool) -> tuple[str | None, int]:
    """The compiled job's folder; or None and the exit code, after saying what is wrong."""
    started = time.time_ns()
    options = Options(
        optimize="-O0" not in flags,
        native="--native" in flags,
        otel="--otel" in flags,
        module_path=tuple(
            flag.partition("=")[2] for flag in flags if flag.startswith("--module-path=")
        ),
    )
    try:
        compilation = check(Path(playbook), options)
        show([compilation], "text")
        if compilation.diagnostics.has_errors:
            return None, INVALID
        package = compilation.package(compilation.generate(pretty=False))
        show_lock(compilation)
        # Without an entry in the cache each run compiles, and so warns of the deprecated form.
        if not caching or compilation.is_deprecated:
            return _temporary_folder(package), OK
        return store(playbook, [VERSION, *flags], package, compilation.inputs(), started), OK
    except (FileError, PackageError) as error:
        print(f"gxo: {error}", file=sys.stderr)
        return None, USAGE


def _temporary_folder(package: Package) -> str:
    """A private folder with the job, removed when the process ends."""
    parent = tempfile.mkdtemp(prefix="gxo-run-")
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    folder = str(Path(parent) / "job")
    write_folder(folder, package)
    return folder
