"""Where workspaces are made, and whether nobody else can meddle with what is made there.

$GXO_WORKSPACES             if it is set
/var/lib/gxo/workspaces     if this user may write there (root creates it)
~/.local/state/gxo/workspaces, or below $XDG_STATE_HOME
"""

import errno
import os
import stat
from collections.abc import Mapping

from gxo.runtime.errors import UsageError
from gxo.runtime.workspace.beneath import DIRECTORY

SYSTEM = "/var/lib/gxo/workspaces"
HINT = "set GXO_WORKSPACES to an absolute path that only you can write to"


def open_place(environment: Mapping[str, str], system: str = SYSTEM) -> tuple[str, int]:
    """The folder for workspaces, created if missing, and a descriptor of it (the caller closes it).

    Every folder on the way is opened without following links, must belong to this user or root, and
    must not be writable by others (unless sticky, like /tmp). UsageError, which says what is wrong.
    """
    path, private = choose(environment, system)
    here = os.open("/", DIRECTORY)
    walked = ""
    try:
        for name in path.strip("/").split("/"):
            walked += "/" + name
            here = _enter(here, name, walked)
        if private and not os.access(path, os.W_OK | os.X_OK):
            raise UsageError(f"cannot make workspaces in {path}: it is not writable", hint=HINT)
    except BaseException:
        os.close(here)
        raise
    return path, here


def choose(environment: Mapping[str, str], system: str) -> tuple[str, bool]:
    """The path by the rules above, normalized, and whether it was not yet known to be writable."""
    chosen = environment.get("GXO_WORKSPACES")
    if chosen:
        if not chosen.startswith("/") or ".." in chosen.split("/"):
            raise UsageError(f"GXO_WORKSPACES is no absolute path: {chosen}", hint=HINT)
        return os.path.normpath(chosen).replace("//", "/"), True
    if _may_write(system):
        return system, False
    state = environment.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        home = environment.get("HOME") or os.path.expanduser("~")
        if not home.startswith("/"):
            raise UsageError("cannot make a workspace: this user has no home folder", hint=HINT)
        state = home + "/.local/state"
    # A home folder may well be reached through links; what they lead to is checked all the same.
    return os.path.realpath(state) + "/gxo/workspaces", True


def _may_write(path: str) -> bool:
    """Whether the folder can be written, or created because the next one up can."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.access(path, os.W_OK | os.X_OK)


def _enter(parent: int, name: str, path: str) -> int:
    """Open the next folder on the way, created if missing, and close its parent."""
    try:
        try:
            here = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        except FileNotFoundError:
            _make(parent, name)
            here = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as error:
        raise UsageError(f"cannot make a workspace: {_why(path, error)}", hint=HINT) from error
    status = os.fstat(here)
    complaint = None
    if status.st_uid not in (0, os.geteuid()):
        complaint = "belongs to another user"
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX:
        complaint = "can be written by others"
    if complaint is not None:
        os.close(here)
        raise UsageError(f"cannot make a workspace: {path} {complaint}", hint=HINT)
    os.close(parent)
    return here


def _make(parent: int, name: str) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:  # another job was faster
        pass


def _why(path: str, error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR) and os.path.islink(path):
        return f"{path} is a symbolic link to {os.path.realpath(path)}"
    return f"{path}: {(error.strerror or str(error)).lower()}"
