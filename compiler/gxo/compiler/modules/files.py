"""Reads the Python files of a user's own modules, with limits: they come from outside.

modules/mail.py          regular, UTF-8, 1 MiB at most, reached by no link below `modules/`
"""

import os
import stat

MOST_BYTES = 1 << 20


class UnusableError(Exception):
    """The file cannot be used as a module; says why."""


def read_text(path: str, folder: str) -> str:
    """The text of a file below the folder. UnusableError when it is no ordinary Python file."""
    below = os.path.relpath(path, folder)
    if os.path.realpath(path) != os.path.join(os.path.realpath(folder), below):
        raise UnusableError("it is reached through a link")
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnusableError("it is no regular file")
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"it cannot be read: {str(error.strerror).lower()}") from None
    if len(data) > MOST_BYTES:
        raise UnusableError(f"it has more than {MOST_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableError(f"byte {error.start + 1} is no UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
