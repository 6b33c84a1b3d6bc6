"""Files below one folder, and nothing else: every path is resolved without leaving it."""

import os
from collections.abc import Iterable, Iterator


class Jail:
    """A folder that paths cannot leave. All operations block; modules call them by `ctx.thread`.

    A path is relative to the folder, or absolute and inside it. SecurityError when it leaves,
    ModuleError for what a file operation can fail with (the message names operation and path).
    """

    path: str

    def __init__(self, path: str) -> None:
        """path: an existing folder, absolute."""
        raise NotImplementedError

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """Open as os.open does and return the file descriptor, which the caller closes."""
        raise NotImplementedError

    def read(self, path: str, max_bytes: int) -> bytes:
        """The content of a regular file; ModuleError when it has more than max_bytes."""
        raise NotImplementedError

    def write(self, path: str, data: bytes | Iterable[bytes], mode: int | None = None) -> int:
        """Replace a file atomically and return the bytes written; parent folders are created.

        mode: permission bits, whatever the umask; None keeps an existing file's, else the umask's.
        """
        raise NotImplementedError

    def append(self, path: str, data: bytes | Iterable[bytes], mode: int | None = None) -> int:
        """Append to a file (created when missing) and return the bytes written.

        Refused for a file with more than one link: it may be another file's content.
        """
        raise NotImplementedError

    def stat(self, path: str) -> os.stat_result:
        """What os.stat gives (links inside are followed)."""
        raise NotImplementedError

    def exists(self, path: str) -> bool:
        """Whether the path leads to anything. SecurityError when it leaves the folder."""
        raise NotImplementedError

    def scan(self, path: str, recursive: bool = False) -> Iterator[tuple[str, os.stat_result]]:
        """The entries of a folder, unsorted: (path relative to `path`, lstat). Follows no links."""
        raise NotImplementedError

    def make_directory(self, path: str) -> None:
        """Create a folder and its parents; fine when it is there already."""
        raise NotImplementedError

    def resolve(self, path: str) -> str:
        """The absolute path of something that exists, for a command's working directory."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the folder's descriptor back."""
        raise NotImplementedError
