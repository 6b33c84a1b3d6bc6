"""The workspace for a workload that may use other paths besides (`security_context.allow_paths`).

    files = AllowedPaths(workspace, {"/etc/nginx": "ro", "/etc/nginx/sites": "rw"})
    files.read("/etc/nginx/nginx.conf", 1 << 20)         fine
    files.write("/etc/nginx/sites/shop", b"...")         fine: the longest path decides
    files.write("/etc/nginx/nginx.conf", b"...")         SecurityError
    files.read("/etc/nginx/../passwd", 1 << 20)          SecurityError, as for the workspace

A path is a folder or one file. What a reviewer reads is what is used: no link is followed on the
way to it, and none leads out of it. It is opened anew for each operation, so nothing is remembered
that could have been replaced. Not imported by a job that allows no paths.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gxo.runtime.errors import SecurityError
from gxo.runtime.workspace.beneath import DIRECTORY
from gxo.runtime.workspace.jail import Jail, Place, check_text

FOLDER = DIRECTORY | os.O_NOFOLLOW


class AllowedPaths(Jail):
    """The files of one workload; it lives as long as the jail that it extends."""

    def __init__(self, jail: Jail, allowed: Mapping[str, str]) -> None:
        """allowed: absolute path without `..` to `ro` or `rw`."""
        self.path = jail.path
        self._jail = jail
        self._name = f"{jail._name} and the allowed paths"
        self._opener = jail._opener
        self._root = -1
        self._allowed = sorted(allowed.items(), key=lambda item: -len(item[0]))

    def check_writable(self, path: str) -> None:
        allowed, access = self._find(path) or ("", "rw")
        if access != "rw" and not _is_inside(path, self.path):
            raise SecurityError(
                f"'{path}' must not be changed: this workload may only read {allowed}",
                hint="`access: rw` in security_context.allow_paths lets it write",
            )

    @contextmanager
    def _at(self, path: str, writing: bool) -> Iterator[Place]:
        found = None if _is_inside(path, self.path) else self._find(path)
        if found is None:
            with self._jail._at(path, writing) as place:
                yield place
            return
        allowed = found[0]
        if writing:
            self.check_writable(path)
        check_text(path)
        place = _enter(allowed, path[len(allowed) :].lstrip("/"), create=writing)
        try:
            yield place
        finally:
            os.close(place.root)

    def _find(self, path: str) -> tuple[str, str] | None:
        """The longest allowed path that the path is at or below, and its access."""
        return next((item for item in self._allowed if _is_inside(path, item[0])), None)


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _enter(allowed: str, rest: str, create: bool) -> Place:
    """Open the allowed folder, or that of the allowed file; the caller closes it.

    rest: what comes after the allowed path. create: make the allowed folder itself if it is missing
    and something is to be written below it.
    """
    parent, name = os.path.split(allowed)
    folder = _open_folder(parent)
    if not name:
        return Place(folder, rest or ".")
    try:
        try:
            inner = os.open(name, FOLDER, dir_fd=folder)
        except FileNotFoundError:
            if not create or not rest:
                raise
            os.mkdir(name, dir_fd=folder)
            inner = os.open(name, FOLDER, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        if not rest and not _is_link(name, folder):
            return Place(folder, name, alone=True)
        _close_and_refuse_link(folder, name, allowed)
        raise
    except BaseException:
        os.close(folder)
        raise
    os.close(folder)
    return Place(inner, rest or ".")


def _open_folder(path: str) -> int:
    """Open a folder, step by step and without following a link."""
    here = os.open("/", DIRECTORY)
    walked = ""
    for name in filter(None, path.split("/")):
        walked += f"/{name}"
        try:
            deeper = os.open(name, FOLDER, dir_fd=here)
        except OSError:
            _close_and_refuse_link(here, name, walked)
            raise
        os.close(here)
        here = deeper
    return here


def _is_link(name: str, folder: int) -> bool:
    try:
        os.readlink(name, dir_fd=folder)
    except OSError:
        return False
    return True


def _close_and_refuse_link(folder: int, name: str, path: str) -> None:
    """Close the folder; SecurityError when the name in it, which `path` leads to, is a link."""
    is_link = _is_link(name, folder)
    os.close(folder)
    if is_link:
        raise SecurityError(
            f"the allowed path {path} is a symbolic link, which is not followed",
            hint=f"name what it leads to: {os.path.realpath(path)}",
        )
