"""Keeps what the parts of large programs became, so that the next compilation makes only new ones.

    ~/.cache/gxo/kept/9c1f....json      {digest of what a result was made of: the result}

The folder is 0700, owned and reached by no link, or it is not used; a job is then compiled without
it, only slower. So is one whose file is damaged. A file holds what the last compilation of a
program used; two compilations at once each replace it as a whole. Those not written for longest go.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gxo.compiler.version import VERSION

MANY = 100
"""Workloads from which on results are kept; fewer are compiled as fast as they are looked up."""
MOST_FILE, MOST_BYTES = 64 * 1024 * 1024, 256 * 1024 * 1024
_DIGEST = 64  # of the rest of a file, before it


class Kept:
    """The results that are known, by what they were made of. Values are what JSON can hold."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known
        self.used: dict[str, Any] = {}

    def get(self, made_of: bytes, make: Callable[[], Any]) -> Any:
        """The result for what it is made of: what `make` gave before, or gives now."""
        digest = hashlib.sha256(made_of).hexdigest()
        if digest not in self.used:
            self.used[digest] = self._known[digest] if digest in self._known else make()
        return self.used[digest]

    @property
    def is_known(self) -> bool:
        """Whether the file holds just what was used."""
        return self.used.keys() == self._known.keys()


@contextmanager
def kept(kind: str, program: str, workloads: int, *decides: object) -> Iterator[Kept]:
    """The results of this kind for a program with so many workloads; if these are many, they last.

    decides: what else results depend on, besides what each is made of, gxo and this Python.
    """
    if workloads < MANY:
        yield Kept({})
        return
    key = (kind, program, VERSION, sys.version, *decides)
    name = hashlib.sha256(repr(key).encode()).hexdigest()
    results = Kept(load(name))
    yield results
    if not results.is_known:
        store(name, results.used)


def load(name: str) -> dict[str, Any]:
    """The results kept under the name; none when there are none, or they cannot be trusted."""
    try:
        path = os.path.join(_folder(), f"{name}.json")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {}
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_uid != os.geteuid()
            or status.st_size > MOST_FILE
        ):
            return {}
        digest, content = file.read(_DIGEST), file.read()
    if hashlib.sha256(content).hexdigest().encode() != digest:
        return {}
    found: dict[str, Any] = json.loads(content)
    return found


def store(name: str, results: dict[str, Any]) -> None:
    """Replace what is kept under the name. A cache that cannot be written is only slower."""
    content = json.dumps(results).encode()
    if len(content) + _DIGEST > MOST_FILE:
        return
    try:
        folder = _folder()
        beside = os.path.join(folder, f"{name}.{os.getpid()}.new")
        try:
            with open(beside, "xb") as file:
                file.write(hashlib.sha256(content).hexdigest().encode())
                file.write(content)
            os.replace(beside, os.path.join(folder, f"{name}.json"))
        finally:
            if os.path.lexists(beside):
                os.unlink(beside)
        _sweep(folder)
    except OSError:
        return


def _folder() -> str:
    """The private folder of kept results. OSError when it cannot be used."""
    from gxo.runtime.errors import ArtifactError  # start-up: only for large programs
    from gxo.runtime.host.folders import cache_folder

    try:
        return cache_folder(os.environ, "kept")
    except ArtifactError as error:
        raise OSError(error.message) from error


def _sweep(folder: str) -> None:
    """Remove the files that were not written for longest, until the others are small enough."""
    with os.scandir(folder) as entries:
        found = [(entry.path, entry.stat(follow_symlinks=False)) for entry in entries]
    size = 0
    for path, status in sorted(found, key=lambda one: -one[1].st_mtime_ns):
        size += status.st_size
        if size > MOST_BYTES:
            os.unlink(path)
