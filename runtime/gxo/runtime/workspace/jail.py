"""Files below one folder, and nothing else: every path is resolved without leaving it.

    jail.read("out/report.txt", 1 << 20)     fine
    jail.read("../other/secret", 1 << 20)    SecurityError
    jail.write("link-to-etc/passwd", b"")    SecurityError, also when the link appears meanwhile

Operations work on descriptors that `beneath` has opened, so nothing can change between the check of
a path and its use.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from gxo.runtime.errors import ModuleError, SecurityError, WorkloadError
from gxo.runtime.workspace.beneath import DIRECTORY, MAX_LINKS, O_PATH, Opener, best_opener

WORKSPACE = "the workspace"
MAY_BE_ASSET = "a file beside the playbook is in the workspace only if `assets` names it"
MAX_PATH = 4095  # bytes; the kernel's limit, held by both backends
MAX_DEPTH = 256  # folders in folders that `scan` enters; each holds two descriptors
CHUNK = 1 << 20

# Opening must not wait for the other end of a FIFO, nor take a terminal.
REGULAR = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Place(NamedTuple):
    """Where a path is looked up: below the folder that `root` is open on, at `path`.

    alone: nothing else of the folder may be reached, so that no link is followed.
    """

    root: int
    path: str
    alone: bool = False


class Jail:
    """A folder that paths cannot leave. All operations block; modules call them by `ctx.thread`.

    A path is relative to the folder, or absolute and inside it. SecurityError when it leaves,
    ModuleError for what a file operation can fail with (the message names operation and path).
    """

    def __init__(self, path: str, *, name: str = WORKSPACE, opener: Opener | None = None) -> None:
        """path: an existing folder, absolute and without links. name: what messages call it.

        opener: the backend that resolves paths; by default the best there is, found at first use.
        """
        self.path = path
        self._name = name
        self._opener = opener
        self._root = os.open(path, DIRECTORY)

    def close(self) -> None:
        """Give the folder's descriptor back. Harmless when repeated."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """Open as os.open does and return the file descriptor, which the caller closes.

        Not inherited by child processes. O_CREAT needs an existing parent folder.
        """
        with self.doing("open", path):
            if flags & os.O_CREAT and path.endswith("/"):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            return self._open(path, flags, mode)

    def read(self, path: str, max_bytes: int) -> bytes:
        """The content of a regular file; ModuleError when it has more than max_bytes."""
        with self.doing("read", path):
            descriptor = self._open(path, os.O_RDONLY | REGULAR)
            try:
                check_regular(descriptor)
                content = _read_up_to(descriptor, max_bytes + 1)
            finally:
                os.close(descriptor)
        if len(content) > max_bytes:
            raise ModuleError(f"cannot read '{path}': it has more than {max_bytes} bytes")
        return content

    def write(self, path: str, data: bytes | Iterable[bytes], mode: int | None = None) -> int:
        """Replace a file atomically and return the bytes written; parent folders are created.

        mode: permission bits, whatever the umask; None keeps an existing file's, else the umask's.
        Owner and group stay, where that is allowed. A reader sees the old file or the new one,
        complete; a failure leaves the old one.
        """
        doing = self.doing("write", path)
        with doing:
            folder, name = self._parent(path)
        temporary = f".gxo-{os.urandom(8).hex()}.tmp"
        try:
            with doing:
                old = _file_before(folder, name)
                mode = stat.S_IMODE(old.st_mode) if mode is None and old is not None else mode
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                start = 0o666 if mode is None else 0o600
                descriptor = os.open(temporary, flags, start, dir_fd=folder)
            try:
                written = _write_all(descriptor, data, doing)
                with doing:
                    if old is not None:
                        _give_to_owner(descriptor, old)
                    if mode is not None:
                        os.fchmod(descriptor, mode)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            with doing:
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                _sync_folder(folder)
        except BaseException:
            _unlink_if_there(folder, temporary)
            raise
        finally:
            os.close(folder)
        return written

    def append(self, path: str, data: bytes | Iterable[bytes], mode: int | None = None) -> int:
        """Append to a file and return the bytes written; it and its parents are created if missing.

        mode: permission bits of a file that is created, whatever the umask. Refused for a file with
        more than one link: it may be the content of a file outside.
        """
        doing = self.doing("append to", path)
        with doing:
            descriptor = self._open_to_append(path, mode)
        try:
            with doing:
                check_regular(descriptor)
                links = os.fstat(descriptor).st_nlink
            if links > 1:
                raise ModuleError(
                    f"cannot append to '{path}': the file has {links} hard links",
                    hint="replace the file instead of appending to it",
                )
            return _write_all(descriptor, data, doing)
        finally:
            os.close(descriptor)

    def check_writable(self, path: str) -> None:
        """SecurityError when the path must not be written, wherever it leads."""
        del path  # everything inside may be

    def stat(self, path: str) -> os.stat_result:
        """What os.stat gives: links that stay inside are followed."""
        with self.doing("read", path):
            descriptor = self._open(path, O_PATH)
            try:
                return os.fstat(descriptor)
            finally:
                os.close(descriptor)

    def lstat(self, path: str) -> os.stat_result | None:
        """What os.lstat gives: a link itself is looked at. None if nothing is there."""
        with self.doing("read", path):
            try:
                descriptor = self._open(path, O_PATH | os.O_NOFOLLOW)
            except (FileNotFoundError, NotADirectoryError):
                return None
            try:
                return os.fstat(descriptor)
            finally:
                os.close(descriptor)

    def exists(self, path: str, verb: str = "read") -> bool:
        """Whether the path leads to anything. SecurityError (of what `verb` does): it leaves."""
        with self.doing(verb, path):
            try:
                os.close(self._open(path, O_PATH))
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    def scan(self, path: str, recursive: bool = False) -> Iterator[tuple[str, os.stat_result]]:
        """The entries of a folder, unsorted: (path relative to `path`, lstat). Follows no links.

        Constant memory, however many entries; what disappears meanwhile is left out.
        """
        doing = self.doing("list", path)
        levels: list[_Level] = []
        try:
            with doing:
                levels.append(_Level(self._open(path, FOLDER), ""))
            while levels:
                level = levels[-1]
                with doing:
                    entry = level.next_entry()
                if entry is None:
                    levels.pop().close()
                    continue
                yield entry
                if recursive and stat.S_ISDIR(entry[1].st_mode):
                    with self.doing("list", f"{path}/{entry[0]}".removeprefix("./")):
                        _enter(levels, entry[0])
        finally:
            for level in levels:
                level.close()

    def make_directory(self, path: str) -> None:
        """Create a folder and its parents; fine when it is there already."""
        with self.doing("create the folder", path), self._at(path, writing=True) as place:
            os.close(self._make_folder(place.root, place.path))

    def resolve(self, path: str) -> str:
        """The absolute path of something that exists, for a command's working directory."""
        with self.doing("find", path):
            descriptor = self._open(path, O_PATH)
            try:
                return os.readlink(f"/proc/self/fd/{descriptor}")
            except FileNotFoundError:  # no /proc
                return os.path.realpath(os.path.join(self.path, path))
            finally:
                os.close(descriptor)

    def doing(self, verb: str, path: str) -> "_Doing":
        """Around what is done to a path: what the system refuses becomes an error that says so."""
        return _Doing(verb, path, self._name)

    @contextmanager
    def entry(self, path: str) -> Iterator[tuple[int, str]]:
        """The folder that an entry is in, as a descriptor, and its name there, to change it.

        A link itself is such an entry. OSError for what is no entry of a folder of the jail.
        """
        with self._at(path, writing=True) as place:
            folder_path, _slash, name = place.path.rstrip("/").rpartition("/")
            if name in ("", ".", ".."):
                raise OSError(errno.EBUSY, "it is no entry of a folder")
            folder = self._open_beneath(place.root, folder_path or ".", DIRECTORY)
            try:
                yield folder, name
            finally:
                os.close(folder)

    @contextmanager
    def _at(self, path: str, writing: bool) -> Iterator[Place]:
        """Where the path is looked up. SecurityError when it must not be written, OSError EXDEV
        when it must not be used at all."""
        del writing  # everything inside may be
        yield Place(self._root, self._inside(path))

    def _inside(self, path: str) -> str:
        """The path relative to the folder. It may still leave it by `..` or a link."""
        if path == self.path:
            return "."
        if path.startswith(self.path + "/"):
            path = path[len(self.path) :].lstrip("/") or "."
        if path.startswith("/"):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        check_text(path)
        return path

    def _open(self, path: str, flags: int, mode: int = 0) -> int:
        with self._at(path, writing=bool(flags & WRITING)) as place:
            if not place.alone:
                return self._open_beneath(place.root, place.path, flags, mode)
            descriptor = self._open_beneath(place.root, place.path, flags | os.O_NOFOLLOW, mode)
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):  # O_PATH opens the link itself
            os.close(descriptor)
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return descriptor

    def _open_beneath(self, root: int, path: str, flags: int, mode: int = 0) -> int:
        if self._opener is None:
            self._opener = best_opener()
        return self._opener(root, path, flags, mode)

    def _open_to_append(self, path: str, mode: int | None) -> int:
        flags = os.O_WRONLY | os.O_APPEND | REGULAR
        try:
            return self._open(path, flags)
        except FileNotFoundError:
            folder, name = self._parent(path)
        try:
            # Without O_EXCL: if another creates it just now, both append.
            descriptor = os.open(name, flags | os.O_CREAT | os.O_NOFOLLOW, 0o666, dir_fd=folder)
        finally:
            os.close(folder)
        if mode is not None:
            os.fchmod(descriptor, mode)
        return descriptor

    def _parent(self, path: str) -> tuple[int, str]:
        """The folder (created if missing) and name of the file to write. A link there is followed.

        A link that replaces the file after this look is itself replaced, not followed.
        """
        with self._at(path, writing=True) as place:
            if place.alone:
                return os.dup(place.root), place.path
            return self._parent_beneath(place.root, place.path)

    def _parent_beneath(self, root: int, path: str) -> tuple[int, str]:
        for _ in range(MAX_LINKS):
            folder_path, _slash, name = path.rpartition("/")
            if name in ("", ".", ".."):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            folder = self._make_folder(root, folder_path or ".")
            try:
                target = os.readlink(name, dir_fd=folder)
            except OSError:  # no link
                return folder, name
            os.close(folder)
            if target.startswith("/"):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            path = f"{folder_path or '.'}/{target}"
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

    def _make_folder(self, root: int, path: str) -> int:
        """Open a folder by its path below the root; it and its parents are created if missing."""
        missing: list[str] = []
        while True:
            try:
                folder = self._open_beneath(root, path, DIRECTORY)
                break
            except FileNotFoundError:
                if path == ".":  # the jail itself is gone
                    raise
                path, _slash, name = path.rstrip("/").rpartition("/")
                missing.append(name)
                path = path or "."
        while missing:
            name = missing.pop()
            try:
                _make_one_folder(folder, name)
                path = f"{path}/{name}"
                deeper = self._open_beneath(root, path, DIRECTORY)
            finally:
                os.close(folder)
            folder = deeper
        return folder


