"""Copy a job's outputs out of its workspace (language, section 1).

Regular files only, no link followed on either side, each replaced in one step, nothing outside the
directory they are copied to.
"""

import errno
import fnmatch
import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gxo.runtime.errors import ModuleError, SecurityError
from gxo.runtime.workspace.workspace import Workspace

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
CHUNK = 1 << 20
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


class Copied(NamedTuple):
    """What became of the outputs: workspace paths of what was copied, and of what was left out
    because it is no regular file, both sorted; and the patterns that nothing there fits.
    """

    paths: list[str]
    left_out: list[str]
    missing: list[str]


def copy_out(workspace: Workspace, patterns: Iterable[str], directory: str) -> Copied:
    """Copy what the patterns name and what is there.

    The directory is created when it is missing. SecurityError for a name that would leave it,
    ModuleError for a folder that cannot be listed and a file that cannot be written. Blocks.
    """
    wanted = {pattern: _components(pattern) for pattern in patterns}
    regular: set[str] = set()
    others: set[str] = set()
    missing = []
    for pattern, parts in wanted.items():
        found = dict(_fitting(workspace, parts))
        regular |= {path for path, mode in found.items() if stat.S_ISREG(mode)}
        others |= {path for path, mode in found.items() if not stat.S_ISREG(mode)}
        if not found:
            missing.append(pattern)
    paths = sorted(regular)
    if paths:
        _copy_all(workspace, paths, os.path.abspath(directory))
    return Copied(paths, sorted(others), missing)


def _fitting(workspace: Workspace, parts: list[str]) -> Iterator[tuple[str, int]]:
    """Path and mode of what fits the pattern. Folders only where they are named.

    Lists no more folders than it must: others may be unreadable, or large.
    """
    is_glob = [any(one in part for one in "*?[") for part in parts]
    depth = is_glob.index(True) if True in is_glob else len(parts)
    start, rest = "/".join(parts[:depth]), parts[depth:]
    mode = _mode(workspace, start)
    if not rest:
        if mode is not None:
            yield start, mode
        return
    if mode is None or not stat.S_ISDIR(mode):
        return
    for path, status in workspace.scan(start or ".", recursive=len(rest) > 1 or "**" in rest):
        if not stat.S_ISDIR(status.st_mode) and fits(path.split("/"), rest):
            yield f"{start}/{path}" if start else path, status.st_mode


def _mode(workspace: Workspace, path: str) -> int | None:
    """The mode of what is at the path; a link's where one is on the way. None if nothing is."""
    mode = stat.S_IFDIR
    parts = path.split("/") if path else []
    for depth in range(1, len(parts) + 1):
        if stat.S_ISLNK(mode):
            return mode
        status = workspace.lstat("/".join(parts[:depth]))
        if status is None:
            return None
        mode = status.st_mode
    return mode


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


def _copy_all(workspace: Workspace, paths: list[str], directory: str) -> None:
    with _Writing(f"cannot create the folder {directory}"):
        os.makedirs(directory, exist_ok=True)
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for path in paths:
            with _Writing(f"cannot write '{path}' to {directory}"):
                _copy(workspace, path, root)
    finally:
        os.close(root)


class _Writing:
    """Turns the operating system's errors into ours, naming the file and not a temporary name."""

    def __init__(self, failure: str) -> None:
        self._failure = failure

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            hint = "name another folder by `--outputs DIR`" if error.errno in NOT_WRITABLE else None
            reason = (error.strerror or str(error)).lower()
            raise ModuleError(f"{self._failure}: {reason}", hint=hint) from error


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
