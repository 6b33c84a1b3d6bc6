"""Keeps formatted pieces of large modules between compilations.

    ~/.cache/gxo/format/9c1f....json      {digest of a piece: the piece as black makes it}

The folder is 0700, owned and reached by no link, or it is not used; a job is then compiled without
it, only slower. What is read is believed no further: the gate parses the module again and compares.
A file holds what the last compilation used, and the files that were not written for longest go.
"""

import json
import os
import stat

from gxo.runtime.errors import ArtifactError
from gxo.runtime.host.folders import cache_folder

MOST_FILES, MOST_BYTES = 32, 32 * 1024 * 1024


def load(name: str) -> dict[str, str]:
    """The pieces kept under the name; none when there are none, or they cannot be trusted."""
    try:
        path = os.path.join(cache_folder(os.environ, "format"), f"{name}.json")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (ArtifactError, OSError):
        return {}
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_uid != os.geteuid()
            or status.st_size > MOST_BYTES
        ):
            return {}
        try:
            found = json.loads(file.read())
        except ValueError:
            return {}
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        return {}
    return found


def store(name: str, pieces: dict[str, str]) -> None:
    """Replace what is kept under the name. A cache that cannot be written is only slower."""
    content = json.dumps(pieces).encode()
    if len(content) > MOST_BYTES:
        return
    try:
        folder = cache_folder(os.environ, "format")
        beside = os.path.join(folder, f"{name}.{os.getpid()}.new")
        try:
            with open(beside, "xb") as file:
                file.write(content)
            os.replace(beside, os.path.join(folder, f"{name}.json"))
        finally:
            if os.path.lexists(beside):
                os.unlink(beside)
        _sweep(folder)
    except (ArtifactError, OSError):
        return


def _sweep(folder: str) -> None:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda one: one.stat(follow_symlinks=False).st_mtime_ns)
    for entry in found[:-MOST_FILES]:
        os.unlink(entry)
