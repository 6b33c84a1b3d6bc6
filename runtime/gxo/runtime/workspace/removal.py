"""Remove a folder with all that is in it, however deep, many or write-protected, in constant space.

    work/a/b/c/file      first unlink the files of `a`, move `b` up beside it, rmdir `a`;
    work/b/c/file        then the same with `b`, and so on

Folders are moved up instead of descended into, so there are never more than three descriptors open
and no path grows long. Nothing is followed: links are unlinked, folders are opened as such or not.
"""

import errno
import os
import stat
from itertools import count, islice

from gxo.runtime.workspace.beneath import DIRECTORY

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NAMES_AT_ONCE = 1000
ATTEMPTS = 3  # a process that still runs may put new files into a folder just emptied


def remove_tree(parent: int, name: str, budget: int) -> int | None:
    """Remove the folder `name` of the folder that `parent` is a descriptor of.

    budget: how many entries may be removed or moved. Returns what is left of it, or None when
    something is still there: the budget was too small, or the system refused. A folder that is not
    there is removed already.
    """
    try:
        root = _open_folder(parent, name)
    except FileNotFoundError:
        return budget
    except OSError:
        return None
    removal = _Removal(root, budget)
    try:
        for _ in range(ATTEMPTS):
            removal.empty_root()
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError:
                continue
            return removal.budget
        return None
    finally:
        os.close(root)


class _BudgetError(Exception):
    pass


class _Removal:
    __slots__ = ("_moved", "budget", "root")

    def __init__(self, root: int, budget: int) -> None:
        self.root = root
        self.budget = budget
        prefix = os.urandom(8).hex()
        self._moved = (f".{prefix}-{number}" for number in count())

    def empty_root(self) -> None:
        """Remove what can be removed; what cannot stays, and the folder with it."""
        try:
            while self._remove_some():
                pass
        except _BudgetError:
            pass

    def _remove_some(self) -> bool:
        """Remove the first entries of the root; False when none could be."""
        progress = False
        for name, is_folder in _entries(self.root):
            try:
                if is_folder:
                    self._dissolve(name)
                else:
                    self._spend()
                    os.unlink(name, dir_fd=self.root)
            except OSError:
                continue
            progress = True
        return progress

    def _dissolve(self, name: str) -> None:
        """Unlink a folder's files, move its folders up into the root, and remove it."""
        folder = _open_folder(self.root, name)
        try:
            while entries := _entries(folder):
                for child, is_folder in entries:
                    self._spend()
                    if is_folder:
                        self._move_up(folder, child)
                    else:
                        os.unlink(child, dir_fd=folder)
        finally:
            os.close(folder)
        self._spend()
        os.rmdir(name, dir_fd=self.root)

    def _move_up(self, folder: int, child: str) -> None:
        target = next(self._moved)
        try:
            os.rename(child, target, src_dir_fd=folder, dst_dir_fd=self.root)
        except PermissionError:  # a moved folder must be writable itself: its `..` changes
            _unlock(folder, child)
            os.rename(child, target, src_dir_fd=folder, dst_dir_fd=self.root)

    def _spend(self) -> None:
        if self.budget <= 0:
            raise _BudgetError
        self.budget -= 1


def _entries(folder: int) -> list[tuple[str, bool]]:
    """The first entries of a folder: name, and whether it is a folder (a link is none)."""
    with os.scandir(folder) as listing:
        return [
            (entry.name, entry.is_dir(follow_symlinks=False))
            for entry in islice(listing, NAMES_AT_ONCE)
        ]


def _open_folder(parent: int, name: str) -> int:
    """Open a folder to list and remove its entries; its mode is changed if needed."""
    try:
        folder = os.open(name, FOLDER, dir_fd=parent)
    except PermissionError:
        _unlock(parent, name)
        return os.open(name, FOLDER, dir_fd=parent)
    if stat.S_IMODE(os.fstat(folder).st_mode) & 0o700 != 0o700:
        os.fchmod(folder, 0o700)
    return folder


def _unlock(parent: int, name: str) -> None:
    """Give the owner all rights on a folder that cannot be opened; never on a link's target."""
    handle = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{handle}", 0o700)
    except FileNotFoundError as error:  # no /proc
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), name) from error
    finally:
        os.close(handle)
