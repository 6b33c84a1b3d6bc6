"""What the system makes of a file that is to be executed."""

import os
import shutil
from collections.abc import Iterator
from errno import EACCES, ENOENT, ENOEXEC

FORMATS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How programs begin: those of Linux, and of macOS."""

MOST = 2_000
"""Entries of a folder that are looked at for scripts."""


def of_host(name: str) -> str:
    """Where a program is that a test itself needs, whatever it lets the playbook run."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin") or f"/bin/{name}"


def check_executable(path: str) -> None:
    """OSError as starting the file would raise it: what starts it in a test, `unshare`, would not.

    `unshare` has the shell run a file that is no program, and tells of a failure by an exit code.
    """
    head = _head(path)
    if not os.access(path, os.X_OK):
        raise PermissionError(EACCES, os.strerror(EACCES), path)
    if head.startswith(b"#!"):
        program = _interpreter(head)
        if program is None or not os.path.exists(program):
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT), path)
    elif not head.startswith(FORMATS):
        raise OSError(ENOEXEC, os.strerror(ENOEXEC), path)


def interpreters(folder: str) -> Iterator[str]:
    """The programs that the first lines of the executable scripts in a folder name."""
    seen = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            seen += 1
            if seen > MOST:
                return
            if (program := interpreter(os.path.join(place, name))) is not None:
                yield program


def interpreter(path: str) -> str | None:
    """The program that the first line of an executable script names; None for any other file."""
    try:
        return _interpreter(_head(path)) if os.access(path, os.X_OK) else None
    except OSError:
        return None


def _head(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 256)
    finally:
        os.close(descriptor)


def _interpreter(head: bytes) -> str | None:
    words = head.partition(b"\n")[0].removeprefix(b"#!").split()
    return os.fsdecode(words[0]) if head.startswith(b"#!") and words else None
