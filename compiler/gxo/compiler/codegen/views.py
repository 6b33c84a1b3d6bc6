"""What the skeletons print: small values that hold finished pieces of Python.

Workload(name="fetch", module=http:request, register="users")
WorkloadView(comment="fetch: http:request", decorator="job.workload", function="fetch",
             decorator_arguments=('"fetch"', 'register="users"'),
             body=("return await http_request(ctx, ...)",), ...)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """One workload or step, or the loop that several workloads share.

    `helpers` are what stands before its decorator. A view without a decorator has only a body.
    waits: whether the function does; others are plain.
    """

    comment: str
    decorator: str
    decorator_arguments: tuple[str, ...]
    function: str
    parameters: tuple[str, ...]
    returns: str
    body: tuple[str, ...]
    helpers: tuple[str, ...]
    waits: bool = True


@dataclass(frozen=True, slots=True)
class HeadView:
    """The beginning of a file; `imports` is the finished block.

    job_arguments: those of the job, where the file makes it; `helpers` are what its vars need.
    """

    title: str
    imports: str
    helpers: tuple[str, ...] = ()
    job_arguments: tuple[str, ...] = ()
