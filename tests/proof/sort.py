"""A million records are sorted through files, in order, in little memory."""

import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

from gxo.runtime.spec import Record
from gxo.stdlib.data._runs import CHUNK, WAYS, Runs, memory_of
from tests.proof.figure import Figure
from tests.stdlib.harness import open_descriptors

RECORDS = 1_000_000
MEMORY = 8 * 2**20


def prove(scale: float) -> Iterator[Figure]:
    count = max(1, round(RECORDS * scale))
    runs = Runs(
        lambda records: [record["key"] for record in records],
        reverse=False,
        most=None,
        max_memory=MEMORY,
        max_spill=2**40,
        folder=lambda: None,
    )
    before = len(open_descriptors())
    files = 0
    tracemalloc.start()
    for chunk in chunks(count):
        runs.add(chunk, memory_of(chunk))
        files = max(files, len(open_descriptors()) - before)
    found = disorder = 0
    last = (-1, -1)
    for batch in runs.sorted():
        for record in batch:
            this = (record["key"], record["number"])
            disorder += this < last
            found, last = found + 1, this
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    runs.close()
    yield Figure("records sorted", found)
    yield Figure("records lost", count - found, 0)
    yield Figure("records out of order", disorder, 0)
    yield Figure("files open at a time", files, 4 * WAYS)
    yield Figure("peak memory, MiB", peak / 2**20, 4 * MEMORY / 2**20)


def chunks(count: int) -> Iterator[list[Record]]:
    """Records with many equal keys, numbered as they come."""
    chance = random.Random(1)
    for start in range(0, count, CHUNK):
        numbers: Any = range(start, min(start + CHUNK, count))
        yield [{"key": chance.randrange(count // 4 + 1), "number": one} for one in numbers]
