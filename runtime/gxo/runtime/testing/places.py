"""Where in the test playbook a workload, or one of its assertions, stands."""

from typing import TYPE_CHECKING

from gxo.runtime.reporting.trace import source_map

if TYPE_CHECKING:
    from gxo.runtime.context import Context


def place_of(ctx: "Context") -> str:
    """File and line of the workload; without a source map its name."""
    found = source_map(ctx._run)
    line = found.get("workloads", {}).get(ctx.workload)
    return ctx.workload if line is None else f"{found['file']}:{line}"
