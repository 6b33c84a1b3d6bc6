"""Folders that outlive a process, and that a job believes: nobody else may change them.

    ~/.cache/gxo/run/nightly-1f0c...      what `gxo run` has compiled
    ~/.cache/gxo/native/nightly-9ab2...   native code that an artifact has unpacked
    /var/lib/deploys/2026-11-26           a job's journal

A folder is refused, never repaired, when a link leads to it, or when another user owns it or could
write to it or to a folder above it.
"""

import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from gxo.runtime.errors import ArtifactError

HINT = "set XDG_CACHE_HOME to an absolute path that only you can write to"


class Use(NamedTuple):
    """What a folder is for, as messages call it, and what to do when it is refused."""

    name: str
    hint: str


CACHE = Use("cache folder", HINT)


def cache_folder(environment: Mapping[str, str], *names: str) -> str:
    """The folder `names` in gxo's own cache, created if missing, mode 0700.

    It is below $XDG_CACHE_HOME if that is an absolute path, else below ~/.cache. Raises
    ArtifactError, which says what is wrong, when it cannot be made or others could change it.
    """
    base = environment.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(environment.get("HOME") or os.path.expanduser("~"), ".cache")
        if not base.startswith("/"):
            raise ArtifactError("this user has no home folder to keep a cache in", hint=HINT)
    above, name = os.path.split(os.path.normpath(base))
    # A home folder may well be reached through links; what they lead to is checked all the same.
    path = _made_folders(os.path.realpath(above) + "/" + name, CACHE)
    for part in ("gxo", *names):
        path += "/" + part
        _make(path, True, CACHE)
    return path


def private_folder(path: str, use: Use) -> str:
    """The folder, created if missing, mode 0700, by its path without links.

    ArtifactError, which says what is wrong, when it cannot be made or others could change it. The
    folders above it are made too, and checked likewise.
    """
    above, name = os.path.split(os.path.abspath(path))
    above = _made_folders(os.path.realpath(above), use)
    path = f"{above}/{name}"
    _make(path, True, use)
    return path


def is_there(path: str, private: bool = True, use: Use = CACHE) -> bool:
    """Whether there is a folder at the path. ArtifactError when others could change what is in it.

    Checking by name is enough: whoever could swap the name was refused one folder further up.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(path, error, use) from error
    complaint = _complaint(status, private)
    if complaint is not None:
        raise ArtifactError(f"the {use.name} {path} is not used: it {complaint}", hint=use.hint)
    return True


def _made_folders(path: str, use: Use) -> str:
    """The folder and all above it, which others may see but not change."""
    made = ""
    for part in filter(None, path.split("/")):
        made += "/" + part
        _make(made, False, use)
    return made


def _make(path: str, private: bool, use: Use) -> None:
    if is_there(path, private, use):
        return
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        is_there(path, private, use)  # made by another process meanwhile
    except OSError as error:
        raise _unusable(path, error, use) from error


def _unusable(path: str, error: OSError, use: Use) -> ArtifactError:
    why = (error.strerror or str(error)).lower()
    return ArtifactError(f"the {use.name} {path} cannot be used: {why}", hint=use.hint)


def _complaint(status: os.stat_result, private: bool) -> str | None:
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "is no folder"
    if status.st_uid not in ((os.geteuid(),) if private else (0, os.geteuid())):
        return "belongs to another user"
    if private and mode & 0o077:
        return f"lets others in by its mode {mode:04o}, which must be 0700"
    if mode & 0o022 and not mode & stat.S_ISVTX:
        return "can be written by others"
    return None


def hold(folder: str) -> int | None:
    """Keep the folder from being swept while this process lives; None when it has just gone.

    Returns a descriptor that holds the lock until it is closed, also if the folder is renamed.
    """
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        if os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return None


def sweep(parent: str, prefix: str, keep: str) -> None:
    """Remove the folders in `parent` whose names start so, but not `keep` and none that is held.

    Those that end in `.tmp` are being written by somebody.
    """
    import fcntl
    import shutil

    for name in sorted(os.listdir(parent)):
        if name == keep or not name.startswith(prefix) or name.endswith(".tmp"):
            continue
        path = os.path.join(parent, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # no folder, or gone meanwhile
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass  # a running job uses it
        finally:
            os.close(descriptor)
