"""Copy a job's outputs out of its workspace (language, section 1).

Regular files only, no link followed on either side, each replaced in one step, nothing outside the
directory they are copied to.
"""

import fnmatch
import os
import stat
from collections.abc import Iterable

from gxo.runtime.errors import SecurityError
from gxo.runtime.workspace.workspace import Workspace

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
CHUNK = 1 << 20


def copy_out(workspace: Workspace, patterns: Iterable[str], directory: str) -> list[str]:
    """Copy what the patterns name and what is there; returns the workspace paths, sorted.

    The directory is created when it is missing. SecurityError for a name that would leave it,
    OSError when a file cannot be written. Blocks.
    """
    wanted = [_components(pattern) for pattern in patterns]
    found = sorted(
        path
        for path, status in workspace.scan(".", recursive=True)
        if stat.S_ISREG(status.st_mode) and any(fits(path.split("/"), parts) for parts in wanted)
    )
    if found:
        os.makedirs(directory, exist_ok=True)
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for path in found:
                _copy(workspace, path, root)
        finally:
            os.close(root)
    return found


def fits(parts: list[str], wanted: list[str]) -> bool:
    """Whether a path fits a pattern, both by component. `**` is any folders; dot-files by name."""
    if not wanted:
        return not parts
    hidden = bool(parts) and parts[0].startswith(".")
    if wanted[0] == "**":
        deeper = bool(parts) and not hidden and fits(parts[1:], wanted)
        return deeper or fits(parts, wanted[1:])
    if not parts or (hidden and not wanted[0].startswith(".")):
        return False
    return fnmatch.fnmatchcase(parts[0], wanted[0]) and fits(parts[1:], wanted[1:])


def _components(pattern: str) -> list[str]:
    parts = pattern.split("/")
    if pattern.startswith("/") or ".." in parts:
        raise SecurityError(f"the output '{pattern}' would leave the directory it is copied to")
    return [part for part in parts if part not in ("", ".")]


def _copy(workspace: Workspace, path: str, root: int) -> None:
    """Copy one file below the open directory `root`: a temporary name beside it, then a rename."""
    *folders, name = path.split("/")
    folder = os.dup(root)
    try:
        for part in folders:
            outer, folder = folder, _enter(folder, part)
            os.close(outer)
        source = workspace.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            _write(source, folder, name)
        finally:
            os.close(source)
    finally:
        os.close(folder)


def _enter(folder: int, part: str) -> int:
    """Open a folder inside another one, made when it is missing."""
    try:
        os.mkdir(part, 0o777, dir_fd=folder)
    except FileExistsError:
        pass
    return os.open(part, FOLDER, dir_fd=folder)


def _write(source: int, folder: int, name: str) -> None:
    temporary = f".{name}.{os.getpid()}.tmp"
    mode = stat.S_IMODE(os.fstat(source).st_mode) & 0o777
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    target = os.open(temporary, flags, mode, dir_fd=folder)
    try:
        try:
            while chunk := os.read(source, CHUNK):
                while chunk:
                    chunk = chunk[os.write(target, chunk) :]
            os.fsync(target)
        finally:
            os.close(target)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
