"""What runs until the job has no more use for it (language, section 7).

server: ready, and runs on      keep: reads from it      client: the job waits for this one only

A server has ended for those that wait for it once it is ready. Who reads from one is in the
background from its start, and ends when the stream does.
"""

from typing import TYPE_CHECKING

from gxo.runtime.errors import ModuleError
from gxo.runtime.kernel.instance import RETIRED
from gxo.runtime.kernel.node import Node

if TYPE_CHECKING:
    from gxo.runtime.kernel.scheduler import Scheduler


class Background:
    """The workloads that the job does not wait for, and `--workers` does not count.

    running: how many of them run.
    """

    def __init__(self) -> None:
        self.running = 0
        self._servers: list[Node] = []

    def started(self, node: Node) -> None:
        """A workload starts, its streams being connected."""
        if node.upstream and any(one.spec.background for one in node.upstream):
            self._release(node)

    def ready(self, node: Node) -> None:
        """A server is in service. ModuleError when its module is not declared as one."""
        if not node.spec.background:
            raise ModuleError(
                "the module says that it is ready, and is not declared to run in the background",
                hint="declare it with `@module(..., background=True)`",
            )
        self.serves(node)

    def serves(self, node: Node) -> None:
        """All that a workload still does is to serve others: it is ended as a server is."""
        self._servers.append(node)
        self._release(node)

    def ended(self, node: Node) -> None:
        """A workload is over."""
        self.running -= not node.held

    def retire(self, scheduler: "Scheduler") -> None:
        """Nothing else is left: end the servers, what was ready last first, one by one.

        Who reads from them meets the end of the stream, and gets the time to drain it.
        """
        for node in reversed(self._servers):
            if not node.over:
                scheduler.cancel(node, RETIRED)
                return
        drain = scheduler.run.limits.drain
        for node in scheduler.run.nodes.values():
            if node.task is not None and node.timer is None:
                node.timer = scheduler.loop.call_later(drain, scheduler.cancel, node, RETIRED)

    def _release(self, node: Node) -> None:
        self.running += node.held
        node.held = False
