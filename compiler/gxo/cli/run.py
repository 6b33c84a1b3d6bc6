"""`gxo run`: compile a playbook, unless nothing changed since the last time, and execute it.

The way of an unchanged playbook imports the runtime and a small index reader, nothing of the
compiler, so that it starts as fast as its artifact.
"""

import os
import sys

from gxo.cli.exits import INVALID, USAGE
from gxo.compiler.package.run_cache import find
from gxo.compiler.version import VERSION
from gxo.runtime.bundle import FolderBundle
from gxo.runtime.errors import ArtifactError
from gxo.runtime.main import load
from gxo.runtime.main import main as run_job

USAGE_TEXT = """\
usage: gxo run [-O0] [--native] [--otel] [--module-path DIR] PLAYBOOK [JOB OPTION ...]

Compile a playbook, if it changed, and execute it.

  -O0                leave out optimizations
  --native           use distributions with native code for speed
  --otel             link OpenTelemetry, so that the job can send traces
  --module-path DIR  a folder of your own modules, besides `modules/` beside the playbook;
                     can be given several times

Options after the playbook go to the job; `gxo run PLAYBOOK --help` lists them.
"""
FLAGS = ("-O0", "--native", "--otel")
MODULE_PATH = "--module-path"


class Stop(Exception):  # noqa: N818 - it carries an exit code; what is wrong is said already
    """The job cannot be run; everything is said, and `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def main(arguments: list[str]) -> int:
    flags: list[str] = []
    paths: list[str] = []
    while arguments and arguments[0].startswith("-"):
        flag, *arguments = arguments
        if flag in ("-h", "--help"):
            sys.stdout.write(USAGE_TEXT)
            return 0
        if flag == MODULE_PATH and arguments:
            folder, *arguments = arguments
            flag = f"{MODULE_PATH}={folder}"
        if flag.startswith(f"{MODULE_PATH}="):
            folder = flag.removeprefix(f"{MODULE_PATH}=")
            if not os.path.isdir(folder):
                sys.stderr.write(f"gxo: there is no folder {folder}\n")
                return USAGE
            paths.append(f"{MODULE_PATH}={os.path.abspath(folder)}")
        elif flag in FLAGS:
            flags.append(flag)
        else:
            sys.stderr.write(f"gxo: `gxo run` has no option {flag!r} before the playbook\n")
            return USAGE
    if not arguments:
        sys.stderr.write(USAGE_TEXT)
        return USAGE
    playbook, *options = arguments
    try:
        folder = _folder(playbook, [*sorted(flags), *paths])
    except Stop as stop:
        return stop.code
    sys.path.insert(0, folder)
    return run_job(load(), FolderBundle(folder), options)


def _folder(playbook: str, flags: list[str]) -> str:
    """The folder with the compiled job: from the cache, or compiled now. Raises Stop."""
    try:
        cached = find(playbook, [VERSION, *flags])
    except ArtifactError as error:
        sys.stderr.write(f"gxo: warning: {error}; compiling without it\n")
        return _compiled(playbook, flags, caching=False)
    return cached or _compiled(playbook, flags, caching=True)


def _compiled(playbook: str, flags: list[str], caching: bool) -> str:
    from gxo.cli.compile_to_run import compile_to_folder  # the compiler: only when needed

    folder, code = compile_to_folder(playbook, flags, caching)
    if folder is None:
        raise Stop(code or INVALID)
    return folder
