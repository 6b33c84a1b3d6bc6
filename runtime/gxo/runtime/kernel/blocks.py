"""`on_failure` and `finally`: workloads that run in order (language, section 6)."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gxo.runtime.job import Workload
from gxo.runtime.kernel.graph import units
from gxo.runtime.kernel.instance import STOPPED
from gxo.runtime.kernel.node import FAILED, Failure, Node

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run


async def on_failure(run: "Run", failed: Node) -> None:
    """Run the block of one failed workload. While others run, it stops when the job does."""
    failure = Failure(failed.name, failed.error, failed.attempts)
    was_stopping = run.scheduler.stopping
    await _run_block(
        run,
        failed.spec.on_failure,
        failure,
        lambda: run.ending.is_cut_short or run.scheduler.stopping != was_stopping,
    )


async def cleanup(run: "Run") -> None:
    """Run `finally`, for as long as its limit allows; a failure in it is kept in `run.ending`."""
    scheduler = run.scheduler
    failed = scheduler.failed[0] if scheduler.failed else None
    failure = Failure(failed.name, failed.error, failed.attempts) if failed else Failure()
    late = False

    def expire() -> None:
        nonlocal late
        late = True
        run.fail(f"`finally` took longer than {run.limits.cleanup:g} s")
        scheduler.cancel_all(STOPPED)

    timer = run.loop.look_on(run.limits.cleanup, expire)
    nodes = await _run_block(run, run.job.cleanups, failure, lambda: late)
    timer.cancel()
    for node in nodes:
        if node.status == FAILED and not node.ignored:
            error = f"in `finally`: workload '{node.name}' failed: {node.error}"
            run.fail(error, logged=True)


async def _run_block(
    run: "Run", specs: Iterable[Workload], failure: Failure, is_over: Callable[[], bool]
) -> list[Node]:
    """Run the workloads one after the other, those that streams connect together."""
    specs = list(specs)
    nodes = run.add_nodes(specs)
    for unit in units(specs, run.nodes, failure):
        if is_over():
            break
        await run.scheduler.run_unit(unit)
    return nodes
