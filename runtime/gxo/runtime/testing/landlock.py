"""Lets a test's commands execute no program of the host but those that they may: by the kernel.

    p=/usr/bin; $p/curl x        no reading of the line tells that this is curl, and yet: refused

Where commands are kept (/usr/bin, each folder of the PATH) nothing can be executed any more but the
files that are named; what programs are made of and keep elsewhere (/usr/lib, a tool's own folder)
can. This is Landlock, which Linux has since 5.13: it takes no privilege, holds for all that a
command starts, and is asked for by a thread, which then starts the command.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

STANDARD = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
"""Where commands are, whatever the PATH says."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38


class _Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr"""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class Landlock:
    """What may be executed, as the kernel keeps it: everything outside of the folders of commands,
    and the named files. Close it. OSError where the kernel has no Landlock.
    """

    def __init__(self, folders: Iterable[str], files: Iterable[str]) -> None:
        """folders: of commands, besides the standard ones. files: those in them that may be run."""
        if sys.platform != "linux":
            raise OSError("only Linux has Landlock")
        self._libc = ctypes.CDLL(None, use_errno=True)
        handled = ctypes.c_uint64(_EXECUTE)
        self._ruleset = self._call(_CREATE_RULESET, ctypes.byref(handled), 8, 0)
        closed = {os.path.realpath(folder) for folder in (*STANDARD, *folders)} - {"/"}
        try:
            for path in (*_open_ones("/", closed), *map(os.path.realpath, files)):
                self._allow(path)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._ruleset)

    def start(self, function: Callable[[], T]) -> T:
        """Call the function where what it starts is held to this."""
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                self._libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
                self._call(_RESTRICT_SELF, self._ruleset, 0)
                results.append(function())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name="gxo-confined")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def _allow(self, path: str) -> None:
        try:
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:  # gone, or not ours to look into
            return
        try:
            rule = _Beneath(_EXECUTE, folder)
            self._call(_ADD_RULE, self._ruleset, _BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(folder)

    def _call(self, number: int, *args: object) -> int:
        result: int = self._libc.syscall(number, *args)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result


def _open_ones(folder: str, closed: set[str]) -> Iterator[str]:
    """What of a folder is not, and does not hold, a closed folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        if real in closed or (real != path and any(_is_below(one, real) for one in closed)):
            continue
        if any(_is_below(one, path) for one in closed):
            yield from _open_ones(path, closed)
        else:
            yield path


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")
