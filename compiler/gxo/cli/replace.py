"""A file's new contents in place of the old ones: all of them or, whatever happens, none.

The new contents are complete on the disk, under another name in the same folder, before one rename
gives them the file's name; so a reader, or a machine that stops, meets the old file or the new one.
"""

import os
import stat
import tempfile
from contextlib import suppress

BACKUP_ENDING = ".bak"


class ReplaceError(Exception):
    """A file that stays as it is; said for the user."""


def replace_file(path: str, before: bytes, after: bytes) -> str:
    """Replace the contents `before` of the file, and keep them beside it; returns that file's name.

    Mode and owner stay. Raises ReplaceError: the path is a link or no regular file, its contents
    are not `before` any more, there is a backup with other contents, or the folder refuses.
    """
    backup = path + BACKUP_ENDING
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            target = os.path.realpath(path)
            raise ReplaceError(f"{path} is a symbolic link; name the file itself: {target}")
        if not stat.S_ISREG(status.st_mode):
            raise ReplaceError(f"{path} is not a regular file")
        if _contents(path) != before:
            raise ReplaceError(f"{path} has just been changed; try again")
        if not os.path.lexists(backup):
            _put(backup, before, status)
        elif os.path.islink(backup) or _contents(backup) != before:
            raise ReplaceError(f"{backup} is there already and is not the same text; move it away")
        _put(path, after, status)
    except OSError as error:
        raise ReplaceError(f"cannot rewrite {path}: {error.strerror}") from error
    return backup


def _contents(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read()


def _put(path: str, contents: bytes, status: os.stat_result) -> None:
    """Give a file its contents, with the mode and owner of `status`, in one step."""
    folder, name = os.path.split(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(contents)
            file.flush()
            with suppress(PermissionError):  # only root can give a file away
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync(folder)


def _sync(folder: str) -> None:
    """Have the folder's new entry on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
