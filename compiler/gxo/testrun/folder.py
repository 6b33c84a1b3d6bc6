"""The folder in which the tests of one run write, and what runs that were killed have left.

    /tmp/gxo-test-k3v9x2ab/
      lock            held with flock by the living run; the kernel lets go when it dies
      workspaces/     of the tests' jobs
      0/ 1/ ...       each test's own

The next run of the same user finds the lock free and removes the folder.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

PREFIX, LOCK = "gxo-test-", "lock"
_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def fresh_folder() -> Iterator[str]:
    """A folder of this process alone, which goes with all in it at the end."""
    _sweep(tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix=PREFIX)
    lock = _locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked(folder: str) -> int:
    """The lock, which has its name only once it is held: so no sweep takes it for a dead one's."""
    taken = os.path.join(folder, f"{LOCK}.new")
    lock = os.open(taken, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(taken, os.path.join(folder, LOCK))
    return lock


def _sweep(parent: str) -> None:
    """Remove this user's folders there that have a lock which nobody holds."""
    for entry in list(os.scandir(parent)):
        if not entry.name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
            continue
        try:
            lock = os.open(os.path.join(entry.path, LOCK), os.O_RDWR | _NO_LINK)
        except OSError:  # another user's, something else, or gone meanwhile
            continue
        try:
            if os.fstat(lock).st_uid == entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(entry.path, ignore_errors=True)
        except OSError:  # it is held: that run lives
            continue
        finally:
            os.close(lock)
