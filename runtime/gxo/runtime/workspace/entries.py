"""What can be done to an entry of a folder besides reading and writing it.

    remove(jail, "build", tree=True)            rm -r build
    make_link(jail, "current", "releases/7")    ln -sfn releases/7 current
    set_mode(jail, "bin/run", 0o755)            chmod 0755 bin/run
    set_owner(jail, "bin/run", 0, -1)           chown -h root bin/run

As with all of a jail, an entry is reached by descriptors, so nothing can be put in its place
between the check of a path and its use. All of it blocks; modules call it by `ctx.thread`.
"""

import errno
import os
import posixpath
import stat
from itertools import pairwise

from gxo.runtime.workspace.beneath import O_PATH
from gxo.runtime.workspace.jail import Jail
from gxo.runtime.workspace.removal import remove_tree

NO_LIMIT = 1 << 62


def remove(jail: Jail, path: str, *, tree: bool = False) -> None:
    """Remove a file, a link itself, an empty folder, or with `tree` a folder and all that is in it.

    ModuleError when something of it cannot be removed; SecurityError when it is outside.
    """
    with jail.doing("remove", path), jail.entry(path) as (folder, name):
        if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            os.unlink(name, dir_fd=folder)
        elif not tree:
            os.rmdir(name, dir_fd=folder)
        elif remove_tree(folder, name, NO_LIMIT) is None:
            raise OSError(errno.EACCES, "something in it cannot be removed")


def make_link(jail: Jail, path: str, target: str) -> None:
    """Make a symbolic link, or replace one, atomically.

    SecurityError for a target that leads out. ModuleError when something else than a link is there.
    """
    with jail.doing("link", path):
        check_target(jail, path, target)
        with jail.entry(path) as (folder, name):
            temporary = f".gxo-{os.urandom(8).hex()}.tmp"
            os.symlink(target, temporary, dir_fd=folder)
            try:
                if not _is_link_or_missing(folder, name):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.unlink(temporary, dir_fd=folder)
                raise


def check_target(jail: Jail, path: str, target: str) -> None:
    """OSError EXDEV when a link at `path` to `target` would lead out, or when that is unsure.

    An absolute target leads out.
    """
    if path.startswith(jail.path + "/"):
        path = path[len(jail.path) + 1 :]
    reached = posixpath.join(posixpath.dirname(path), target)
    if not target or leads_out(reached) or turns_back(target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def leads_out(path: str) -> bool:
    """Whether a path leads out of the folder that it is relative to, by its names."""
    reached = posixpath.normpath(path)
    return reached == ".." or reached.startswith(("../", "/"))


def turns_back(target: str) -> bool:
    """Whether a link's target goes up after a name: names do not say where that leads, if one of
    them is a link's.

    With `x` a link in `d/e` to `../..`, `d/e/x/..` is the folder above all of them, and not `d/e`.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    return any(after == ".." != before for before, after in pairwise(parts))


def link_target(jail: Jail, path: str) -> str:
    """What the link itself says. ModuleError when there is none."""
    with jail.doing("read the link", path), jail.entry(path) as (folder, name):
        return os.readlink(name, dir_fd=folder)


def set_mode(jail: Jail, path: str, bits: int) -> None:
    """Give a file or folder its permission bits; a link inside is followed."""
    descriptor = jail.open(path, O_PATH)
    try:
        with jail.doing("change the mode of", path):
            # What only names a file cannot be changed itself, but by its name in /proc.
            os.chmod(f"/proc/self/fd/{descriptor}", bits)
    finally:
        os.close(descriptor)


def set_owner(jail: Jail, path: str, user: int, group: int) -> None:
    """Give an entry, a link itself, to a user and a group; -1 leaves one as it is."""
    with jail.doing("change the owner of", path), jail.entry(path) as (folder, name):
        os.chown(name, user, group, dir_fd=folder, follow_symlinks=False)


def _is_link_or_missing(folder: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode)
    except FileNotFoundError:
        return True
