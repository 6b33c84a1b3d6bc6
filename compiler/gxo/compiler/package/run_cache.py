"""Finds what `gxo run` compiled before, as long as all that it was made from is the same.

    ~/.cache/gxo/run/nightly.1f0c9ab2              the index: what was it made from?
    ~/.cache/gxo/run/nightly.1f0c9ab2.5d20.../     the job: gxo_job.py, _gxo/manifest.json, ...

An unchanged playbook must start as fast as its artifact, so this file reads one index, looks at the
status of the files in it, and imports next to nothing. What fills the cache is in `run_store.py`.

The index is lines: `key` and what must be equal, `folder` and its name; then, of each file in that
folder, `own` and its status; and of each file that it was made from, the digest and the status.
"""

import os
import sys
from collections.abc import Sequence

from gxo.runtime.errors import ArtifactError
from gxo.runtime.host.folders import HINT, cache_folder, hold, is_there

OWN = "own"


def find(playbook: str, flags: Sequence[str]) -> str | None:
    """The folder of the compiled job, which stays while this process lives; None to compile it.

    flags: whatever else decides what is compiled, gxo's version among it. Raises ArtifactError,
    which says why, when the cache cannot be used; then neither can `run_store.store`.
    """
    root = cache_folder(os.environ, "run")
    index = os.path.join(root, entry_name(playbook, flags))
    lines = _read(index)
    if len(lines) < 2 or lines[0] != _key(playbook, flags):
        return None
    folder = os.path.join(root, lines[1].removeprefix("folder "))
    if not is_there(folder) or hold(folder) is None:
        return None
    return folder if _is_current(index, lines) else None


def _is_current(index: str, lines: list[str]) -> bool:
    """Whether all files are as the index says. Files that were only touched are noted in it."""
    try:
        changed = [number for number in range(2, len(lines)) if not _is_unchanged(lines[number])]
    except ValueError:
        return False  # no index of ours
    if not all(_has_same_content(lines[number]) for number in changed):
        return False
    for number in changed:
        digest, _, path = _fields(lines[number])
        lines[number] = describe(path, digest)
    if changed:
        write_index(index, lines)
    return True


def entry_name(playbook: str, flags: Sequence[str]) -> str:
    """The index's name: for people to recognize, with a check sum to tell playbooks apart."""
    import binascii

    stem = os.path.basename(playbook).partition(".")[0]
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in stem)[:60]
    return f"{readable}.{binascii.crc32(_key(playbook, flags).encode()):08x}"


def _key(playbook: str, flags: Sequence[str]) -> str:
    return f"key {(os.path.abspath(playbook), sys.executable, sys.version, *flags)!r}"


def header(playbook: str, flags: Sequence[str], folder: str) -> list[str]:
    """The first lines of an index."""
    return [_key(playbook, flags), f"folder {folder}"]


def describe(path: str, digest: str) -> str:
    """The index's line for a file or folder as it is now; digest: of its content, or `OWN`."""
    return f"{digest}|{_status(path, follow=digest != OWN)}|{path}"


def _fields(line: str) -> tuple[str, str, str]:
    digest, status, path = line.split("|", 2)
    return digest, status, path


def _status(path: str, follow: bool) -> str:
    try:
        status = os.stat(path, follow_symlinks=follow)
    except OSError:
        return "absent"
    return (
        f"{status.st_mode:o} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
        f" {status.st_ino} {status.st_dev}"
    )


def _is_unchanged(line: str) -> bool:
    digest, status, path = _fields(line)
    return _status(path, follow=digest != OWN) == status


def _has_same_content(line: str) -> bool:
    """Whether only the status of the line's file has changed. ArtifactError for a link."""
    digest, _, path = _fields(line)
    if digest != OWN:
        return content_digest(path) == digest
    if os.path.islink(path):
        raise ArtifactError(f"the cache is not used: {path} is a symbolic link", hint=HINT)
    return False


def content_digest(path: str) -> str:
    """SHA-256 of a file's bytes and whether it is executable, or of a folder's names."""
    import hashlib  # start-up: only when something has changed

    if os.path.isdir(path):
        return hashlib.sha256("\n".join(sorted(os.listdir(path))).encode()).hexdigest()
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256(b"x" if os.fstat(file.fileno()).st_mode & 0o111 else b"-")
            digest.update(file.read())
    except OSError:
        return "absent"
    return digest.hexdigest()


def _read(index: str) -> list[str]:
    """The lines of the index; none when there is none. ArtifactError when it is a link."""
    try:
        descriptor = os.open(index, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    except OSError as error:
        why = "it is a symbolic link" if os.path.islink(index) else str(error.strerror).lower()
        raise ArtifactError(f"the cache file {index} is not used: {why}", hint=HINT) from error
    with open(descriptor, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().rstrip("\n").split("\n")


def write_index(index: str, lines: Sequence[str]) -> None:
    """Replace the index at once; a cache that cannot be written is only slower."""
    if any("\n" in line for line in lines):
        return  # a file with such a name is compiled each time
    beside = f"{index}.{os.getpid()}.new"
    try:
        with open(beside, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in lines)
        os.replace(beside, index)
    except OSError:
        if os.path.lexists(beside):
            os.unlink(beside)
