"""What the skeletons print: small values that hold finished pieces of Python.

Workload(name="fetch", module=http:request, register="users")
WorkloadView(comment="fetch: http:request", decorator="job.workload", function="fetch",
             decorator_arguments=('"fetch"', 'register="users"'), call="http_request", ...)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """One workload or step; `helpers` are what stands before its decorator.

    call: what its function awaits; "" when nothing can make it run.
    """

    comment: str
    decorator: str
    decorator_arguments: tuple[str, ...]
    function: str
    parameters: tuple[str, ...]
    returns: str
    call: str
    call_arguments: tuple[str, ...]
    helpers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramView:
    """The whole module; `imports` is the finished block, `helpers` are what the vars need."""

    title: str
    imports: str
    helpers: tuple[str, ...]
    job_arguments: tuple[str, ...]
    workloads: tuple[WorkloadView, ...]
