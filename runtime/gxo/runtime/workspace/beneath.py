"""Open a path below a folder in such a way that it cannot leave it, whoever changes what meanwhile.

Two backends with the same answers: the kernel's openat2 with RESOLVE_BENEATH, and a walk that opens
one component after the other without following links, and follows them itself. There is no window
between check and use in either: what was checked is the descriptor that is returned.

Symbolic links are followed as long as they stay below the folder. `..` above it, a link that leads
out of it, and any link with an absolute target raise OSError with errno EXDEV.
"""

import errno
import os
import stat
from collections.abc import Callable
from functools import cache

Opener = Callable[[int, str, int, int], int]
"""(descriptor of the folder, relative path, flags as for os.open, mode) -> descriptor."""

# Only name a thing: works without read permission. Where there is no O_PATH (macOS), opening for
# reading comes close enough for development.
O_PATH = getattr(os, "O_PATH", os.O_RDONLY)
DIRECTORY = O_PATH | os.O_DIRECTORY | os.O_CLOEXEC

MAX_LINKS = 40  # as the kernel
RACES = 32  # how often openat2 may lose a race against renames before the walk is used instead

SYS_OPENAT2 = 437  # the same on every architecture
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_BENEATH = 0x08


@cache
def best_opener() -> Opener:
    """The kernel's openat2 if it is there and not filtered away, else the walk."""
    try:
        opener = openat2_opener()
    except (ImportError, AttributeError, OSError):
        return walk
    return opener


def openat2_opener() -> Opener:
    """The backend that asks the kernel. OSError when it has no openat2 or a filter forbids it."""
    import ctypes  # 4 ms, so only once a job uses files

    class How(ctypes.Structure):
        _fields_ = [
            ("flags", ctypes.c_uint64),
            ("mode", ctypes.c_uint64),
            ("resolve", ctypes.c_uint64),
        ]

    syscall = ctypes.CDLL(None, use_errno=True).syscall
    size = ctypes.sizeof(How)

    def call(root: int, path: str, flags: int, mode: int) -> int:
        how = How(flags, mode if flags & os.O_CREAT else 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
        descriptor: int = syscall(SYS_OPENAT2, root, os.fsencode(path), ctypes.byref(how), size)
        if descriptor < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return descriptor

    def opener(root: int, path: str, flags: int, mode: int) -> int:
        # EAGAIN: a `..` met a rename somewhere in the system, and the kernel could not be sure.
        for _ in range(RACES):
            try:
                return call(root, path, flags | os.O_CLOEXEC, mode)
            except (BlockingIOError, InterruptedError):
                continue
        return walk(root, path, flags, mode)

    probe = os.open("/", DIRECTORY)
    try:
        os.close(call(probe, ".", DIRECTORY, 0))
    finally:
        os.close(probe)
    return opener


def walk(root: int, path: str, flags: int, mode: int) -> int:
    """The backend that walks. `..` goes back to a descriptor it holds, never up by name."""
    if path.endswith(("/", "/.")):
        flags |= os.O_DIRECTORY
    todo = _components(path)
    held: list[int] = []  # folders between the root and where the walk is
    links = 0
    try:
        while todo:
            name = todo.pop()
            here = held[-1] if held else root
            if name == "..":
                if not held:
                    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
                os.close(held.pop())
                continue
            found = _step(here, name, DIRECTORY if todo else flags, mode)
            if isinstance(found, int):
                if not todo:
                    return found
                held.append(found)
                continue
            links += 1
            if links > MAX_LINKS or found.startswith("/"):
                code = errno.EXDEV if found.startswith("/") else errno.ELOOP
                raise OSError(code, os.strerror(code), path)
            todo += _components(found)
        return os.open(".", flags | os.O_CLOEXEC, mode, dir_fd=held[-1] if held else root)
    finally:
        for descriptor in held:
            os.close(descriptor)


def _components(path: str) -> list[str]:
    """The names in a path, last first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _step(here: int, name: str, flags: int, mode: int) -> int | str:
    """Open one component in the folder `here`; a link that is to be followed gives its target."""
    try:
        found = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=here)
    except OSError as error:
        # A link gives ELOOP, or ENOTDIR where a folder was asked for; so do other things.
        if error.errno not in (errno.ELOOP, errno.ENOTDIR) or flags & os.O_NOFOLLOW:
            raise
        target = _link_target(here, name)
        if target is None:
            raise
        return target
    if not flags & O_PATH or flags & os.O_NOFOLLOW or not stat.S_ISLNK(os.fstat(found).st_mode):
        return found
    # O_PATH has opened the link itself.
    os.close(found)
    target = _link_target(here, name)
    if target is None:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)  # replaced just now
    return target


def _link_target(here: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=here)
    except OSError:
        return None
