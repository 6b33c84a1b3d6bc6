"""A workload repeated over a list or a map (language, section 6).

loop: [web1, web2]     item 1 ("web2"): the command 'ping' ended with exit code 1
"""

import asyncio
from typing import TYPE_CHECKING, Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.job import Loop
from gxo.runtime.kernel.instance import attempts

if TYPE_CHECKING:
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

LONGEST_ITEM = 40  # characters of an item that an error shows


async def iterate(run: "Run", node: "Node", loop: Loop) -> list[Any]:
    """Run one instance an item, started in order, at most `parallel` at once.

    Returns the summaries in item order. The first failing instance cancels the others.
    """
    items = _items(loop.items(Context(run, node)) if callable(loop.items) else loop.items)
    node.iterations = len(items)
    if loop.parallel == 1 or len(items) < 2:
        return [await _instance(run, node, item, index) for index, item in enumerate(items)]
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


async def _instance(run: "Run", node: "Node", item: Any, index: int) -> Any:
    """Run one instance; the first that fails leaves in the node which one it is."""
    try:
        return await attempts(run, node, index, _arguments(node, item, index))
    except (Exception, SystemExit, KeyboardInterrupt):
        if node.failed_item is None:
            node.failed_item = (index, f"item {index}{_shown(run, item)}")
        raise


def _shown(run: "Run", item: Any) -> str:
    """` ("web2")`: the item, or its key in a map, when it is a short scalar."""
    from gxo.runtime.jsontext import to_json  # start-up: only for an error

    if isinstance(item, dict) and item.keys() == {"key", "value"}:
        item = item["key"]
    if isinstance(item, (list, dict)):
        return ""
    # Redacted before it is escaped, and never cut: else no secret would be found in it any more.
    text = to_json(run.redact(item)) if isinstance(item, str) else run.redact(to_json(item))
    return f" ({text})" if len(text) <= LONGEST_ITEM else ""


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
                summaries[index] = await _instance(run, node, item, index)
            except BaseException as error:
                failures.append(error)
                return

    tasks = [asyncio.create_task(work()) for _ in range(min(parallel, len(items)))]
    try:
        running = set(tasks)
        while running and not failures:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        if not failures:  # one that came before stays what has happened
            raise
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
