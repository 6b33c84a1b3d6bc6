"""A command prints 1 GB to each output, a million records go through one: in little memory."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.figure import Figure
from tests.stdlib.exec.flows import filtered, measured, printed

OUTPUT, LIMIT = 10**9, 10 * 2**20
RECORDS = 1_000_000


def prove(scale: float) -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        size = max(LIMIT + 1, round(OUTPUT * scale))
        result, peak = measured(printed(Path(folder), size, LIMIT))
        yield Figure("bytes printed to each output", size)
        kept = max(len(result["stdout"]), len(result["stderr"]))
        yield Figure("bytes kept of each", kept, LIMIT)
        yield Figure("peak memory, MiB", peak / 2**20, 6 * LIMIT / 2**20)
        records = max(10_000, round(RECORDS * scale))
        flow, peak = measured(filtered(Path(folder), records))
    yield Figure("records through a command", flow.count)
    yield Figure("records lost, or wrong", records - flow.count + flow.wrong, 0)
    yield Figure("records that went in while nobody read", flow.ahead, 3000)
    yield Figure("peak memory, MiB", peak / 2**20, 8)
