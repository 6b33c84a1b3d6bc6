"""Commands with much output and many records, and what of it the job holds. Also for `make proof`."""

import asyncio
import tracemalloc
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.exec import exec_
from tests.stdlib.harness import bench, run

T = TypeVar("T")

IDLE = 0.05
"""Seconds without a further record after which a producer is held up."""


def measured(work: Coroutine[Any, Any, T]) -> tuple[T, int]:
    """The result, and the most bytes that Python held meanwhile."""
    tracemalloc.start()
    try:
        return run(work), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def printed(folder: Path, size: int, limit: int) -> Any:
    """What comes of a command that prints so many bytes to each of its outputs."""
    async with bench(folder) as workbench:
        line = f"yes 0123456789 | head -c {size} | tee /dev/stderr; echo done > end"
        call = exec_(workbench.context, command=line, shell=True, max_output=limit)
        return await call


@dataclass
class Flow:
    """Records that went through a command: how many came out, how many of them were wrong, and how
    many the producer had sent when it was held up, while nobody read."""

    count: int
    wrong: int
    ahead: int


async def filtered(folder: Path, lines: int) -> Flow:
    """Send records through `cat`, to a reader that at first does not read."""
    async with bench(folder) as workbench:
        given, taken = Source("given", Channel()), Source("cat", Channel())
        records, reader = Records([given.connect("cat")]), Records([taken.connect("reader")])
        ports: dict[str, Any] = {"records": records, "out": taken.port()}
        call = exec_(
            workbench.context, command="cat", stdin_from="stream", stdout_to="jsonl", **ports
        )
        command = asyncio.ensure_future(call)
        command.add_done_callback(lambda _: taken.finish())
        sent = [0]
        feeding = asyncio.ensure_future(_feed(given.port(), lines, sent))
        feeding.add_done_callback(lambda _: given.finish())
        ahead = await _held_up(sent)
        count = wrong = 0
        async for batch in reader:
            for record in batch:
                wrong += record != record_number(count)
                count += 1
        await asyncio.gather(command, feeding)
        return Flow(count, wrong, ahead)


async def _held_up(sent: list[int]) -> int:
    """Wait until no more is sent; returns how much has been."""
    before = -1
    while before != sent[0]:
        before = sent[0]
        await asyncio.sleep(IDLE)
    return before


async def _feed(out: Out, lines: int, sent: list[int]) -> None:
    for batch in _batches(lines):
        await out.send(batch)
        sent[0] += len(batch)


def _batches(lines: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, lines, 100):
        yield [record_number(number) for number in range(start, min(start + 100, lines))]


def record_number(number: int) -> dict[str, Any]:
    """A record of some 200 bytes."""
    return {"n": number, "text": "x" * 180}
