"""What expressions see of the other workloads in a dry run: the registers, and `_gxo.workloads`.

ctx.state["deployed"]["stdout"]        Unknown: the module was not called
ctx.state.get("rolled_back")           Unknown: whether the workload would run is not known
ctx.workloads["deploy"].status         Completed, as a failure would end the job; Unknown if
                                           the job would go on
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import Unknown
from gxo.runtime.kernel.node import Node
from gxo.runtime.kernel.state import State

if TYPE_CHECKING:
    from gxo.runtime.dryrun.forecast import Forecast


class ForeseenState(State):
    """The registers; reading one whose value is not known raises, also where it is asked for."""

    def __init__(self, nodes: Mapping[str, Node], forecast: "Forecast") -> None:
        super().__init__(nodes)
        self._forecast = forecast

    def __missing__(self, name: str) -> Any:
        self._check(name)
        return super().__missing__(name)

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self._check(name)
        return super().get(name, default)

    def _check(self, register: str) -> None:
        for node in self._nodes.values():
            if node.spec.register == register and self._forecast.of(node.name).is_open:
                raise Unknown(f"the result of '{node.name}'")


class ForeseenWorkload:
    """`_gxo.workloads.NAME`."""

    __slots__ = ("_forecast", "_node")

    def __init__(self, node: Node, forecast: "Forecast") -> None:
        self._node = node
        self._forecast = forecast

    @property
    def status(self) -> str:
        """How it ended, or would end."""
        self._check("the status")
        return self._node.status

    @property
    def error(self) -> str | None:
        """Why it failed."""
        self._check("the error")
        return self._node.error

    @property
    def summary(self) -> Any:
        """What it returned, or would return."""
        if self._forecast.of(self._node.name).is_open:
            raise Unknown(f"the result of '{self._node.name}'")
        return self._node.summary

    def _check(self, what: str) -> None:
        outlook = self._forecast.of(self._node.name)
        if outlook.is_open or (outlook.is_left_out and self._node.spec.ignore_errors):
            raise Unknown(f"{what} of '{self._node.name}'")


class ForeseenWorkloads(Mapping[str, ForeseenWorkload]):
    """`_gxo.workloads`."""

    def __init__(self, nodes: Mapping[str, Node], forecast: "Forecast") -> None:
        self._nodes = nodes
        self._forecast = forecast

    def __getitem__(self, name: str) -> ForeseenWorkload:
        return ForeseenWorkload(self._nodes[name], self._forecast)

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)