class _Doing:
    """Turns the operating system's errors into ours, naming what was done to which path."""

    __slots__ = ("_name", "_path", "_verb")

    def __init__(self, verb: str, path: str, name: str) -> None:
        self._verb = verb
        self._path = path
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | ValueError):
            raise self._failure(error) from error

    def _failure(self, error: OSError | ValueError) -> WorkloadError:
        what = f"cannot {self._verb} {_shown(self._path)}"
        if isinstance(error, UnicodeEncodeError):
            return ModuleError(f"{what}: that is no possible file name")
        if isinstance(error, ValueError):
            return ModuleError(f"{what}: {error}")
        if error.errno == errno.EXDEV:
            return SecurityError(
                f"{what}: it leads out of {self._name}",
                hint="use a path inside; assets bring files in, outputs take them out, and "
                "`security_context.allow_paths` names others",
            )
        missing = (error.errno, self._name) == (errno.ENOENT, WORKSPACE) and self._path[:1] != "/"
        hint = MAY_BE_ASSET if missing and self._verb in ("read", "open") else None
        return ModuleError(f"{what}: {(error.strerror or str(error)).lower()}", hint=hint)


class _Level:
    """One folder that `scan` is in."""

    __slots__ = ("descriptor", "entries", "prefix")

    def __init__(self, descriptor: int, prefix: str) -> None:
        self.descriptor = descriptor
        self.prefix = prefix
        self.entries = os.scandir(descriptor)

    def next_entry(self) -> tuple[str, os.stat_result] | None:
        """The next entry that is still there."""
        for entry in self.entries:
            try:
                return self.prefix + entry.name, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
        return None

    def close(self) -> None:
        """Give the descriptors back."""
        self.entries.close()
        os.close(self.descriptor)


