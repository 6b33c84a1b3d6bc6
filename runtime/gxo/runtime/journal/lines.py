"""A file of lines that is only appended to, and of which nothing is believed unchecked.

    5f0c2a9be1d47703 {"record": "started", "workload": "deploy", ...}
    c1be77a2205b9d38 {"record": "ended", "workload": "deploy", "status": "Completed", ...}

Each line begins with a check sum of itself and of the sum before it, so a line that was changed,
moved or taken out is noticed. A line is on the disk before `append` returns. What a crash leaves of
the last line is dropped; damage anywhere else is an error.
"""

import hashlib
import json
import os
import stat
import threading
from typing import Any

from gxo.runtime.errors import UsageError

Record = dict[str, Any]

SUM = 16  # hexadecimal digits
APPENDING = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Lines:
    """An open file of checked lines; `append` may be called in any thread."""

    def __init__(self, descriptor: int, last_sum: str) -> None:
        """Takes over the descriptor, which stands at the end of the file."""
        self._descriptor = descriptor
        self._last_sum = last_sum
        self._lock = threading.Lock()

    @classmethod
    def create(cls, folder: int, name: str, first: Record) -> "Lines":
        """A new file with one line. It is there as a whole, or not at all. OSError.

        folder: the descriptor of the folder that it is in.
        """
        new = f"{name}.new"
        flags = APPENDING | os.O_CREAT | os.O_TRUNC
        lines = cls(os.open(new, flags, 0o600, dir_fd=folder), "")
        try:
            lines.append(first)
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except BaseException:
            lines.close()
            raise
        return lines

    @classmethod
    def open(cls, folder: int, name: str, path: str) -> "tuple[Lines, list[Record]]":
        """An existing file, and what is in it. UsageError when it is damaged, OSError.

        path: how messages call it.
        """
        descriptor = os.open(name, APPENDING, dir_fd=folder)
        try:
            _check_private(descriptor, path)
            with open(descriptor, "rb", closefd=False) as file:
                records, last_sum, size = _parse(file.read(), path)
            os.ftruncate(descriptor, size)
            os.lseek(descriptor, size, os.SEEK_SET)
            os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, last_sum), records

    def append(self, record: Record) -> None:
        """Add a line, and return when it is on the disk. Blocks. OSError.

        After an error nothing more may be added: what is left of the line is the end of the file.
        """
        body = json.dumps(record).encode()
        with self._lock:
            self._last_sum = _sum(self._last_sum, body)
            _write_all(self._descriptor, b"%s %s\n" % (self._last_sum.encode(), body))
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _parse(content: bytes, path: str) -> tuple[list[Record], str, int]:
    """The records, the last check sum, and where the last good line ends."""
    records: list[Record] = []
    last_sum, size = "", 0
    lines = content.split(b"\n")
    torn = lines.pop()  # what follows the last line break: nothing, unless a write was cut off
    for number, line in enumerate(lines, 1):
        given, _, body = line.partition(b" ")
        if given != _sum(last_sum, body).encode():
            if number == len(lines) > 1 and not torn and not _begins_well(given, body, last_sum):
                break  # of the last line, only some blocks had reached the disk
            raise UsageError(
                f"the journal {path} is damaged: line {number} is not what was written",
                hint="restore it from a copy, or start the job anew with another --journal",
            )
        last_sum = given.decode()
        records.append(json.loads(body))
        size += len(line) + 1
    if not records:
        raise UsageError(
            f"the journal {path} is damaged: its first line is not complete",
            hint="start the job anew with another --journal",
        )
    return records, last_sum, size


def _begins_well(given: bytes, body: bytes, last_sum: str) -> bool:
    """Whether a good line is at its beginning: then it is two without the break between them."""
    try:
        _, end = json.JSONDecoder().raw_decode(body.decode())
    except ValueError:
        return False
    return given == _sum(last_sum, body[:end]).encode()


def _sum(before: str, body: bytes) -> str:
    return hashlib.sha256(before.encode() + body).hexdigest()[:SUM]


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _check_private(descriptor: int, path: str) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"the journal {path} is no regular file")
    if status.st_uid != os.geteuid():
        raise UsageError(f"the journal {path} belongs to another user")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise UsageError(f"the journal {path} lets others in by its mode {mode:04o}")
