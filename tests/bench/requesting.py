"""What 2,000 requests of `http:request` cost, beside the same in bare httpx.

    2,000 requests, one after the other    1.12 of bare httpx's CPU time, at most 1.30

Both send them over their pool to one server, which runs in a process of its own, in turns of 100; what
counts is the CPU time of the process that asks, as its wall time is the server's as well.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import BARE, running

ROOT = Path(__file__).resolve().parents[2]
REQUESTS, TURN, AT_ONCE = 2_000, 100, 50
MOST = 1.3

Ask = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Cost:
    """CPU seconds of 2,000 requests: medians of their turns."""

    kind: str
    gxo: float
    bare: float

    @property
    def part(self) -> float:
        return self.gxo / self.bare


def measure() -> list[Cost]:
    """In a process of its own, whose time is nobody else's."""
    with running([str(BARE)]) as address:
        done = subprocess.run(
            [sys.executable, __file__, address],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [Cost(kind, float(gxo), float(bare)) for kind, gxo, bare in lines]


def report(costs: list[Cost], write: Callable[[str], None]) -> bool:
    """Write the rows; whether all are within their bounds."""
    for one in costs:
        verdict = "ok" if one.part <= MOST else "MISSED"
        write(
            f"{REQUESTS:,} requests, {one.kind}".ljust(39)
            + f"{one.part:.2f} of bare httpx's CPU time, at most {MOST:.2f}  {verdict}"
        )
    return all(one.part <= MOST for one in costs)


# What the asking process runs


async def compare(address: str) -> None:
    """Print each kind, and what gxo and bare httpx need for it."""
    import httpx

    from gxo.stdlib.http.request import request
    from tests.stdlib.harness import bench

    url = f"http://{address}/path"
    with tempfile.TemporaryDirectory() as folder:
        async with bench(Path(folder)) as workbench, httpx.AsyncClient(trust_env=False) as client:

            async def ask() -> Any:
                return (await request(workbench.context, url=url))["json_body"]

            async def ask_bare() -> Any:
                return (await client.get(url)).json()

            for kind, play in (("one after the other", in_turn), ("50 at once", at_once)):
                gxo, bare = await medians(play, ask, ask_bare)
                print(kind, gxo, bare, sep="\t", flush=True)
            await workbench.run.shared.close()


async def medians(
    play: Callable[[Ask, int], Awaitable[None]], ask: Ask, ask_bare: Ask
) -> tuple[float, float]:
    """CPU seconds of 2,000 requests, of each in turn: a busy machine slows both."""
    spent: dict[Ask, list[float]] = {ask: [], ask_bare: []}
    for _ in range(1 + REQUESTS // TURN):
        for one, times in spent.items():
            before = time.process_time()
            await play(one, TURN)
            times.append(time.process_time() - before)
    ours, theirs = (
        statistics.median(times[1:]) for times in spent.values()
    )  # the first is warm-up
    return ours * REQUESTS / TURN, theirs * REQUESTS / TURN


async def in_turn(ask: Ask, count: int) -> None:
    for _ in range(count):
        await ask()


async def at_once(ask: Ask, count: int) -> None:
    async def some() -> None:
        await in_turn(ask, count // AT_ONCE)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from gxo.runtime.host.eventloop import JobLoop

    with asyncio.Runner(loop_factory=lambda: JobLoop(5.0)) as runner:
        runner.get_loop().set_debug(False)
        runner.run(compare(sys.argv[1]))
