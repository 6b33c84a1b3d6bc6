"""A workload repeated over a list or a map (language, section 6)."""

import asyncio
from typing import TYPE_CHECKING, Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.job import Loop
from gxo.runtime.kernel.instance import attempts

if TYPE_CHECKING:
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run


async def iterate(run: "Run", node: "Node", loop: Loop) -> list[Any]:
    """Run one instance an item, started in order, at most `parallel` at once.

    Returns the summaries in item order. The first failing instance cancels the others.
    """
    items = _items(loop.items(Context(run, node)) if callable(loop.items) else loop.items)
    node.iterations = len(items)
    if loop.parallel == 1 or len(items) < 2:
        return [
            await attempts(run, node, index, _arguments(node, item, index))
            for index, item in enumerate(items)
        ]
    return await _in_parallel(run, node, items, loop.parallel)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [{"key": key, "value": value[key]} for key in sorted(value)]
    from gxo.runtime.expr import describe  # start-up: only for an error

    raise ParameterError(f"`loop` needs a list or a map, not {describe(value)}")


def _arguments(node: "Node", item: Any, index: int) -> tuple[Any, ...]:
    return (item, index)[: node.spec.parameters]


async def _in_parallel(run: "Run", node: "Node", items: list[Any], parallel: int) -> list[Any]:
    summaries: list[Any] = [None] * len(items)
    waiting = iter(enumerate(items))
    failures: list[BaseException] = []

    async def work() -> None:
        """Take items in order until none is left. Failures are kept, so that no task raises."""
        for index, item in waiting:
            if failures:
                return
            try:
                arguments = _arguments(node, item, index)
                summaries[index] = await attempts(run, node, index, arguments)
            except BaseException as error:
                failures.append(error)
                return

    tasks = [asyncio.create_task(work()) for _ in range(min(parallel, len(items)))]
    try:
        running = set(tasks)
        while running and not failures:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancel(run, node, tasks)
    if failures:
        raise failures[0]
    return summaries


async def _cancel(run: "Run", node: "Node", tasks: list["asyncio.Task[None]"]) -> None:
    """End the instances that still run; one that takes no notice is abandoned."""
    for task in tasks:
        task.cancel()
    running = {task for task in tasks if not task.done()}
    grace = run.limits.cancel
    while running and grace > 0:
        _, running = await asyncio.wait(running, timeout=grace)
        grace = node.patience - run.loop.time()
    for task in running:
        if node.over:  # the workload was abandoned as a whole, and that has been told
            run.abandoned.append(task)
        else:
            run.abandon(task, node)
