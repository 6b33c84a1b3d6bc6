"""Where in the test playbook a workload, or one of its assertions, stands."""

from typing import TYPE_CHECKING

from gxo.runtime.reporting.trace import source_map

if TYPE_CHECKING:
    from gxo.runtime.context import Context


def workload_place(ctx: "Context") -> str:
    """File and line of the workload; without a source map its name."""
    found = source_map(ctx._run)
    line = found.get("workloads", {}).get(ctx.workload)
    return ctx.workload if line is None else f"{found['file']}:{line}"


class AssertionPlace:
    """Where an assertion's `actual` stands. file: the playbook's name; text: of a template."""

    __slots__ = ("column", "file", "line", "text")

    def __init__(self, file: str, line: int, column: int, text: str) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.text = text


def assertion_place(ctx: "Context", number: int) -> AssertionPlace | None:
    """That of the workload's or step's assertion of this number, from 1.

    None where the playbook does not list them, or without a source map.
    """
    found = source_map(ctx._run)
    name = f"{ctx.workload}.{ctx.step}" if ctx.step else ctx.workload
    places = found.get("assertions", {}).get(name, ())
    return AssertionPlace(found["file"], *places[number - 1]) if number <= len(places) else None
