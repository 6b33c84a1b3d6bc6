"""What an earlier run of the job has done, and is not to run again.

Each ends for others once all that it waited for has. An edge that a path implies is left out when
compiling, so somebody may wait for what runs again only by way of what does not:

open (runs again)    said, after open (restored)    heard, after said, reads what `open` leaves
"""

from typing import TYPE_CHECKING

from gxo.runtime.kernel.node import Node, Unit

if TYPE_CHECKING:
    from gxo.runtime.kernel.scheduler import Scheduler


class Restored:
    """The workloads that are restored. A unit is restored as a whole, or runs as a whole."""

    def __init__(self, scheduler: "Scheduler", nodes: list[Node], compensate: list[str]) -> None:
        """compensate: the names of ignored failures whose `on_failure` is still to run."""
        self._scheduler = scheduler
        self._compensate = compensate
        self._units = dict.fromkeys(node.unit for node in nodes)
        for node in nodes:
            node.settled = True

    def __contains__(self, unit: Unit) -> bool:
        return unit in self._units

    def begin(self) -> None:
        """Let those end that wait for nobody, and with them those that wait for these."""
        self._scheduler.restored = self
        ended: list[Node] = []
        for unit in self._units:
            if not unit.waiting:
                self.end(unit, ended)
        for node in ended:
            self._scheduler.settle(node)

    def end(self, unit: Unit, settled: list[Node]) -> None:
        """Nobody is left that it waits for: add to `settled` those that have ended with that."""
        for node in unit.members:
            if node.name in self._compensate:
                self._scheduler.compensate(node)
            else:
                settled.append(node)
