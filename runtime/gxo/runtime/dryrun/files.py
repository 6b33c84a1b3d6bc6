"""The workspace in a dry run: what is there, and over it what would have been written.

    files = ForeseenFiles(workspace, changes)
    files.write("out/users.csv", b"id\\n1\\n")       nothing is written
    files.read("out/users.csv", 1 << 20)            b"id\\n1\\n", what would be there
    files.read("build/site.css", 1 << 20)           Unknown, when it is missing and a command that
                                                    was not run may have made it

A file that is there, and that nothing has announced to change, is read as it is.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gxo.runtime.errors import ModuleError, Unknown
from gxo.runtime.workspace.jail import WRITING, Jail

MOST_KEPT = 16 << 20
"""Bytes of one file that are kept for those that read it."""


class Changes:
    """What would have been changed by the workloads so far, by absolute path.

    contents: None where it is not known. removed: files, and folders with all that was in them.
    anything: a command that may have written any file.
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes | None] = {}
        self.modes: dict[str, int | None] = {}
        self.removed: set[str] = set()
        self.anything = False


class ForeseenStatus:
    """`os.stat_result` of a file that is not there yet: its mode and size, if known."""

    def __init__(self, path: str, mode: int | None, content: bytes | None) -> None:
        self._path = path
        if mode is not None:
            self.st_mode = stat.S_IFREG | mode
        if content is not None:
            self.st_size = len(content)

    def __getattr__(self, name: str) -> Any:
        raise Unknown(f"the {name.removeprefix('st_')} of '{self._path}'")


class ForeseenFiles(Jail):
    """The files of one workload in a dry run. Whatever a module does with it changes nothing."""

    def __init__(self, jail: Jail, changes: Changes) -> None:
        self.path = jail.path
        self._name = jail._name
        self._root = -1
        self._jail = jail
        self._changes = changes

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        if flags & WRITING:
            raise Unknown(f"what would be written to '{path}'")
        if self._is_as_it_is(path):
            return self._jail.open(path, flags, mode)
        with tempfile.TemporaryFile() as file:
            file.write(self._content(path))
            file.seek(0)
            return os.dup(file.fileno())

    def read(self, path: str, max_bytes: int) -> bytes:
        if self._is_as_it_is(path):
            return self._jail.read(path, max_bytes)
        content = self._content(path)
        if len(content) > max_bytes:
            raise ModuleError(f"cannot read '{path}': it has more than {max_bytes} bytes")
        return content

    def write(self, path: str, data: bytes | Iterable[bytes], mode: int | None = None) -> int:
        """Remember what would be there, and return its bytes."""
        return self._keep(path, data, mode)

    def append(self, path: str, data: bytes | Iterable[bytes], mode: int | None = None) -> int:
        """Remember what would be there, and return the bytes that are new."""
        added = data if isinstance(data, bytes) else b"".join(data)
        before: bytes | None = b""
        try:
            if self.exists(path):
                mode, before = None, self.read(path, MOST_KEPT)
        except (Unknown, ModuleError):
            before = None
        self._keep(path, None if before is None else before + added, mode)
        return len(added)

    def lose(self, path: str) -> None:
        """What would be in the file is not known."""
        self._keep(path, None, None)

    @contextmanager
    def entry(self, path: str) -> Iterator[tuple[int, str]]:
        """The entry as it is: a link can be read, and nothing changes in a dry run."""
        if not self._is_as_it_is(path):
            raise Unknown(f"what '{path}' is")
        with self._jail.entry(path) as found:
            yield found

    def remove(self, path: str) -> None:
        """From now on it is not there, nor is what was in it."""
        key = self._key(path)
        for changed in [one for one in self._changes.contents if f"{one}/".startswith(f"{key}/")]:
            del self._changes.contents[changed]
        self._changes.removed.add(key)

    def lstat(self, path: str) -> os.stat_result | None:
        """As `stat` of what would be there; None if nothing would."""
        if self._key(path) in self._changes.contents:
            return self.stat(path)
        there = None if self._is_removed(path) else self._jail.lstat(path)
        return there or (self.stat(path) if self.exists(path) else None)

    def stat(self, path: str) -> os.stat_result:
        if self._is_as_it_is(path):
            return self._jail.stat(path)
        key = self._key(path)
        return ForeseenStatus(  # type: ignore[return-value]  # as much of it as is known
            path, self._changes.modes[key], self._changes.contents[key]
        )

    def exists(self, path: str, verb: str = "read") -> bool:
        if self._key(path) in self._changes.contents or self._is_folder_of_changes(path):
            return True
        there = self._jail.exists(path, verb)  # one that leaves is refused, whatever was removed
        if self._is_removed(path):
            return False
        if there:
            return True
        if self._changes.anything:
            raise Unknown(f"whether '{path}' is there")
        return False

    def scan(self, path: str, recursive: bool = False) -> Iterator[tuple[str, os.stat_result]]:
        changes = self._changes
        if (
            changes.anything
            or self._key(path) in changes.contents
            or self._is_folder_of_changes(path)
        ):
            raise Unknown(f"what is in the folder '{path}'")
        if self._is_removed(path):
            with self._jail.doing("list", path):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        found = self._jail.scan(path, recursive)
        return (entry for entry in found if not self._is_removed(os.path.join(path, entry[0])))

    def make_directory(self, path: str) -> None:
        self._jail.exists(path)  # a path that leaves is refused

    def resolve(self, path: str) -> str:
        if not self._jail.exists(path) and self.exists(path):
            raise Unknown(f"the folder '{path}'")
        return self._jail.resolve(path)

    def _is_as_it_is(self, path: str) -> bool:
        """Whether the disk has it as it would be. Unknown when it would be made before."""
        if self._key(path) in self._changes.contents:
            return False
        if not self._jail.exists(path) and self.exists(path):
            raise Unknown(f"the folder '{path}'")
        if self._is_removed(path):
            with self._jail.doing("read", path):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return True

    def _is_removed(self, path: str) -> bool:
        key = self._key(path)
        return any(f"{key}/".startswith(f"{one}/") for one in self._changes.removed)

    def _content(self, path: str) -> bytes:
        content = self._changes.contents[self._key(path)]
        if content is None:
            raise Unknown(f"the content of '{path}'")
        return content

    def _keep(self, path: str, data: bytes | Iterable[bytes] | None, mode: int | None) -> int:
        self._check_place(path)
        written = 0
        kept: list[bytes] | None = None if data is None else []
        for piece in [data] if isinstance(data, bytes) else data or ():
            written += len(piece)
            if kept is not None:
                kept.append(piece)
            if written > MOST_KEPT:
                kept = None
        key = self._key(path)
        self._changes.contents[key] = None if kept is None else b"".join(kept)
        self._changes.modes[key] = mode
        return written

    def _check_place(self, path: str) -> None:
        """Refuse what a file cannot be written to, with the errors of `Jail.write`."""
        self._jail.check_writable(path)
        with self._jail.doing("write", path):
            if self._jail.exists(path):
                if stat.S_ISDIR(self._jail.stat(path).st_mode):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                return
            folder = os.path.dirname(path)
            while folder and not self._jail.exists(folder):
                folder = os.path.dirname(folder)
            if folder and not stat.S_ISDIR(self._jail.stat(folder).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def _is_folder_of_changes(self, path: str) -> bool:
        folder = self._key(path) + "/"
        return any(changed.startswith(folder) for changed in self._changes.contents)

    def _key(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.path, path))
