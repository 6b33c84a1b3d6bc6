"""From a file to a typed playbook: the whole frontend in two calls.

data = read_file(path)                        FileError: the user named the wrong file
playbook = load_playbook(data, path, diags)   everything else is a diagnostic in the file
"""

import errno
import os
from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.allows import read_allows
from gxo.compiler.frontend.decode import MAX_BYTES, decode
from gxo.compiler.frontend.playbook import Playbook
from gxo.compiler.frontend.reader import read
from gxo.compiler.frontend.yaml import compose

_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file",
    errno.EISDIR: "it is a directory; name the playbook in it",
    errno.EACCES: "you may not read it",
    errno.ELOOP: "its symbolic links form a circle",
    errno.ENAMETOOLONG: "the name is too long",
}


class FileError(Exception):
    """A file that cannot be read at all: a usage error, exit code 2. Its text is for the user."""


def read_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a playbook, at most one more than a playbook may have. Raises FileError."""
    try:
        os.fspath(path).encode()
        with open(path, "rb", opener=_open_at_once) as file:
            return file.read(MAX_BYTES + 1)
    except UnicodeEncodeError:
        raise FileError(f"cannot read {os.fspath(path)!r}: its name is not UTF-8") from None
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "it cannot be read")
    except ValueError:
        reason = "the name has a character that no file name can have"
    raise FileError(f"cannot read {os.fspath(path)!r}: {reason}")


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe that nobody writes to is empty, and holds nobody up."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def load_playbook(data: bytes, file: str, diags: Diagnostics) -> Playbook | None:
    """Read a playbook from its bytes; `file` is the name that spans carry.

    None when nothing of it can be read. With errors in `diags` there may still be a playbook, of
    what could be read, so that the next stages find their errors in the same run.
    """
    text = decode(data, file, diags)
    tree = None if text is None else compose(text, file, diags)
    if text is None or tree is None:
        return None
    playbook = read(tree, file, text, diags)
    return playbook and replace(playbook, allows=read_allows(tree, text, file))
