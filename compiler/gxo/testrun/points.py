"""What of a playbook a test can reach, or miss.

    - name: notify                notify                        lines 12 to 14
      when: "{{ .failed }}"       notify:true, notify:false     line 13
      process: ...
    on_failure, finally, and the steps of a pipeline (`answers.stored`) likewise

A `when` that the compiler could decide has no second branch.
"""

from collections.abc import Iterator
from typing import Any

from gxo.compiler.ir.nodes import Computed, Plan, Workload
from gxo.compiler.ir.walk import every_workload


def lines(plan: Plan) -> dict[str, int]:
    """The line of each workload, by name."""
    return {one.name: one.span.line for one in every_workload(plan)}


def points(plan: Plan) -> list[dict[str, Any]]:
    """Each point with its `name`, `kind`, `line` and last line `end`, in the playbook's order."""
    return sorted(_points(plan), key=lambda point: int(point["line"]))


def _points(plan: Plan) -> Iterator[dict[str, Any]]:
    for workload in plan.workloads:
        yield from _of(workload, workload.name, "workload")
        for compensation in workload.on_failure:
            yield from _of(compensation, compensation.name, "on_failure")
    for cleanup in plan.cleanup:
        yield from _of(cleanup, cleanup.name, "finally")


def _of(workload: Workload, name: str, kind: str) -> Iterator[dict[str, Any]]:
    whole = workload.decl.span
    yield {"name": name, "kind": kind, "line": whole.line, "end": whole.end_line}
    if isinstance(workload.when, Computed):
        place = {"line": workload.when.span.line, "end": workload.when.span.end_line}
        for branch in ("true", "false"):
            yield {"name": f"{name}:{branch}", "kind": "when", **place}
    for step in workload.steps:
        yield from _of(step, f"{name}.{step.name}", "step")
