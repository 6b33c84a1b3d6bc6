"""The folder a job works in: fresh, private, locked while the job lives, removed when it ends.

    /var/lib/gxo/workspaces/
      3f9c...e1/          mode 0700; commands start in it
      3f9c...e1.lock      held with flock by the living job; the kernel lets go when it dies

A job that was killed leaves both behind. The next one of the same user finds the lock free and
sweeps the folder away; a lock that is held is never touched, whatever process ids say.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping

from gxo.runtime.errors import ModuleError, UsageError, WorkloadError
from gxo.runtime.workspace.jail import Jail
from gxo.runtime.workspace.places import HINT, open_place
from gxo.runtime.workspace.removal import remove_tree

Asset = tuple[str, int, bytes]
"""Workspace path, permission bits, content."""

LOCK = ".lock"
LOCKING = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC

# What a start may spend on what others left: a few milliseconds in an ordinary case, some tenths of
# a second at worst. What is over stays for the next one.
LOCKS_TO_TRY = 64
ENTRIES_TO_SWEEP = 10_000
# Only so that a process that never stops creating files cannot keep a job from ending.
ENTRIES_TO_REMOVE = 100_000_000


class Workspace(Jail):
    """A jail with a lifetime. Make one with `create` or `existing`, end it with `remove`."""

    def __init__(self, path: str, lease: "Lease | None") -> None:
        """lease: what owns a fresh folder; None for one that stays."""
        super().__init__(path)
        self._lease = lease

    @classmethod
    def create(cls, environment: Mapping[str, str]) -> "Workspace":
        """A fresh folder, mode 0700, random name, below $GXO_WORKSPACES or its defaults; locked.

        Also sweeps a bounded amount of what killed jobs of the same user left there.
        UsageError when no safe place for it is found.
        """
        place, descriptor = open_place(environment)
        try:
            sweep(descriptor)
            lease = Lease.take(descriptor)
        except OSError as error:
            os.close(descriptor)
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot make a workspace in {place}: {reason}", hint=HINT) from error
        return cls(f"{place.rstrip('/')}/{lease.name}", lease)

    @classmethod
    def existing(cls, directory: str) -> "Workspace":
        """The folder of `--workspace DIR`, which stays. UsageError if it is no folder."""
        path = os.path.realpath(directory)
        try:
            return cls(path, None)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot use the workspace {directory}: {reason}") from error

    def lay_out(self, assets: Iterable[Asset]) -> None:
        """Write the assets with their modes. Blocks.

        In an existing folder a file that is there already must be the same, else UsageError; then
        nothing has been written.
        """
        for path, mode, content in self.missing(assets):
            try:
                self.write(path, content, mode)
            except WorkloadError as error:
                raise UsageError(f"cannot lay out an asset: {error}", hint=error.hint) from error

    def missing(self, assets: Iterable[Asset]) -> list[Asset]:
        """The assets that `lay_out` would write. UsageError as there."""
        return [asset for asset in assets if self._lease is not None or self._lacks(asset)]

    def remove(self) -> bool:
        """Remove a fresh folder, give up its lock, and close the jail. Blocks.

        Returns False if something in it could not be removed: the next job tries again. Harmless
        when repeated.
        """
        self.close()
        lease, self._lease = self._lease, None
        return lease is None or lease.end()

    def _lacks(self, asset: Asset) -> bool:
        path, _mode, content = asset
        try:
            if not self.exists(path):
                return True
            same = self.read(path, len(content)) == content
        except ModuleError:  # longer, or no regular file
            same = False
        except WorkloadError as error:
            raise UsageError(f"cannot lay out an asset: {error}", hint=error.hint) from error
        if not same:
            raise UsageError(
                f"the asset '{path}' would replace a different file in {self.path}",
                hint="move that file away, or use another --workspace",
            )
        return False


class Lease:
    """A fresh folder and the lock that says that its job is alive."""

    __slots__ = ("_lock", "_place", "name")

    def __init__(self, place: int, name: str, lock: int) -> None:
        """Takes over both descriptors."""
        self.name = name
        self._place = place
        self._lock = lock

    @classmethod
    def take(cls, place: int) -> "Lease":
        """Make a folder under a new name. The lock is there, and held, before the folder is."""
        while True:
            name = os.urandom(16).hex()
            lock = os.open(name + LOCK, LOCKING | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=place)
            if _lock_nowait(lock, place, name):
                break
            os.close(lock)  # another job's sweep was faster; it removes the lock file
        try:
            os.mkdir(name, 0o700, dir_fd=place)
        except OSError:
            os.unlink(name + LOCK, dir_fd=place)
            os.close(lock)
            raise
        return cls(place, name, lock)

    def end(self) -> bool:
        """Remove folder and lock; False, with the lock file left for a sweep, if that failed."""
        try:
            return _remove(self._place, self.name, ENTRIES_TO_REMOVE) is not None
        except OSError:
            return False
        finally:
            os.close(self._lock)
            os.close(self._place)


def sweep(place: int) -> None:
    """Remove the folders of this user's dead jobs, as far as the bounds allow.

    place: descriptor of the folder that the workspaces are in.
    """
    entries = ENTRIES_TO_SWEEP
    for name in _some_locks(place):
        try:
            lock = os.open(name + LOCK, LOCKING, dir_fd=place)
        except OSError:  # gone meanwhile, or another user's
            continue
        try:
            if os.fstat(lock).st_uid == os.geteuid() and _lock_nowait(lock, place, name):
                left = _remove(place, name, entries)
                if left is None:  # out of bounds, or it resists: later jobs try again
                    return
                entries = left
        finally:
            os.close(lock)


def _some_locks(place: int) -> list[str]:
    """The names of workspaces that have a lock file; where there are many, some at random."""
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
    try:
        names = [name[: -len(LOCK)] for name in os.listdir(listing) if name.endswith(LOCK)]
    finally:
        os.close(listing)
    if len(names) > LOCKS_TO_TRY:
        start = int.from_bytes(os.urandom(4), "big") % len(names)
        names = (names[start:] + names[:start])[:LOCKS_TO_TRY]
    return names


def _lock_nowait(lock: int, place: int, name: str) -> bool:
    """Lock the open lock file if nobody holds it and it still is the one in the folder."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = os.stat(name + LOCK, dir_fd=place, follow_symlinks=False)
    except (BlockingIOError, FileNotFoundError):
        return False
    return os.path.samestat(there, os.fstat(lock))


def _remove(place: int, name: str, entries: int) -> int | None:
    """Remove a folder and then its lock file, which must be held. As `remove_tree`."""
    left = remove_tree(place, name, entries)
    if left is not None:
        os.unlink(name + LOCK, dir_fd=place)
    return left
