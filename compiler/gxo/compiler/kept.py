"""Keeps what the parts of large programs became, so that the next compilation makes only new ones.

    ~/.cache/gxo/kept/9c1f....kept      digest of what a result was made of, its size, the result...

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
_DIGEST, _SIZE = 32, 8
"""Bytes of a digest, and of a number that says how many bytes follow."""


class Kept:
    """The results that are known, by the digests of what they were made of."""

    def __init__(self, known: dict[bytes, bytes]) -> None:
        self._known = known
        self.used: dict[bytes, bytes] = {}

    def get(self, made_of: bytes, make: Callable[[], bytes]) -> bytes:
        """The result for what it is made of: what `make` gave before, or gives now."""
        digest = hashlib.sha256(made_of).digest()
        if digest not in self.used:
            self.used[digest] = self._known[digest] if digest in self._known else make()
        return self.used[digest]

    def get_plain(self, made_of: bytes, make: Callable[[], Any]) -> Any:
        """The same for a result that JSON can hold, as JSON gives it back."""
        return json.loads(self.get(made_of, lambda: json.dumps(make()).encode()))

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


def load(name: str) -> dict[bytes, bytes]:
    """The results kept under the name; none when there are none, or they cannot be trusted."""
    try:
        path = os.path.join(_folder(), f"{name}.kept")
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
    if hashlib.sha256(content).digest() != digest:
        return {}
    return dict(_read(content))


def store(name: str, results: dict[bytes, bytes]) -> None:
    """Replace what is kept under the name. A cache that cannot be written is only slower."""
    content = b"".join(
        part
        for digest, result in results.items()
        for part in (digest, len(result).to_bytes(_SIZE, "big"), result)
    )
    if len(content) + _DIGEST > MOST_FILE:
        return
    try:
        folder = _folder()
        beside = os.path.join(folder, f"{name}.{os.getpid()}.new")
        try:
            with open(beside, "xb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
            os.replace(beside, os.path.join(folder, f"{name}.kept"))
        finally:
            if os.path.lexists(beside):
                os.unlink(beside)
        _sweep(folder)
    except OSError:
        return


def _read(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What `store` has written."""
    at = 0
    while at < len(content):
        head = at + _DIGEST + _SIZE
        end = head + int.from_bytes(content[at + _DIGEST : head], "big")
        yield content[at : at + _DIGEST], content[head:end]
        at = end


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
