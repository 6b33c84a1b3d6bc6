"""A thousand clients are connected to a job's server at once, and each is answered."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.figure import Figure
from tests.stdlib.connection.crowd import crowd

CLIENTS = 1000


def prove(scale: float) -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        found = crowd(Path(folder), max(10, round(CLIENTS * scale)))
    yield Figure("clients connected at once", found.connected)
    yield Figure("of them without their answer", found.wrong, 0)
    yield Figure("memory for both ends of one, KiB", found.memory / found.connected / 1024, 256)
