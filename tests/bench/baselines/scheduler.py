"""The least that runs tasks in the order of their dependencies: no state, no events, no report.

`scheduler.py independent|chain COUNT` prints the processor seconds that it takes. It allows as many at
once as gxo does by default.
"""

import asyncio
import os
import sys
import time
from itertools import pairwise
from typing import Any

MOST = max(32, os.cpu_count() or 1)


class Task:
    """What waits for it, and for how many others it waits."""

    __slots__ = ("followers", "waiting")

    def __init__(self) -> None:
        self.followers: list[Task] = []
        self.waiting = 0


async def work() -> dict[str, Any]:
    return {}


async def run(tasks: list[Task]) -> None:
    """Run all; what becomes ready starts at once, as far as the limit allows."""
    room = asyncio.Semaphore(MOST)
    running: set[asyncio.Task[None]] = set()
    over = asyncio.get_running_loop().create_future()
    left = len(tasks)

    def start(task: Task) -> None:
        started = asyncio.create_task(execute(task))
        running.add(started)
        started.add_done_callback(running.discard)

    async def execute(task: Task) -> None:
        nonlocal left
        async with room:
            await work()
        for follower in task.followers:
            follower.waiting -= 1
            if not follower.waiting:
                start(follower)
        left -= 1
        if not left:
            over.set_result(None)

    for task in tasks:
        if not task.waiting:
            start(task)
    await over


def main(shape: str, count: int) -> None:
    tasks = [Task() for _ in range(count)]
    if shape == "chain":
        for before, after in pairwise(tasks):
            before.followers.append(after)
            after.waiting += 1
    started = time.process_time()
    asyncio.run(run(tasks))
    print(time.process_time() - started)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
