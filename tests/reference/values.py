"""The values of parameters, conditions and loops (language, section 3)."""

import json
import re
from typing import Any

from tests.reference.playbook import Playbook, Workload
from tests.reference.templates import TemplateError, evaluate, is_template
from tests.reference.world import Call, World


class Values:
    """Evaluates parts of the playbook in a world."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook

    def params(self, world: World, spec: Workload, call: Call) -> dict[str, Any]:
        """The call's parameters, with 3's conversion for those that are whole numbers."""
        items = world.works[spec.name].items
        assert items is not None
        params: dict[str, Any] = self.of(
            world, spec, spec.params, item=json.loads(items[call.item]), index=call.item
        )
        for name in params.keys() - {"value", "bad"}:
            params[name] = _whole(params[name])
        return params

    def of(self, world: World, spec: Workload, given: Any, **item: Any) -> Any:
        """A part of the playbook with its templates evaluated."""
        if is_template(given):
            return evaluate(given, self._names(world, spec, **item))
        if isinstance(given, dict):
            return {key: self.of(world, spec, one, **item) for key, one in given.items()}
        if isinstance(given, list):
            return [self.of(world, spec, one, **item) for one in given]
        return given

    def _names(
        self, world: World, spec: Workload, item: Any = None, index: int | None = None
    ) -> dict[str, Any]:
        """3, Names: "innermost first: the loop variable; registers, inputs and vars; `_gxo`"."""
        values = {name: _loaded(work.summary) for name, work in world.works.items()}
        names: dict[str, Any] = {**self.playbook.inputs, "_gxo": self._gxo(world, spec, values)}
        for one in self.playbook.every():
            if one.register is not None:
                done = world.works[one.name].status == "Completed"
                names[one.register] = values[one.name] if done else None
        if index is not None and spec.loop is not None:
            names[spec.loop_var] = item
            if spec.index_var is not None:
                names[spec.index_var] = index
        return names

    def _gxo(self, world: World, spec: Workload, values: dict[str, Any]) -> dict[str, Any]:
        """3: `_gxo` holds `workloads.<name>.status|summary`, "in `on_failure` and `finally` also
        `failure.workload`, in `finally` also `status`".
        """
        workloads = {
            name: {"status": work.status, "summary": values[name] if work.stage == "over" else None}
            for name, work in world.works.items()
        }
        first = world.fatal[0] if world.fatal else None
        failed = first if spec.block == "finally" else spec.block
        status = "Failed" if world.fatal else "Completed"
        return {"workloads": workloads, "failure": {"workload": failed}, "status": status}


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _whole(value: Any) -> int:
    """3, Native values: "text to int only if it is the int's own text; a float to int when integral;
    nothing else; otherwise an error".
    """
    if isinstance(value, str) and re.fullmatch(r"0|-?[1-9]\d*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TemplateError("no whole number")