def _enter(levels: list[_Level], path: str) -> None:
    if len(levels) >= MAX_DEPTH:
        raise ValueError(f"its folders are nested deeper than {MAX_DEPTH}")
    name = path.rpartition("/")[2]
    try:
        descriptor = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=levels[-1].descriptor)
    except (FileNotFoundError, NotADirectoryError):  # removed or replaced just now
        return
    levels.append(_Level(descriptor, path + "/"))


def check_text(path: str) -> None:
    """ValueError for what no path can be, OSError for one that is too long."""
    if not path or "\0" in path:
        raise ValueError("the path is empty" if not path else "the path holds a NUL byte")
    if len(os.fsencode(path)) > MAX_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _shown(path: str) -> str:
    """The path for a message: printable, and not longer than a line; all of it, or nothing, as a
    part of a secret could not be redacted any more."""
    text = path.encode("utf-8", "replace").decode().replace("\0", "\\0")
    return f"'{text}'" if len(text) <= 200 else f"a path of {len(text)} characters"


def check_regular(descriptor: int) -> None:
    """OSError or ValueError when it is open on anything but a file with content."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise ValueError("it is no regular file")


def _read_up_to(descriptor: int, limit: int) -> bytes:
    parts = []
    while limit > 0 and (part := os.read(descriptor, min(limit, CHUNK))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _write_all(descriptor: int, data: bytes | Iterable[bytes], doing: _Doing) -> int:
    """Write everything. Errors of the iterable itself are not taken for errors of the file."""
    written = 0
    for chunk in (data,) if isinstance(data, bytes) else data:
        rest = memoryview(chunk)
        written += len(rest)
        while rest:
            with doing:
                rest = rest[os.write(descriptor, rest) :]
    return written


def _file_before(folder: int, name: str) -> os.stat_result | None:
    """What is to be replaced; None if nothing is there."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _give_to_owner(descriptor: int, old: os.stat_result) -> None:
    """Let a new file be whose the old one was, as far as that is allowed."""
    new = os.fstat(descriptor)
    if new.st_uid != old.st_uid:
        with suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, -1)
    if new.st_gid != old.st_gid:
        with suppress(PermissionError):
            os.fchown(descriptor, -1, old.st_gid)


def _make_one_folder(folder: int, name: str) -> None:
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:  # another was faster, or it is `..`
        pass


def _sync_folder(folder: int) -> None:
    """Make a rename durable; file systems that cannot sync a folder do without."""
    descriptor = os.open(".", FOLDER, dir_fd=folder)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _unlink_if_there(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        pass
