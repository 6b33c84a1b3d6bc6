"""A folder of a hundred thousand files is listed, sorted by path, in little memory."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from gxo.stdlib.data._runs import WAYS
from gxo.stdlib.filesystem.list import MAX_MEMORY
from tests.proof.figure import Figure
from tests.stdlib.filesystem.listed import fill, listed

FILES = 100_000


def prove(scale: float) -> Iterator[Figure]:
    files = max(1000, round(FILES * scale))
    with TemporaryDirectory() as folder:
        fill(Path(folder), files)
        entries = sum(1 for _ in Path(folder).rglob("*"))
        found = listed(Path(folder))
    yield Figure("entries listed", found.count)
    yield Figure("entries lost", entries - found.count, 0)
    yield Figure("entries out of order", found.disorder, 0)
    yield Figure("files open at a time", found.files, 4 * WAYS)
    yield Figure("peak memory, MiB", found.peak / 2**20, 2 * MAX_MEMORY / 2**20)
