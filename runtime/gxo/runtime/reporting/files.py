"""Where a report, or metrics, go: a file that is replaced as a whole, or what cannot be replaced.

report.json      a temporary name beside it, then a rename: a reader sees the old one or the new
/dev/stderr      a pipe, a terminal, a device: written to
-                standard output
"""

import os
import stat
import sys
from collections.abc import Iterable

from gxo.runtime.errors import UsageError


def check_target(target: str, what: str) -> None:
    """Find out before the job runs that `what` could not be written. UsageError then."""
    if target == "-":
        return
    folder = os.path.dirname(target) or "."
    if os.path.isdir(target):
        raise UsageError(f"cannot write {what} to {target}: it is a directory")
    if not os.path.isdir(folder):
        raise UsageError(f"cannot write {what} to {target}: there is no directory {folder}")
    if not os.access(target if os.path.exists(target) else folder, os.W_OK):
        raise UsageError(f"cannot write {what} to {target}: permission denied")


def place(target: str) -> str:
    """One name for all spellings of where a report, metrics or events go."""
    return "-" if target in ("-", "fd:1", "/dev/stdout") else os.path.realpath(target)


def write_text(target: str, texts: Iterable[str]) -> None:
    """Write the texts. OSError when that is not possible; a file is then left as it was.

    UTF-8; what stands for bytes of another encoding becomes an escape that JSON has too.
    """
    pieces = (text.encode("utf-8", "backslashreplace") for text in texts)
    if target == "-":
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    elif os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        with open(target, "wb") as file:
            file.writelines(pieces)
    else:
        _replace(os.path.realpath(target), pieces)


def _replace(path: str, pieces: Iterable[bytes]) -> None:
    """A new file has mode 0644, less the umask; a file that was there passes its own on."""
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with open(descriptor, "wb") as file:
            if os.path.exists(path):
                os.fchmod(descriptor, stat.S_IMODE(os.stat(path).st_mode))
            file.writelines(pieces)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
